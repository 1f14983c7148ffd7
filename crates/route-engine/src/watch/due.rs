//! What the events of the kernel call for.

use std::collections::BTreeSet;
use std::net::IpAddr;

use fps_netlink::{Event, FPS_ROUTE_PROTOCOL, IfIndex, LinkName, Route, TableId};
use ipnet::IpNet;
use rustc_hash::FxHashSet;

use crate::Intent;

/// How many events are told one by one.
const TOLD: usize = 8;

/// What has to be looked at, and why.
#[derive(Debug, Default)]
pub(super) struct Due {
    /// The routes of the LAN.
    pub(super) lan: bool,
    /// All of it.
    pub(super) all: bool,
    /// The resolver, too.
    pub(super) dns: bool,
    /// The host has other addresses, so what it has looked up before may be another network's.
    pub(super) roamed: bool,
    /// The first events that call for it.
    pub(super) because: Vec<String>,
    /// How many there were.
    pub(super) count: usize,
}

/// The addresses of other links that the host has had, as far as events have told.
#[derive(Debug, Default)]
pub(super) struct Places(FxHashSet<(IfIndex, IpNet)>);

impl Places {
    /// Takes note of an event; says whether the host has come to or left a place. That an address is
    /// there for longer is told as one that comes, too (RTM_NEWADDR of inet6_addr_modify in
    /// net/ipv6/addrconf.c).
    pub(super) fn change(&mut self, event: &Event, concerns: &Concerns) -> bool {
        match event {
            Event::Address(address) if concerns.is_elsewhere(&address.net) => {
                self.0.insert((address.link, address.net))
            }
            Event::AddressGone(address) if concerns.is_elsewhere(&address.net) => {
                self.0.remove(&(address.link, address.net));
                true
            }
            // What came with those that were lost is not known.
            Event::Overrun => concerns.dns,
            _ => false,
        }
    }
}

/// What matters to an intent.
#[derive(Clone, Debug)]
pub(super) struct Concerns {
    tun: LinkName,
    tables: BTreeSet<TableId>,
    keeps_lan: bool,
    /// Each link has rules and a route of the guard against DNS leaks.
    guards_dns: bool,
    /// IPv6 is left out, since the host has none.
    pub(super) without_ipv6: bool,
    /// Names are looked up through the device.
    dns: bool,
    /// The device's addresses.
    addresses: FxHashSet<IpNet>,
    /// The networks that table main is to lead into the device.
    nets: FxHashSet<IpNet>,
}

impl Concerns {
    /// Of an intent; `without_ipv6` is whether its plan leaves that out, as on a host that has none.
    pub(super) fn of(intent: &Intent, without_ipv6: bool) -> Self {
        let addresses = intent.addresses().iter().map(|address| address.net());
        let addresses: FxHashSet<_> = addresses.collect();
        let subnets = addresses.iter().map(IpNet::trunc);
        let routes = intent.routes().iter().map(|route| route.net());
        let routes = routes.filter(|_| intent.full_tunnel().is_none());
        Self {
            tun: intent.tun(),
            tables: intent.tables().collect(),
            keeps_lan: intent.keeps_lan(),
            guards_dns: intent.guards_dns(),
            without_ipv6,
            dns: intent.dns().is_some_and(|dns| !dns.is_empty()),
            nets: subnets.chain(routes).collect(),
            addresses,
        }
    }
}

impl Concerns {
    /// Whether an address is one of another network, whose answers a resolver may have.
    fn is_elsewhere(&self, address: &IpNet) -> bool {
        // A link-local one comes with the link, in whatever network.
        let is_local = match address.addr() {
            IpAddr::V4(ip) => ip.is_link_local(),
            IpAddr::V6(ip) => ip.is_unicast_link_local(),
        };
        self.dns && !is_local && !self.addresses.contains(address)
    }
}

impl Due {
    /// Everything, for a reason of our own.
    pub(super) fn everything(because: &str) -> Self {
        let mut due = Self::default();
        due.call_for_all(because.to_owned());
        due.dns = true;
        due
    }

