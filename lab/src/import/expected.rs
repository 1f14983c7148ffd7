//! The routes that the kernel makes by itself: what an address or a link brings along.

use std::net::IpAddr;

use fps_netlink::{Family, IfIndex, Route, RouteKind, RouteProtocol, RouteScope, TableId};
use ipnet::IpNet;

use crate::dump::{Dump, HostRoute};

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
    for link in dump.links.iter().filter(|it| it.link.up && !it.loopback) {
        for address in link.addresses.iter().filter(|it| !it.address.bare) {
            let own = &address.address;
            let net = match address.peer {
                Some(peer) => IpNet::new(peer, own.net.prefix_len()),
                None => IpNet::new(own.net.addr(), own.net.prefix_len()),
            };
            let Ok(net) = net else { continue };
            let single = net.prefix_len() == net.max_prefix_len();
            // Of IPv6 an address alone has a route, too (`modify_prefix_route`, `addrconf_prefix_route`
            // are for all but 128 bits, which `ipv6_add_addr` leaves out).
            if (single && address.peer.is_none()) || address.secondary {
                continue;
            }
            let route = route(net, link.link.index, own.metric, own.net.addr());
            if !routes.iter().any(|other| is_same(&route, other)) {
                routes.push(route);
            }
        }
    }
    routes
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
