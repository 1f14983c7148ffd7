//! In what two states differ.

use std::collections::BTreeSet;

use fps_netlink::{FPS_ROUTE_PROTOCOL, IfIndex, Route, RouteProtocol};

use super::{KernelState, RouteIndex, RouteKey};
use crate::Change;

impl KernelState {
    /// What of this state is gone from `now`, and must be set again by hand: a device that goes
    /// down loses its IPv6 addresses (`addrconf_ifdown` in net/ipv6/addrconf.c) and its routes,
    /// and so does one whose MTU is below 1280.
    pub(crate) fn lost(&self, now: &Self, tun: IfIndex) -> Vec<Change> {
        let addresses = self.addresses.iter().filter(|address| {
            address.link == tun && !address.automatic && !now.holds_address(address)
        });
        let addresses = addresses.cloned().map(Change::AddAddress);
        let still = RouteIndex::new(now.routes.iter().map(RouteKey::of));
        let stands = |route: &Route| {
            let mut there = still.places(RouteKey::of(route));
            there.any(|at| now.routes[at] == *route)
        };
        let routes = self.routes.iter().filter(|route| {
            let set_by_hand = route.protocol != RouteProtocol::Kernel;
            route.link == Some(tun) && set_by_hand && !stands(route)
        });
        let routes = routes.cloned().map(Change::AppendRoute);
        addresses.chain(routes).collect()
    }

    /// In what `now` differs from this state, of what is ours to touch: the device, its addresses
    /// and routes, and what carries our protocol.
    pub(crate) fn differences(&self, now: &Self, tun: IfIndex) -> Vec<String> {
        let before: BTreeSet<_> = self.ours(tun).into_iter().collect();
        let after: BTreeSet<_> = now.ours(tun).into_iter().collect();
        let missing = before.difference(&after);
        let missing = missing.map(|line| format!("missing: {line}"));
        let left = after.difference(&before);
        missing
            .chain(left.map(|line| format!("left: {line}")))
            .collect()
    }

    /// A line for each thing that is ours to touch.
    fn ours(&self, tun: IfIndex) -> Vec<String> {
        let links = self.links.iter().filter(|link| link.index == tun);
        let links = links.map(|link| {
            let state = if link.up { "up" } else { "down" };
            format!("{} mtu {} {state}", link.name, link.mtu)
        });
        let addresses = self.addresses.iter();
        let addresses = addresses.filter(|address| address.link == tun && !address.automatic);
        let addresses = addresses.map(|address| address.net.to_string());
        let routes = self.routes.iter().filter(|route| {
            let of_tun = route.link == Some(tun) && route.protocol != RouteProtocol::Kernel;
            of_tun || route.protocol == FPS_ROUTE_PROTOCOL
        });
        let routes = routes.map(|route| self.describe(route));
        let rules = self.rules.iter();
        let rules = rules.filter(|rule| rule.protocol == FPS_ROUTE_PROTOCOL);
        let rules = rules.map(|rule| format!("{:?} {rule}", rule.family));
        let dns = self.dns.iter().map(|dns| format!("dns {dns}"));
        let kernel = links.chain(addresses).chain(routes).chain(rules);
        kernel.chain(dns).collect()
    }
}
