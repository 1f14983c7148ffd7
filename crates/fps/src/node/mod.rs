//! What the client and the server share: start, listen, relay, stop.

mod acceptor;
mod doorman;
mod links;
mod network;
mod sessions;
mod status;

use std::io;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Instant;

use fps_wire::auth::LowOrderServerKey;
use sd_notify::NotifyState;
use tokio::task::LocalSet;

use self::acceptor::{Acceptor, Shared};
use self::links::Links;
use self::network::Network;
use self::sessions::Sessions;
use self::status::{Status, StatusSocket};
use crate::cli::{self, Common, Task};
use crate::config::{Config, Role};
use crate::exit::Exit;
use crate::lease::LeaseFileError;
use crate::random::NoRandomness;
use crate::session::Session;
use crate::signal::StopSignals;
use crate::socket::{SocketError, SocketFactory};
use crate::tunnel::{AutoConfigure, Dispatch, RoundRobin, TunDevice, TunError, Tunnel};
use fps_log::{self as log, Throttle, chain};

/// In what the two ends of a tunnel differ.
pub(crate) trait End {
    /// Whether the link is the connection that this end dials, and not the one that it accepts.
    fn link_is_far(&self) -> bool;
    /// A session for one more carrier.
    fn session(&self) -> Box<dyn Session>;
    /// The choice among carriers.
    fn dispatch(&self) -> Box<dyn Dispatch>;
    /// What gives the device its addresses, if anything here does.
    fn configure(&self, config: &Config) -> Result<Option<AutoConfigure>, NodeError>;
}

/// What the device is fit for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Device {
    /// Whether it gives and takes packets whole.
    pub(crate) takes_whole: bool,
}

/// Builds the end that a configuration asks for; none without zero_rtt.
type NewEnd = fn(&Config, Device) -> Result<Option<Box<dyn End>>, NodeError>;

