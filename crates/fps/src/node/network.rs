//! The network below the carriers, and what to do when it changes: what is remembered of it is
//! forgotten, and carriers that have no way any more are closed at once, so that their applications
//! connect again instead of waiting until TCP gives up.

use std::cell::RefCell;
use std::collections::HashMap;
use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use fps_netlink::{Events, Flow, Group, Netlink};
use tokio::net::TcpStream;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;

use crate::socket::SocketFactory;
use crate::tunnel::CarrierId;
use fps_log::chain;

/// How long to wait after the kernel's events could not be read.
const PAUSE: Duration = Duration::from_secs(1);

/// The connections that were dialled, and who waits for the network to change.
#[derive(Debug, Default)]
pub(super) struct Links {
    open: RefCell<HashMap<CarrierId, Link>>,
    changed: Notify,
}

#[derive(Clone, Debug)]
struct Link {
    local: SocketAddr,
    peer: SocketAddr,
    end: Rc<Notify>,
}

/// A connection that is watched as long as this lives.
pub(super) struct Watched<'a> {
    links: &'a Links,
    id: CarrierId,
    end: Rc<Notify>,
}

impl Watched<'_> {
    /// Waits until it has no way any more.
    pub(super) async fn is_dead(&self) {
        self.end.notified().await;
    }
}

impl Drop for Watched<'_> {
    fn drop(&mut self) {
        self.links.open.borrow_mut().remove(&self.id);
    }
}

impl Links {
    /// Watches a connection.
    pub(super) fn watch(&self, id: CarrierId, stream: &TcpStream) -> Watched<'_> {
        let end = Rc::new(Notify::new());
        if let (Ok(local), Ok(peer)) = (stream.local_addr(), stream.peer_addr()) {
            let end = Rc::clone(&end);
            let link = Link { local, peer, end };
            self.open.borrow_mut().insert(id, link);
        }
        let links = self;
        Watched { links, id, end }
    }

    /// Waits until the network changes from now on.
    pub(super) fn changed(&self) -> impl Future<Output = ()> {
        self.changed.notified()
    }

    /// Ends those without a way.
    async fn close_dead(&self, netlink: &Netlink, sockets: &SocketFactory) {
        let open: Vec<_> = self
            .open
            .borrow()
            .iter()
            .map(|(id, it)| (*id, it.clone()))
            .collect();
        for (id, link) in open {
            let flow = Flow::to(link.peer.ip()).sent_from(link.local.ip());
            match netlink.lookup(&flow.marked(sockets.mark())).await {
                Ok(Ok(_)) => {}
                // An address that is not ours any more is EINVAL with IPv4 (`ip_route_output_key`),
                // and of IPv6 the route is found all the same.
                Ok(Err(errno)) => link.close(id, errno.desc()),
                Err(error) => {
                    let error = chain(&error);
                    tracing::warn!(event = "network_unread", error);
                }
            }
            if link.local.is_ipv6() && !holds(netlink, link.local.ip()).await {
                link.close(id, "its address is gone");
            }
        }
    }
}

/// Whether the host has an address; and where nobody can say.
async fn holds(netlink: &Netlink, ip: std::net::IpAddr) -> bool {
    match netlink.addresses(None).await {
        Ok(addresses) => addresses.iter().any(|it| it.net.addr() == ip) || ip.is_loopback(),
        Err(_) => true,
    }
}

impl Link {
    fn close(&self, id: CarrierId, why: &str) {
        let peer = self.peer;
        tracing::info!(event = "link_without_way", id = id.0, peer = %peer, why);
        self.end.notify_one();
    }
}

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

    /// Forgets what was known with each change, and ends the links that have no way any more.
    pub(super) async fn follow(mut self, sockets: Rc<SocketFactory>, links: Rc<Links>) {
        loop {
            self.change().await;
            sockets.reset();
            if let Some((netlink, _)) = &self.kernel {
                links.close_dead(netlink, &sockets).await;
            }
            links.changed.notify_waiters();
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
