//! What the kernel holds.

use std::collections::{BTreeSet, HashMap};

use fps_netlink::{Address, FPS_ROUTE_PROTOCOL, IfIndex, Link, LinkName, Route, Rule, TableId};
use fps_netlink::{RouteProtocol, RouteScope};
use ipnet::IpNet;

use crate::Change;

/// A host's network, as far as an intent can touch it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KernelState {
    /// Its interfaces.
    pub links: Vec<Link>,
    /// Their addresses.
    pub addresses: Vec<Address>,
    /// The routes of the tables that are looked at.
    pub routes: Vec<Route>,
    /// The rules.
    pub rules: Vec<Rule>,
}

/// By what the kernel tells a table's routes apart when it replaces one: prefix and metric, but not
/// who set it (`fib_table_insert` in net/ipv4/fib_trie.c, `fib6_add_rt2node` in
/// net/ipv6/ip6_fib.c).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct RouteKey(TableId, IpNet, u32);

impl RouteKey {
    pub(crate) fn of(route: &Route) -> Self {
        Self(route.table, route.to, metric(route))
    }
}

/// IPv6 turns a metric of 0 into 1024 (`IP6_RT_PRIO_USER`).
fn metric(route: &Route) -> u32 {
    match (route.metric.unwrap_or(0), route.to) {
        (0, IpNet::V6(_)) => 1024,
        (metric, _) => metric,
    }
}

/// Whether two routes do the same. Of IPv6 the kernel tells no scope.
pub(crate) fn same_route(a: &Route, b: &Route) -> bool {
    let blur = |route: &Route| Route {
        metric: Some(metric(route)),
        scope: RouteScope::Universe,
        ..route.clone()
    };
    blur(a) == blur(b) && (a.to.addr().is_ipv6() || a.scope == b.scope)
}

impl KernelState {
    /// The interface of this name.
    pub fn link(&self, name: &LinkName) -> Option<&Link> {
        self.links.iter().find(|link| link.name == *name)
    }

    /// An interface's name.
    pub(crate) fn name(&self, index: IfIndex) -> String {
        let link = self.links.iter().find(|link| link.index == index);
        link.map_or_else(|| format!("(index {index})"), |link| link.name.to_string())
    }

    /// A route with its interface by name, and who set it, as `ip route show` prints it.
    pub(crate) fn describe(&self, route: &Route) -> String {
        let mut text = route.to.to_string();
        if let Some(gateway) = route.gateway {
            text += &format!(" via {gateway}");
        }
        if let Some(link) = route.link {
            text += &format!(" dev {}", self.name(link));
        }
        text += &format!(" proto {}", route.protocol);
        if let Some(metric) = route.metric {
            text += &format!(" metric {metric}");
        }
        if route.table != TableId::MAIN {
            text += &format!(" table {}", route.table);
        }
        text
    }

    /// The routes by their keys.
    pub(crate) fn by_key(&self) -> HashMap<RouteKey, Vec<&Route>> {
        let mut map: HashMap<_, Vec<_>> = HashMap::with_capacity(self.routes.len());
        for route in &self.routes {
            map.entry(RouteKey::of(route)).or_default().push(route);
        }
        map
    }

    /// What of this state is gone from `now`, and must be set again by hand: a device that goes
    /// down loses its IPv6 addresses (`addrconf_ifdown` in net/ipv6/addrconf.c) and its routes,
    /// and so does one whose MTU is below 1280.
    pub(crate) fn lost(&self, now: &Self, tun: IfIndex) -> Vec<Change> {
        let addresses = self.addresses.iter().filter(|address| {
            address.link == tun && !address.automatic && !now.holds_address(address)
        });
        let addresses = addresses.cloned().map(Change::AddAddress);
        let still = now.by_key();
        let stands = |route: &Route| {
            let there = still.get(&RouteKey::of(route));
            there.is_some_and(|there| there.contains(&route))
        };
        let routes = self.routes.iter().filter(|route| {
            let set_by_hand = route.protocol != RouteProtocol::Kernel;
            route.link == Some(tun) && set_by_hand && !stands(route)
        });
        let routes = routes.cloned().map(Change::AddRoute);
        addresses.chain(routes).collect()
    }

    pub(crate) fn holds_address(&self, address: &Address) -> bool {
        let same = |other: &Address| (other.link, other.net) == (address.link, address.net);
        self.addresses.iter().any(same)
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
        links.chain(addresses).chain(routes).chain(rules).collect()
    }
}