/// What ends a program with exit code 1.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NodeError {
    #[error("cannot start the runtime: raise the limit on open files")]
    Runtime(#[source] io::Error),
    #[error(transparent)]
    Random(#[from] NoRandomness),
    #[error("security.zero_rtt.server_public_key_base64 is no key to use")]
    ServerKey(#[from] LowOrderServerKey),
    #[error(transparent)]
    Leases(#[from] LeaseFileError),
    #[error("cannot open a netlink socket for tun.auto_configure")]
    Netlink(#[from] fps_netlink::Error),
    #[error("cannot make the status socket {}: free it, or choose another ops.status_socket", .0.display())]
    Status(PathBuf, #[source] io::Error),
    #[error(transparent)]
    Socket(#[from] SocketError),
    #[error(transparent)]
    Tun(#[from] TunError),
}

impl NodeError {
    fn event(&self) -> &'static str {
        match self {
            Self::Socket(SocketError::Listen { .. } | SocketError::Resolve { .. }) => "bind_failed",
            Self::Socket(_) => "fwmark_failed",
            Self::Tun(TunError::Open { .. }) => "tun_open_failed",
            Self::Tun(TunError::Gone { .. }) => "tun_gone",
            Self::Status(..) => "status_socket_failed",
            Self::Leases(_) => "lease_file_failed",
            Self::Runtime(_) | Self::Random(_) | Self::ServerKey(_) | Self::Netlink(_) => {
                "start_failed"
            }
        }
    }
}

/// Does what the command line asks for.
///
/// `more` is what the options of one program alone say.
pub(crate) fn main(role: Role, args: Common, more: impl FnOnce(&mut Config), end: NewEnd) -> Exit {
    let config = match args.task(role, more) {
        Ok(Task::Run(config)) => config,
        Ok(Task::Print(text)) => return cli::finish(role, Ok(text)),
        Ok(Task::Ask(socket)) => return status::ask(role, &socket),
        Err(error) => return cli::finish(role, Err(error)),
    };
    log::start("fps", role.word(), config.logging.level, args.log_format);
    match run(role, &config, end) {
        Ok(()) => Exit::Ok,
        Err(error) => {
            let (event, error) = (error.event(), chain(&error));
            tracing::error!(event, error);
            Exit::Runtime
        }
    }
}

fn run(role: Role, config: &Config, end: NewEnd) -> Result<(), NodeError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(NodeError::Runtime)?;
    let tasks = LocalSet::new();
    let result = tasks.block_on(&runtime, async {
        let mut signals = StopSignals::catch().map_err(NodeError::Runtime)?;
        tokio::select! {
            result = serve(role, config, end) => result,
            signal = signals.received() => {
                tracing::info!(event = "signal_stop", signal);
                Ok(())
            }
        }
    });
    tell_systemd(&[NotifyState::Stopping]);
    // Ends the carriers, each with its own line, and closes the TUN with the last of them: who
    // has read `stopped` finds the link gone.
    drop(tasks);
    tracing::info!(event = "stopped");
    result
}

async fn serve(role: Role, config: &Config, end: NewEnd) -> Result<(), NodeError> {
    say_hello(config);
    let network = Network::open(config.network.follow).map_err(NodeError::Runtime)?;
    let sockets = Rc::new(SocketFactory::new(&config.network)?);
    let device = open_tun(config)?;
    let takes_whole = device.as_ref().is_some_and(TunDevice::takes_whole);
    let end = end(config, Device { takes_whole })?;
    let dispatch = end
        .as_ref()
        .map_or_else(|| Box::<RoundRobin>::default() as _, |end| end.dispatch());
    let configure = match &end {
        Some(end) if device.is_some() => end.configure(config)?,
        _ => None,
    };
    let tunnel = Rc::new(Tunnel::new(device, dispatch, configure));
    // Only now: whoever waits for this line may connect, and finds the TUN.
    let listener = sockets.listen(&config.network.listen).await?;
    let target = config
        .target(role)
        .unwrap_or(&config.network.listen)
        .clone();
    let address = listener.local_addr().map_err(NodeError::Runtime)?;
    tracing::info!(event = "listening", addr = %address, target = %target);
    let sessions = Rc::new(Sessions::default());
    let status = Status {
        role,
        listen: address.to_string(),
        target: target.to_string(),
        started: Instant::now(),
        sessions: Rc::clone(&sessions),
        tunnel: Rc::clone(&tunnel),
        device: status::device(config),
    };
    answer(config, status)?;
    let tun = config.tun.name.filter(|_| config.tun.enabled);
    let links = Rc::new(Links::new(network.netlink(), sockets.mark(), tun));
    tokio::task::spawn_local(network.follow(Rc::clone(&sockets), Rc::clone(&links)));
    let acceptor = Acceptor::new(
        config,
        Shared {
            target,
            sockets,
            end,
            tunnel: Rc::clone(&tunnel),
            sessions,
            links,
            read_buffer_size: config.network.read_buffer_size,
            queue_bytes: config.limits.max_session_write_queue_bytes,
            dial_errors: Throttle::default(),
        },
    );
    tell_systemd(&[NotifyState::Ready]);
    tokio::select! {
        never = acceptor.run(listener) => match never {},
        error = tunnel.pump() => Err(error.into()),
    }
}

fn say_hello(config: &Config) {
    let version = env!("CARGO_PKG_VERSION");
    tracing::info!(event = "start", version, pid = std::process::id());
    for (key, instead) in config.unsupported() {
        tracing::warn!(event = "config_unsupported", key, instead);
    }
}

/// Answers those who ask by the status socket, if there is to be one.
fn answer(config: &Config, status: Status) -> Result<(), NodeError> {
    let Some(path) = &config.ops.status_socket else {
        return Ok(());
    };
    let socket = StatusSocket::open(path);
    let socket = socket.map_err(|source| NodeError::Status(path.clone(), source))?;
    tokio::task::spawn_local(socket.serve(status));
    Ok(())
}

/// Says how it is where systemd has started it (sd_notify(3)).
fn tell_systemd(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::warn!(event = "notify_failed", error = %error);
    }
}

fn open_tun(config: &Config) -> Result<Option<TunDevice>, TunError> {
    let Some(name) = config.tun.name.as_ref().filter(|_| config.tun.enabled) else {
        return Ok(None);
    };
    let device = TunDevice::open(name, config.tun.mtu)?;
    tracing::info!(event = "tun_opened", name = %name, mtu = config.tun.mtu);
    Ok(Some(device))
}
