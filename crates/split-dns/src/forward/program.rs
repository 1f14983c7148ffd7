//! The forwarder from its start to its end.

use std::io::{self, Write};
use std::net::SocketAddr;

use tokio::task::LocalSet;

use super::config::{Config, InvalidConfig};
use super::service::Service;
use crate::signals::{Asked, Signals};

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
    let mut signals = Signals::catch().map_err(RunError::Runtime)?;
    let mut service = Service::start(config)?;
    say_ready(service.addresses()).map_err(RunError::Output)?;
    loop {
        tokio::select! {
            asked = signals.next() => match asked {
                Asked::Stop(signal) => {
                    tracing::info!(event = "signal_stop", signal);
                    return Ok(());
                }
                Asked::Reload => reload(&service, config, again()),
            },
            error = service.failed() => return Err(error),
        }
    }
}

/// Takes what was read, if it can be.
fn reload(service: &Service, first: &Config, again: Result<Config, String>) {
    let checked = again.and_then(|config| {
        let checked = config.validate_listeners(service.addresses());
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
            service.configure(&config);
            tracing::info!(event = "reloaded", routes = config.routes.len());
        }
        Err(error) => {
            service.flush();
            tracing::error!(event = "reload_failed", error);
        }
    }
}

pub(crate) fn say_ready(addresses: &[SocketAddr]) -> io::Result<()> {
    let all: Vec<_> = addresses.iter().map(ToString::to_string).collect();
    let all = all.join(" ");
    tracing::info!(event = "listening", addresses = all);
    let mut out = io::stdout().lock();
    writeln!(out, "READY fps-dns {all}").and_then(|()| out.flush())
}
