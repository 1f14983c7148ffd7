//! Which routes of table main are the LAN's.

use fps_netlink::{FPS_ROUTE_PROTOCOL, Family, Link, Route, RouteKind, TableId};
use ipnet::IpNet;

use crate::{Intent, KeepLan};

/// What lies below the tunnel: the interfaces, and the routes of table main.
#[derive(Clone, Copy, Debug, Default)]
pub struct Underlay<'a> {
    /// The interfaces.
    pub links: &'a [Link],
    /// The routes; of those of other tables nothing is made.
    pub routes: &'a [Route],
}

/// Prefixes shorter than this are no LAN, whoever claims it: a network that hands out an address
/// with a short prefix would draw half of all addresses out of the tunnel (CVE-2024-3661 does so by
/// routes). 10.0.0.0/8 is the largest private network (RFC 1918).
const SHORTEST: u8 = 8;

impl<'a> Underlay<'a> {
    /// The routes of the LAN, for the families that the tunnel takes, in the order in which the
    /// kernel holds them.
    pub fn lan(&self, intent: &Intent) -> Vec<&'a Route> {
        let Some((full, lan)) = intent
            .full_tunnel()
            .and_then(|full| Some((full, full.lan.as_ref()?)))
        else {
            return Vec::new();
        };
        let families = full.families(intent.has_v6_address());
        let tun = self.links.iter().find(|link| link.name == intent.tun());
        let tun = tun.map(|link| link.index);
        let kept = |route: &&Route| {
            families.contains(&route.family())
                && route.link != tun
                && route.to.prefix_len() >= SHORTEST
                && !route.richer
                && is_lan(route, lan)
                && self.leads_out(route)
        };
        self.routes.iter().filter(kept).collect()
    }

    /// The interfaces by which queries could leave: those that are up, but the tunnel's. One that
    /// belongs to a bridge or a bond has no addresses, and nobody binds to it.
    pub(crate) fn ways_out(&self, intent: &Intent) -> impl Iterator<Item = &'a Link> + use<'a> {
        let tun = intent.tun();
        self.links.iter().filter(move |link| {
            link.up && link.master.is_none() && link.name != tun && link.name.as_str() != "lo"
        })
    }

    /// Routes that an intent keeps but for what cannot be copied: several gateways, one of the other
    /// family, an encapsulation.
    pub fn too_rich(&self, intent: &Intent) -> Vec<&'a Route> {
        let full = intent.full_tunnel();
        let Some(lan) = full.and_then(|full| full.lan.as_ref()) else {
            return Vec::new();
        };
        let wanted = |route: &&Route| {
            route.richer
                && route.table == TableId::MAIN
                && route.kind == RouteKind::Unicast
                && lan.routed.iter().any(|net| contains(net.net(), route.to))
        };
        self.routes.iter().filter(wanted).collect()
    }

    /// The routes without gateway that are too short for a LAN.
    pub fn too_short(&self) -> impl Iterator<Item = &'a Route> {
        let short = |route: &&Route| {
            (1..SHORTEST).contains(&route.to.prefix_len()) && is_lan(route, &KeepLan::default())
        };
        self.routes.iter().filter(short)
    }

    /// Whether the interface is up and not the loopback device. Its operational state is not asked
    /// for: it stays unknown with a TUN device, and with WireGuard's; and a route over a link
    /// without carrier stays in table main, too.
    fn leads_out(&self, route: &Route) -> bool {
        let link = self
            .links
            .iter()
            .find(|link| Some(link.index) == route.link);
        link.is_some_and(|link| link.up && link.name.as_str() != "lo")
    }
}

/// A route to neighbours; or one by a gateway of the LAN where that was asked for. Of IPv6 the
/// kernel tells no scope, so what has no gateway counts, but for link-local destinations: a packet
/// for one names its interface, so no default route into the tunnel takes it.
fn is_lan(route: &Route, lan: &KeepLan) -> bool {
    let ours = route.protocol == FPS_ROUTE_PROTOCOL;
    if route.table != TableId::MAIN || route.kind != RouteKind::Unicast || ours {
        return false;
    }
    let link_local = match route.to {
        IpNet::V4(_) => false,
        IpNet::V6(net) => net.addr().is_unicast_link_local() || net.addr().is_multicast(),
    };
    match route.gateway {
        None => route.link.is_some() && !link_local,
        Some(_) => lan.routed.iter().any(|net| contains(net.net(), route.to)),
    }
}

fn contains(outer: IpNet, inner: IpNet) -> bool {
    Family::of(outer.addr()) == Family::of(inner.addr())
        && inner.prefix_len() > 0
        && outer.contains(&inner)
}
