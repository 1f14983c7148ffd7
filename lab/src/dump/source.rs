//! The source that a socket without one takes, from the dump alone.

use std::net::{IpAddr, Ipv6Addr};

use fps_netlink::{Flow, IfIndex, Route, RouteScope, Verdict};
use ipnet::Ipv6Net;

use super::{Dump, HostAddress, HostLink};
use crate::explain::Tables;

/// Subnets and their labels (RFC 6724, 2.1), as `net/ipv6/addrlabel.c` has them.
const LABELS: [(&str, u8); 10] = [
    ("::1/128", 0),
    ("::ffff:0:0/96", 4),
    ("::/96", 3),
    ("2001:10::/28", 7),
    ("2001::/32", 6),
    ("2002::/16", 2),
    ("3ffe::/16", 12),
    ("fec0::/10", 11),
    ("fc00::/7", 5),
    ("::/0", 1),
];

impl Dump {
    /// The source of a packet that leaves and has none.
    pub(crate) fn source(&self, tables: &Tables, flow: &Flow) -> Option<IpAddr> {
        let verdict = tables.fib().lookup(flow);
        let link = verdict.link()?;
        let route = match verdict {
            Verdict::Leaves { route, .. } => Some(route),
            _ => None,
        };
        let own = route.and_then(|route| route.source);
        own.or_else(|| match flow.to {
            IpAddr::V4(to) if to.is_loopback() => Some(flow.to),
            IpAddr::V4(_) => self.source_v4(route, link),
            IpAddr::V6(to) => self.source_v6(to, link).map(IpAddr::V6),
        })
    }

    /// As `inet_select_addr` in net/ipv4/devinet.c: of the link's primary addresses whose scope the route
    /// reaches the first in the subnet of the gateway, or else the first; where there is none, the first of
    /// any link that is not for the link alone.
    fn source_v4(&self, route: Option<&Route>, link: IfIndex) -> Option<IpAddr> {
        let gateway = route.and_then(|route| route.gateway);
        let reach = route.map_or(RouteScope::Link, |route| route.scope);
        let primary = |link: &HostLink| -> Vec<HostAddress> {
            let own = link.addresses.iter().filter(|it| !it.secondary);
            let own = own.filter(|it| it.address.net.addr().is_ipv4());
            let own = own.filter(|it| u8::from(it.kernel_scope()) <= u8::from(reach));
            own.cloned().collect()
        };
        let of = |link: &HostLink| {
            let own = primary(link);
            let inside = |it: &&HostAddress| gateway.is_some_and(|ip| it.subnet().contains(&ip));
            let found = own.iter().find(inside).or(own.first());
            found.map(|it| it.address.net.addr())
        };
        let everywhere = |link: &HostLink| {
            let own = primary(link).into_iter();
            let mut own = own.filter(|it| it.kernel_scope() != RouteScope::Link);
            own.next().map(|it| it.address.net.addr())
        };
        self.link(link).and_then(of).or_else(|| {
            // Those of a link that is down count as well.
            let mut links: Vec<&HostLink> = self.links.iter().collect();
            links.sort_by_key(|it| it.link.index);
            links.into_iter().find_map(everywhere)
        })
    }

    /// As RFC 6724, 5, has it: `ipv6_dev_get_saddr` in net/ipv6/addrconf.c.
    fn source_v6(&self, to: Ipv6Addr, link: IfIndex) -> Option<Ipv6Addr> {
        let near = is_link_local(to) || to.is_multicast();
        let links = self
            .links
            .iter()
            .filter(|it| it.link.index == link || !near);
        let mut links: Vec<&HostLink> = links.filter(|it| it.link.up).collect();
        links.sort_by_key(|it| it.link.index);
        let mut best = None;
        for candidate in links {
            let own = candidate.addresses.iter().filter(|it| !it.unusable);
            for address in own {
                let IpAddr::V6(ip) = address.address.net.addr() else {
                    continue;
                };
                let score = self.score(ip, address, candidate, to, link);
                // Of two that are as good the one that comes first stays.
                if best.as_ref().is_none_or(|(known, _)| score > *known) {
                    best = Some((score, ip));
                }
            }
        }
        best.map(|(_, ip)| ip)
    }

    /// How good a source it is: what the rules of RFC 6724 look at, one after the other.
    fn score(
        &self,
        ip: Ipv6Addr,
        address: &HostAddress,
        own: &HostLink,
        to: Ipv6Addr,
        out: IfIndex,
    ) -> impl PartialOrd + use<> {
        let (scope, wanted) = (scope(ip), scope(to));
        let fits = match scope >= wanted {
            true => 128 - i16::from(scope),
            false => i16::from(scope) - 128,
        };
        let common = (u128::from(ip) ^ u128::from(to)).leading_zeros();
        let key = format!(
            "net.ipv6.conf.{}.use_tempaddr",
            own.name().as_str().replace('.', "/")
        );
        let prefers = self
            .sysctls
            .get(&key)
            .is_some_and(|value| value.trim() == "2");
        (
            ip == to,
            fits,
            !address.deprecated,
            own.link.index == out,
            label(ip) == label(to),
            address.temporary == prefers,
            common.min(u32::from(address.address.net.prefix_len())),
        )
    }
}

fn is_link_local(ip: Ipv6Addr) -> bool {
    ip.is_unicast_link_local()
}

/// The scope of an address, in the numbers of multicast (RFC 4007; `ipv6_addr_scope` in
/// net/ipv6/addrconf_core.c).
fn scope(ip: Ipv6Addr) -> u8 {
    match ip {
        ip if ip.is_multicast() => ip.octets()[1] & 0xf,
        ip if ip.is_loopback() || is_link_local(ip) => 2,
        ip if ip.segments()[0] & 0xffc0 == 0xfec0 => 5,
        _ => 14,
    }
}

fn label(ip: Ipv6Addr) -> Option<u8> {
    let mut all = LABELS
        .iter()
        .filter_map(|(net, label)| Some((net.parse::<Ipv6Net>().ok()?, *label)));
    all.find(|(net, _)| net.contains(&ip))
        .map(|(_, label)| label)
}