    pub(super) fn is_due(&self) -> bool {
        self.lan || self.all || self.roamed
    }

    /// The resolver has changed something.
    pub(super) fn dns_changed(&mut self) {
        self.call_for_all("the resolver's settings".to_owned());
        self.dns = true;
    }

    /// Takes note of an event.
    pub(super) fn note(&mut self, event: &Event, concerns: &Concerns) {
        match event {
            Event::Overrun => {
                self.call_for_all("more events than the buffer holds".to_owned());
                self.lan = concerns.keeps_lan;
                self.dns = true;
            }
            Event::Rule => self.call_for_all("a rule".to_owned()),
            Event::Link(link) => {
                let state = if link.up { "up" } else { "down" };
                let text = format!("{} {state}, mtu {}", link.name, link.mtu);
                // With a link that goes down all its IPv4 routes go, in our tables, too, and there
                // is no event for them.
                self.link(text, link.name, !link.up, concerns);
            }
            Event::LinkGone(link) => {
                self.link(format!("{} gone", link.name), link.name, true, concerns);
            }
            Event::Address(address) => {
                let text = format!("address {}", address.net);
                if concerns.without_ipv6 && address.net.addr().is_ipv6() {
                    self.call_for_all(text.clone());
                }
                self.lan(text, concerns);
            }
            Event::AddressGone(address) => {
                let text = format!("address {} gone", address.net);
                // With its last IPv4 address a device loses all its IPv4 routes, without events.
                if address.net.addr().is_ipv4() || concerns.addresses.contains(&address.net) {
                    self.call_for_all(text.clone());
                }
                self.lan(text, concerns);
            }
            Event::Route(route) => self.route(route, "", concerns),
            Event::RouteGone(route) => self.route(route, " gone", concerns),
        }
    }

    fn link(&mut self, text: String, name: LinkName, went: bool, concerns: &Concerns) {
        if name == concerns.tun {
            self.dns = true;
            self.call_for_all(text.clone());
        } else if went || concerns.guards_dns {
            self.call_for_all(text.clone());
        }
        self.lan(text, concerns);
    }

    fn route(&mut self, route: &Route, went: &str, concerns: &Concerns) {
        let text = || format!("route {route}{went}");
        if concerns.tables.contains(&route.table) {
            self.call_for_all(text());
        } else if route.table == TableId::MAIN {
            if route.protocol == FPS_ROUTE_PROTOCOL {
                self.call_for_all(text());
                return;
            }
            // It may stand in the place of ours, or have stood there.
            if concerns.nets.contains(&route.to) {
                self.call_for_all(text());
            }
            self.lan(text(), concerns);
        }
    }

    fn lan(&mut self, because: String, concerns: &Concerns) {
        if concerns.keeps_lan {
            self.lan = true;
            self.tell(because);
        }
    }

    fn call_for_all(&mut self, because: String) {
        self.all = true;
        self.tell(because);
    }

    fn tell(&mut self, because: String) {
        if self.because.last() == Some(&because) {
            return;
        }
        self.count += 1;
        if self.because.len() < TOLD {
            self.because.push(because);
        }
    }
}

#[cfg(test)]
mod tests {
    use fps_netlink::{Address, Fwmark, Link, RulePriority};

    use super::*;
    use crate::{FullTunnel, KeepLan, Selector};

    fn concerns(keeps_lan: bool) -> Concerns {
        let addresses = vec!["fd66::2/64".parse().unwrap()];
        let intent = Intent::new("fpsc0".parse().unwrap(), addresses, None, vec![]).unwrap();
        let full = FullTunnel {
            table: TableId(100),
            priority: RulePriority(10000),
            selectors: vec![Selector::Marked(Fwmark(17))],
            bypasses: vec![],
            lan: keeps_lan.then(KeepLan::default),
            leak_guard: false,
        };
        Concerns::of(&intent.with_full_tunnel(full).unwrap(), false)
    }

