//! The routes that the kernel makes by itself: what an address or a link brings along.

use std::net::IpAddr;

use fps_netlink::{Family, IfIndex, Route, RouteKind, RouteProtocol, RouteScope, TableId};
use ipnet::IpNet;

use crate::dump::{Dump, HostAddress, HostRoute};

/// Whether a route comes with an address or a link, so that nobody adds it.
///
/// Of table local the kernel makes all routes itself (`fib_add_ifaddr` in net/ipv4/fib_frontend.c,
/// `addrconf_add_mroute` and `__ipv6_ifa_notify` in net/ipv6/addrconf.c).
pub(super) fn is_kernels(route: &HostRoute, connected: &[Route]) -> bool {
    let it = &route.route;
    let by_kernel = it.protocol == RouteProtocol::Kernel;
    let own = [
        RouteKind::Local,
        RouteKind::Broadcast,
        RouteKind::Anycast,
        RouteKind::Multicast,
    ];
    by_kernel && it.table == TableId::LOCAL && own.contains(&it.kind)
        || connected.iter().any(|other| is_same(it, other))
}

/// The connected routes that come with the addresses of the links that are up.
pub(super) fn connected(dump: &Dump) -> Vec<Route> {
    let mut routes: Vec<Route> = Vec::new();
    for link in dump.links.iter().filter(|it| it.link.up) {
        for address in &link.addresses {
            for net in nets(address, link.loopback) {
                let own = &address.address;
                let route = route(net, link.link.index, own.metric, own.net.addr());
                if !routes.iter().any(|other| is_same(&route, other)) {
                    routes.push(route);
                }
            }
        }
    }
    routes
}

/// Where the kernel makes a route to by itself because of an address.
fn nets(address: &HostAddress, loopback: bool) -> Vec<IpNet> {
    let (own, bare) = (address.address.net, address.address.bare);
    let net = |ip: IpAddr, length: u8| IpNet::new(ip, length).ok();
    let nets = match own {
        // The peer's subnet, or the own; of an address alone there is none, and those of the loopback device
        // are in table local (`fib_add_ifaddr` in net/ipv4/fib_frontend.c).
        IpNet::V4(_) => {
            let ip = address.peer.unwrap_or(own.addr());
            let single = own.prefix_len() == own.max_prefix_len() && address.peer.is_none();
            let has = !(bare || single || address.secondary || loopback);
            vec![net(ip, own.prefix_len()).filter(|_| has)]
        }
        // The own subnet, which may be of the address alone (`inet6_addr_add`), and the peer, alone and in
        // any case (`__ipv6_ifa_notify` in net/ipv6/addrconf.c). That of ::1 is in main on some hosts only.
        IpNet::V6(_) if own.addr().is_loopback() => Vec::new(),
        IpNet::V6(_) => vec![
            net(own.addr(), own.prefix_len()).filter(|_| !bare),
            address.peer.and_then(|peer| net(peer, 128)),
        ],
    };
    nets.into_iter().flatten().map(|net| net.trunc()).collect()
}

fn route(net: IpNet, link: IfIndex, metric: Option<u32>, source: IpAddr) -> Route {
    let v4 = net.addr().is_ipv4();
    // Of IPv6 the kernel's own have 256 (`IP6_RT_PRIO_ADDRCONF`).
    let metric = metric.or((!v4).then_some(256));
    Route {
        metric,
        protocol: RouteProtocol::Kernel,
        source: v4.then_some(source),
        scope: if v4 {
            RouteScope::Link
        } else {
            RouteScope::Universe
        },
        ..Route::new(net).on_link(link)
    }
}

/// Whether two are one route, whatever source it has.
pub(super) fn is_same(one: &Route, other: &Route) -> bool {
    one.to == other.to
        && one.table == other.table
        && one.kind == other.kind
        && one.link == other.link
        && one.gateway == other.gateway
        && one.effective_metric() == other.effective_metric()
        && one.protocol == other.protocol
        && one.tos == other.tos
        && (one.family() == Family::V6 || one.scope == other.scope)
}
