//! A forwarder at its addresses.

use std::io;
use std::net::SocketAddr;
use std::rc::Rc;

use tokio::task::JoinSet;

use super::config::Config;
use super::descriptors;
use super::forwarder::Forwarder;
use super::listener::Listener;
use super::program::RunError;

/// Answers as long as it exists.
#[derive(Debug)]
pub(crate) struct Service {
    forwarder: Rc<Forwarder>,
    addresses: Vec<SocketAddr>,
    serving: JoinSet<io::Error>,
}

impl Service {
    /// Listens where the configuration says. Needs a `LocalSet`.
    pub(crate) fn start(config: &Config) -> Result<Self, RunError> {
        descriptors::raise();
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
        Ok(Self {
            forwarder,
            addresses,
            serving,
        })
    }

    /// Where it listens.
    pub(crate) fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Takes another configuration, which listens nowhere else, and forgets all answers.
    pub(crate) fn configure(&self, config: &Config) {
        self.forwarder.configure(config);
    }

    /// Forgets all answers.
    pub(crate) fn flush(&self) {
        self.forwarder.flush();
    }

    /// Waits until a socket fails.
    pub(crate) async fn failed(&mut self) -> RunError {
        let ended = self.serving.join_next().await;
        let ended = ended.unwrap_or_else(|| Ok(io::ErrorKind::NotConnected.into()));
        RunError::Listener(ended.unwrap_or_else(io::Error::other))
    }
}
