//! The system's D-Bus.

use std::env;
use std::io;
use std::panic::resume_unwind;
use std::str::FromStr;
use std::thread;
use std::time::Duration;

use tokio::runtime;
use tokio::time::timeout;
use zbus::address::transport::{Transport, UnixSocket};
use zbus::connection;
use zbus::{Address, Connection, DBusError};

use super::DnsError;

/// How long a conversation may take: it is through in 2 ms, but where resolved is to be started first.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where another than the usual one is named.
const VARIABLE: &str = "DBUS_SYSTEM_BUS_ADDRESS";
/// The usual one.
const USUAL: &str = "unix:path=/run/dbus/system_bus_socket";

/// What to do where nothing else helps.
const ALONE: &str = "leave DNS alone with --no-dns";

/// The bus at an address. It is connected for each conversation anew, so that one that is started again
/// in between is no matter.
#[derive(Clone, Debug)]
pub(super) struct Bus {
    address: String,
}

impl Bus {
    /// The system's; none where its socket is not there.
    pub(super) fn find() -> Option<Self> {
        let named = env::var(VARIABLE).ok().filter(|text| !text.is_empty());
        let address = named.unwrap_or_else(|| USUAL.to_owned());
        let is_absent = Address::from_str(&address).is_ok_and(|address| is_absent(&address));
        (!is_absent).then_some(Self { address })
    }

    /// Talks with somebody on the bus, with a deadline.
    ///
    /// The connection lives in a thread and a runtime of its own. The caller's runtime may be the one
    /// that called (the engine's, of one thread), which cannot wait for itself; and others call from
    /// where there is none.
    pub(super) fn converse<T: Send>(
        &self,
        talk: impl AsyncFnOnce(&Connection) -> zbus::Result<T> + Send,
    ) -> Result<T, DnsError> {
        let aside = || {
            let mut runtime = runtime::Builder::new_current_thread();
            let runtime = runtime.enable_io().enable_time().build();
            let runtime = runtime.map_err(|error| cannot_begin(&error))?;
            let conversation = async {
                let connection = self.connect().await?;
                talk(&connection).await
            };
            let outcome = runtime.block_on(async { timeout(PATIENCE, conversation).await });
            runtime.shutdown_background();
            match outcome {
                Ok(outcome) => outcome.map_err(|error| self.explain(&error)),
                Err(_) => Err(DnsError(format!(
                    "systemd-resolved gives no answer within {PATIENCE:?}: start it anew, or {ALONE}"
                ))),
            }
        };
        thread::scope(|scope| {
            let thread = thread::Builder::new().spawn_scoped(scope, aside);
            let thread = thread.map_err(|error| cannot_begin(&error))?;
            thread.join().unwrap_or_else(|panic| resume_unwind(panic))
        })
    }

    async fn connect(&self) -> zbus::Result<Connection> {
        connection::Builder::address(self.address.as_str())
            .build()
            .await
    }

    /// What went wrong, and what to do about it.
    fn explain(&self, error: &zbus::Error) -> DnsError {
        let address = &self.address;
        let text = match error {
            zbus::Error::Connection(cause, ..) => {
                format!("there is no system bus at {address} ({cause}): start D-Bus, or {ALONE}")
            }
            zbus::Error::Address(_) => {
                format!("{VARIABLE} is `{address}`, which is no address of a bus")
            }
            zbus::Error::Handshake(why) => {
                format!("the system bus at {address} does not let us in: {why}")
            }
            zbus::Error::InputOutput(cause) => {
                format!("the system bus at {address} has hung up ({cause}), or is none")
            }
            zbus::Error::MethodError(name, why, _) => {
                refused(name.as_str(), why.as_deref().unwrap_or_default())
            }
            zbus::Error::FDO(answer) => {
                let why = answer.description().unwrap_or_default();
                refused(answer.name().as_str(), why)
            }
            other => other.to_string(),
        };
        DnsError(text)
    }
}

/// An answer that is an error, by its name.
fn refused(name: &str, why: &str) -> String {
    let of_bus = name.strip_prefix("org.freedesktop.DBus.Error.");
    // Who is to start it, if it is not there: dbus-daemon itself, or systemd for it.
    let not_started = name.starts_with("org.freedesktop.systemd1.")
        || of_bus.is_some_and(|error| error.starts_with("Spawn."));
    match of_bus {
        Some("ServiceUnknown" | "NameHasNoOwner") => {
            format!("systemd-resolved is not running: start it, or {ALONE}")
        }
        _ if not_started => {
            format!("systemd-resolved is not running, and cannot be started ({why}): or {ALONE}")
        }
        Some("AccessDenied" | "AuthFailed" | "InteractiveAuthorizationRequired") => {
            format!("systemd-resolved takes that of root alone ({why}): run fps-route as root")
        }
        Some("NoReply") => {
            format!("systemd-resolved ended without an answer: start it anew, or {ALONE}")
        }
        _ if name == "org.freedesktop.resolve1.NoSuchLink" => format!(
            "systemd-resolved knows no such link ({why}): it must run in the same network namespace; \
             or {ALONE}"
        ),
        _ => format!("systemd-resolved says: {why} ({name})"),
    }
}

fn cannot_begin(error: &io::Error) -> DnsError {
    DnsError(format!("cannot start a thread for D-Bus: {error}"))
}

/// Whether the address is that of a socket which is not there.
fn is_absent(address: &Address) -> bool {
    match address.transport() {
        Transport::Unix(unix) => match unix.path() {
            UnixSocket::File(path) => !path.exists(),
            _ => false,
        },
        _ => false,
    }
}