    fn link(name: &str, up: bool) -> Link {
        Link::new(IfIndex::LOOPBACK, name.parse().unwrap(), up)
    }

    /// What an event calls for: the LAN, all, the resolver.
    fn calls(event: &Event, keeps_lan: bool) -> [bool; 3] {
        let mut due = Due::default();
        due.note(event, &concerns(keeps_lan));
        assert_eq!(due.is_due(), !due.because.is_empty(), "{event:?}");
        [due.lan, due.all, due.dns]
    }

    #[test]
    fn an_address_of_another_network_is_a_roam_where_names_are_looked_up() {
        for (dns, address, is_roam) in [
            (true, "10.0.7.23/24", true),
            (true, "2001:db8::7/64", true),
            (true, "fe80::7/64", false),
            (true, "fd66::2/64", false),
            (false, "10.0.7.23/24", false),
        ] {
            let (mut concerns, mut places) = (concerns(false), Places::default());
            concerns.dns = dns;
            let address = Address::new(IfIndex::LOOPBACK, address.parse().unwrap());
            let mut change = |event| places.change(&event, &concerns);
            let comes = || Event::Address(address.clone());
            assert_eq!(change(comes()), is_roam, "{address:?}");
            assert!(!change(comes()), "it is only there for longer");
            let goes = Event::AddressGone(address.clone());
            assert_eq!(change(goes), is_roam, "{address:?}");
            assert_eq!(change(comes()), is_roam, "{address:?}");
        }
    }

    #[test]
    fn each_event_calls_for_what_it_may_have_changed() {
        let address = |net: &str| Address::new(IfIndex::LOOPBACK, net.parse().unwrap());
        let route = |table| Route::new("10.9.0.0/16".parse().unwrap()).in_table(TableId(table));
        let ours = Route {
            protocol: FPS_ROUTE_PROTOCOL,
            ..route(254)
        };
        let subnet = Route::new("fd66::/64".parse().unwrap());
        for (event, expected) in [
            (Event::Overrun, [true, true, true]),
            (Event::Rule, [false, true, false]),
            (Event::Link(link("eth0", true)), [true, false, false]),
            (Event::Link(link("eth0", false)), [true, true, false]),
            (Event::LinkGone(link("eth0", true)), [true, true, false]),
            (Event::Link(link("fpsc0", true)), [true, true, true]),
            (
                Event::Address(address("192.0.2.2/24")),
                [true, false, false],
            ),
            (
                Event::AddressGone(address("192.0.2.2/24")),
                [true, true, false],
            ),
            (
                Event::AddressGone(address("fd00::2/64")),
                [true, false, false],
            ),
            (
                Event::AddressGone(address("fd66::2/64")),
                [true, true, false],
            ),
            (Event::Route(subnet), [true, true, false]),
            (Event::Route(route(254)), [true, false, false]),
            (Event::RouteGone(route(254)), [true, false, false]),
            (Event::RouteGone(ours), [false, true, false]),
            (Event::RouteGone(route(100)), [false, true, false]),
            (Event::Route(route(77)), [false, false, false]),
        ] {
            assert_eq!(calls(&event, true), expected, "{event:?}");
            let [_, all, dns] = expected;
            assert_eq!(calls(&event, false), [false, all, dns], "{event:?}");
        }
    }

    #[test]
    fn a_link_that_comes_calls_for_its_part_of_a_guard() {
        let mut concerns = concerns(false);
        for guards_dns in [false, true] {
            concerns.guards_dns = guards_dns;
            let mut due = Due::default();
            due.note(&Event::Link(link("eth0", true)), &concerns);
            assert_eq!(due.all, guards_dns);
        }
    }

    #[test]
    fn a_burst_is_told_in_a_few_words() {
        let mut due = Due::default();
        let concerns = concerns(true);
        for number in 0..100 {
            let net = format!("10.{number}.0.0/16");
            let route = Route::new(net.parse().unwrap());
            due.note(&Event::Route(route), &concerns);
        }
        assert_eq!((due.because.len(), due.count), (TOLD, 100));
    }
}
