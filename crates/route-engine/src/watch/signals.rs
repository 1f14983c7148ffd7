//! What a watch is told by signals.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::Error;

/// The signals that a watch listens to.
pub(super) struct Signals {
    hangup: Signal,
    terminate: Signal,
    interrupt: Signal,
}

/// What a signal asks for.
pub(super) enum Told {
    Reload,
    Stop,
}

impl Signals {
    /// Waits for them from now on.
    pub(super) fn listen() -> Result<Self, Error> {
        let signal_of = |kind| signal(kind).map_err(Error::Signal);
        Ok(Self {
            hangup: signal_of(SignalKind::hangup())?,
            terminate: signal_of(SignalKind::terminate())?,
            interrupt: signal_of(SignalKind::interrupt())?,
        })
    }

    /// What the next one asks for.
    pub(super) async fn told(&mut self) -> Told {
        tokio::select! {
            _ = self.hangup.recv() => Told::Reload,
            _ = self.terminate.recv() => Told::Stop,
            _ = self.interrupt.recv() => Told::Stop,
        }
    }
}
