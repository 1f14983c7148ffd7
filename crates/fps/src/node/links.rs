//! The connections that were dialled, and by which way their packets leave.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;

use fps_log::chain;
use fps_netlink::{Flow, Fwmark, IfIndex, LinkName, Netlink};
use tokio::net::TcpStream;
use tokio::sync::Notify;

use crate::tunnel::CarrierId;

/// The connections that were dialled, and who waits for the network to change.
#[derive(Debug)]
pub(super) struct Links {
    /// Where nobody can be asked, each link is taken to have its way.
    netlink: Option<Netlink>,
    mark: Fwmark,
    tun: Option<LinkName>,
    open: RefCell<HashMap<CarrierId, Rc<Link>>>,
    changed: Notify,
}

#[derive(Debug)]
struct Link {
    local: SocketAddr,
    peer: SocketAddr,
    /// The interface by which its packets leave, if its address is on that one too.
    home: Cell<Option<IfIndex>>,
    end: Notify,
}

/// A connection that is watched as long as this lives.
pub(super) struct Watched<'a> {
    links: &'a Links,
    id: CarrierId,
    link: Option<Rc<Link>>,
}

impl Watched<'_> {
    /// Waits until it has no way any more.
    pub(super) async fn is_dead(&self) {
        match &self.link {
            Some(link) => link.end.notified().await,
            None => std::future::pending().await,
        }
    }
}

impl Drop for Watched<'_> {
    fn drop(&mut self) {
        self.links.open.borrow_mut().remove(&self.id);
    }
}

impl Links {
    /// None yet. The sockets have this mark; their own tunnel's device is `tun`.
    pub(super) fn new(netlink: Option<Netlink>, mark: Fwmark, tun: Option<LinkName>) -> Self {
        Self {
            netlink,
            mark,
            tun,
            open: RefCell::default(),
            changed: Notify::new(),
        }
    }

    /// Watches a connection.
    pub(super) async fn watch(&self, id: CarrierId, stream: &TcpStream) -> Watched<'_> {
        let ends = stream
            .local_addr()
            .and_then(|it| Ok((it, stream.peer_addr()?)));
        // One that is dead already says so when it is read.
        let link = ends
            .ok()
            .map(|(local, peer)| Rc::new(Link::new(local, peer)));
        if let Some(link) = &link {
            // First, so that no change is missed while the kernel is asked.
            self.open.borrow_mut().insert(id, Rc::clone(link));
            if let Some(netlink) = &self.netlink {
                link.home.set(self.home(netlink, link).await);
            }
        }
        let links = self;
        Watched { links, id, link }
    }

    /// Waits until the network changes from now on.
    pub(super) fn changed(&self) -> impl Future<Output = ()> {
        self.changed.notified()
    }

    /// The network has changed: ends those that have lost their way, and tells who waits.
    pub(super) async fn look(&self) {
        if let Some(netlink) = &self.netlink {
            let open: Vec<_> = self.each();
            for (id, link) in open {
                if let Some(why) = self.lost(netlink, &link).await {
                    link.close(id, why);
                }
            }
        }
        self.changed.notify_waiters();
    }

    fn each(&self) -> Vec<(CarrierId, Rc<Link>)> {
        let open = self.open.borrow();
        open.iter().map(|(id, it)| (*id, Rc::clone(it))).collect()
    }

    async fn home(&self, netlink: &Netlink, link: &Link) -> Option<IfIndex> {
        let out = netlink.lookup(&self.flow(link)).await.ok()?.ok()?.link?;
        holds(netlink, Some(out), link.local.ip())
            .await
            .then_some(out)
    }

    /// Why its packets do not arrive any more; none where they may.
    async fn lost(&self, netlink: &Netlink, link: &Link) -> Option<&'static str> {
        let out = match netlink.lookup(&self.flow(link)).await {
            Ok(Ok(route)) => route.link,
            // An address that is not ours any more is EINVAL with IPv4 (`ip_route_output_key`),
            // and of IPv6 the route is found all the same.
            Ok(Err(errno)) => return Some(errno.desc()),
            Err(error) => {
                let error = chain(&error);
                tracing::warn!(event = "network_unread", error);
                return None;
            }
        };
        if link.local.is_ipv6() && !holds(netlink, None, link.local.ip()).await {
            return Some("its address is gone");
        }
        self.strayed(netlink, link, out?).await
    }

    /// An address stays on an interface that is down, or that is not the best any more. The kernel then
    /// sends its packets by another one, where no router and no NAT knows that connection: it is dead,
    /// though it has a route. What is led into the tunnel's own device is not judged: that is a fault of
    /// the routes, and a new connection would go the same way.
    async fn strayed(&self, netlink: &Netlink, link: &Link, out: IfIndex) -> Option<&'static str> {
        let home = link.home.get()?;
        if out == home || self.is_tun(netlink, out).await {
            return None;
        }
        if holds(netlink, Some(out), link.local.ip()).await {
            link.home.set(Some(out));
            return None;
        }
        Some("its packets would leave by another interface than that of its address")
    }

    async fn is_tun(&self, netlink: &Netlink, index: IfIndex) -> bool {
        let Some(name) = &self.tun else {
            return false;
        };
        let found = netlink.link(name).await;
        found.is_ok_and(|link| link.is_some_and(|it| it.index == index))
    }

    fn flow(&self, link: &Link) -> Flow {
        let flow = Flow::to(link.peer.ip()).sent_from(link.local.ip());
        flow.marked(self.mark)
    }
}

impl Link {
    fn new(local: SocketAddr, peer: SocketAddr) -> Self {
        Self {
            local,
            peer,
            home: Cell::default(),
            end: Notify::new(),
        }
    }

    fn close(&self, id: CarrierId, why: &str) {
        let peer = self.peer;
        tracing::info!(event = "link_without_way", id = id.0, peer = %peer, why);
        self.end.notify_one();
    }
}

/// Whether an interface, or any, has an address; and where nobody can say.
async fn holds(netlink: &Netlink, link: Option<IfIndex>, ip: IpAddr) -> bool {
    let here = |index| link.is_none_or(|link| link == index);
    match netlink.addresses(link).await {
        Ok(all) => {
            let mut all = all.iter();
            all.any(|it| here(it.link) && it.net.addr() == ip) || ip.is_loopback()
        }
        Err(_) => true,
    }
}
