//! The forwarder from its start to its end.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::rc::Rc;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::{JoinSet, LocalSet};

use super::config::{Config, InvalidConfig};
use super::descriptors;
use super::forwarder::Forwarder;
use super::listener::Listener;

/// What ends it before a signal does.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The kernel gives no epoll or no signals.
    #[error("cannot start the runtime: raise the limit on open files")]
    Runtime(#[source] io::Error),
    /// An address cannot be had.
    #[error("cannot listen at {0}: is it an address of this machine, and free?")]
    Bind(SocketAddr, #[source] io::Error),
    /// With the ports that the kernel has given, a server is the forwarder itself.
    #[error(transparent)]
    Config(#[from] InvalidConfig),
    /// A socket has failed.
    #[error("cannot take questions any more: start it again")]
    Listener(#[source] io::Error),
    /// Nobody reads standard output.
    #[error("cannot write to standard output")]
    Output(#[source] io::Error),
}

/// Forwards until SIGTERM or SIGINT. SIGHUP forgets all answers and, where `again` reads one, takes
/// another configuration; its error is logged, and all stays as it is.
///
/// Prints `READY fps-dns IP:PORT`, with each address, when all listeners answer.
///
/// # Errors
///
/// What cannot be had from the kernel.
pub fn run(config: &Config, again: impl Fn() -> Result<Config, String>) -> Result<(), RunError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(RunError::Runtime)?;
    let tasks = LocalSet::new();
    let result = tasks.block_on(&runtime, serve(config, again));
    tracing::info!(event = "stopped");
    result
}

async fn serve(
    config: &Config,
    again: impl Fn() -> Result<Config, String>,
) -> Result<(), RunError> {
    descriptors::raise();
    let mut signals = Signals::catch().map_err(RunError::Runtime)?;
    let bind = |address: &SocketAddr| {
        Listener::bind(*address).map_err(|error| RunError::Bind(*address, error))
    };
    let listeners: Vec<_> = config.listen.iter().map(bind).collect::<Result<_, _>>()?;
    let addresses: Vec<_> = listeners.iter().map(Listener::address).collect();
    config.validate_listeners(&addresses)?;
    let forwarder = Forwarder::new(config);
    let mut serving = JoinSet::new();
    for listener in listeners {
        serving.spawn_local(listener.serve(Rc::clone(&forwarder), config.limits));
    }
    say_ready(&addresses).map_err(RunError::Output)?;
    loop {
        tokio::select! {
            asked = signals.next() => match asked {
                Asked::Stop(signal) => {
                    tracing::info!(event = "signal_stop", signal);
                    return Ok(());
                }
                Asked::Reload => reload(&forwarder, config, &addresses, again()),
            },
            Some(ended) = serving.join_next() => {
                let error = ended.unwrap_or_else(io::Error::other);
                return Err(RunError::Listener(error));
            }
        }
    }
}

/// Takes what was read, if it can be.
fn reload(
    forwarder: &Forwarder,
    first: &Config,
    addresses: &[SocketAddr],
    again: Result<Config, String>,
) {
    let checked = again.and_then(|config| {
        let checked = config.validate_listeners(addresses);
        checked.map(|()| config).map_err(|error| error.to_string())
    });
    match checked {
        Ok(config) => {
            if config.listen != first.listen {
                tracing::warn!(
                    event = "listen_unchanged",
                    instead = "restart to listen elsewhere"
                );
            }
            forwarder.configure(&config);
            tracing::info!(event = "reloaded", routes = config.routes.len());
        }
        Err(error) => {
            forwarder.flush();
            tracing::error!(event = "reload_failed", error);
        }
    }
}

fn say_ready(addresses: &[SocketAddr]) -> io::Result<()> {
    let all: Vec<_> = addresses.iter().map(ToString::to_string).collect();
    let all = all.join(" ");
    tracing::info!(event = "listening", addresses = all);
    let mut out = io::stdout().lock();
    writeln!(out, "READY fps-dns {all}").and_then(|()| out.flush())
}

/// The signals, caught from the moment this exists.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

impl Signals {
    fn catch() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Waits for one.
    async fn next(&mut self) -> Asked {
        tokio::select! {
            _ = self.interrupt.recv() => Asked::Stop("SIGINT"),
            _ = self.terminate.recv() => Asked::Stop("SIGTERM"),
            _ = self.hangup.recv() => Asked::Reload,
        }
    }
}

/// What a signal asks for.
enum Asked {
    /// Its name is for the log.
    Stop(&'static str),
    Reload,
}
