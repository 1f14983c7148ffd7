//! The network below the carriers, and what to do when it changes: what is remembered of it is
//! forgotten, and carriers that have no way any more are closed at once, so that their applications
//! connect again instead of waiting until TCP gives up.

use std::future::pending;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use fps_netlink::{Events, Group, Netlink};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::links::Links;
use crate::socket::SocketFactory;
use fps_log::chain;

/// How long to wait after the kernel's events could not be read.
const PAUSE: Duration = Duration::from_secs(1);

/// The kernel's word on the network, and SIGHUP, which stands for a change that nobody has seen.
pub(super) struct Network {
    hangup: Signal,
    kernel: Option<(Netlink, Events)>,
}

impl Network {
    /// From now on SIGHUP ends nothing, and no change is missed; where the kernel is not to be
    /// asked, or cannot be, SIGHUP alone tells.
    pub(super) fn open(follow: bool) -> io::Result<Self> {
        let hangup = signal(SignalKind::hangup())?;
        let kernel = match follow.then(subscribe) {
            Some(Ok(opened)) => Some(opened),
            Some(Err(error)) => {
                let error = chain(&error);
                tracing::warn!(event = "network_unwatched", error);
                None
            }
            None => None,
        };
        Ok(Self { hangup, kernel })
    }

    /// Who can be asked.
    pub(super) fn netlink(&self) -> Option<Netlink> {
        let kernel = self.kernel.as_ref();
        kernel.map(|(netlink, _)| netlink.clone())
    }

    /// Forgets what was known with each change, and ends the links that have no way any more.
    pub(super) async fn follow(mut self, sockets: Rc<SocketFactory>, links: Rc<Links>) {
        loop {
            self.change().await;
            sockets.reset();
            links.look().await;
        }
    }

    async fn change(&mut self) {
        let kernel = async {
            match &mut self.kernel {
                Some((_, events)) => burst(events).await,
                None => pending().await,
            }
        };
        tokio::select! {
            () = kernel => {}
            _ = self.hangup.recv() => tracing::info!(event = "reset"),
        }
    }
}

/// Waits for an event; what comes in a burst is one change.
async fn burst(events: &mut Events) {
    let drained = events.next().await.and_then(|_| {
        while events.next_at_hand()?.is_some() {}
        Ok(())
    });
    if let Err(error) = drained {
        let error = chain(&error);
        tracing::warn!(event = "network_unread", error);
        tokio::time::sleep(PAUSE).await;
    }
}

fn subscribe() -> Result<(Netlink, Events), fps_netlink::Error> {
    Ok((Netlink::open()?, Events::subscribe(&Group::ALL)?))
}
