//! Routes that go before the tunnel's, or around them.

use std::net::Ipv4Addr;

use fps_netlink::{FPS_ROUTE_PROTOCOL, Family, Route, RouteKind, RouteProtocol, TableId};
use ipnet::IpNet;
use rustc_hash::FxHashMap;

use super::Finding;
use super::finding::Kind;
use crate::{Intent, KernelState};

/// Findings about the routes of others, from what was read alone.
pub(super) fn findings(intent: &Intent, state: &KernelState) -> Vec<Finding> {
    let mut findings = match intent.full_tunnel() {
        None => split(intent, state),
        Some(_) => Vec::new(),
    };
    findings.extend(around(intent, state));
    if intent.keeps_lan() {
        findings.extend(claims(intent, state));
    }
    findings
}

/// Of a split tunnel: routes of table main that go before ours.
fn split(intent: &Intent, state: &KernelState) -> Vec<Finding> {
    if intent.routes().is_empty() {
        return Vec::new();
    }
    let tun = state.link(intent.tun()).map(|link| link.index);
    let ours: FxHashMap<IpNet, u32> = intent
        .routes()
        .iter()
        .map(|to| (to.net(), Route::new(to.net()).effective_metric()))
        .collect();
    let others = state.routes.iter().filter(|route| {
        let in_main = route.table == TableId::MAIN && route.protocol != FPS_ROUTE_PROTOCOL;
        in_main && route.kind == RouteKind::Unicast && route.link.is_some() && route.link != tun
    });
    let found = others.filter_map(|route| {
        let (net, metric) = covering(&ours, route.to)?;
        let text = state.describe(route);
        if net == route.to {
            let first = route.effective_metric() < metric;
            return first.then(|| {
                Kind::Shadowed.of(format!("ip route replace {net}: `{text}` goes before it"))
            });
        }
        let whose = match route.protocol {
            RouteProtocol::Dhcp | RouteProtocol::Ra => {
                ", which the network has handed out (CVE-2024-3661)"
            }
            _ => "",
        };
        Some(Kind::Warning.of(format!(
            "`{text}`{whose} takes a part of {net} out of the tunnel"
        )))
    });
    found.collect()
}

/// The shortest of our routes that covers a network, with its metric.
fn covering(ours: &FxHashMap<IpNet, u32>, net: IpNet) -> Option<(IpNet, u32)> {
    (0..=net.prefix_len()).find_map(|length| {
        let wider = IpNet::new(net.addr(), length).ok()?.trunc();
        ours.get(&wider).map(|metric| (wider, *metric))
    })
}

/// A full tunnel of one family, where the host has a default route of the other.
fn around(intent: &Intent, state: &KernelState) -> Option<Finding> {
    let full = intent.full_tunnel()?;
    let families = full.families(intent.has_v6_address());
    let [only] = families[..] else {
        return None;
    };
    let (other, name) = match only {
        Family::V4 => (Family::V6, "IPv6"),
        Family::V6 => (Family::V4, "IPv4"),
    };
    let default = state.routes.iter().find(|route| {
        let everything = route.table == TableId::MAIN && route.to.prefix_len() == 0;
        everything && route.family() == other && !route.refuses()
    })?;
    Some(Kind::Warning.of(format!(
        "{name} goes around the tunnel, by `{}`: the tunnel takes none of it",
        state.describe(default)
    )))
}

/// What the LAN claims to be.
fn claims(intent: &Intent, state: &KernelState) -> Vec<Finding> {
    let underlay = state.underlay();
    let short = underlay.too_short().map(|route| {
        Kind::Warning.of(format!(
            "`{}` is too wide for a LAN, and goes into the tunnel",
            state.describe(route)
        ))
    });
    let lan = underlay.lan(intent);
    let public = lan
        .into_iter()
        .filter(|route| is_public(route.to))
        .map(|route| {
            Kind::Warning.of(format!(
                "`{}` claims public addresses for the LAN, and takes them out of the tunnel",
                state.describe(route)
            ))
        });
    let rich = underlay.too_rich(intent);
    let rich = rich.into_iter().map(|route| {
        Kind::Warning.of(format!(
            "`{}` goes into the tunnel, though --keep-lan is to keep it: it has more than a gateway, and \
             cannot be copied",
            state.describe(route)
        ))
    });
    short.chain(public).chain(rich).collect()
}

/// Whether addresses of IPv4 are the internet's (RFC 6890). Of IPv6 a LAN has public ones by right.
fn is_public(net: IpNet) -> bool {
    let IpNet::V4(net) = net else { return false };
    let ip: Ipv4Addr = net.addr();
    let shared = ip.octets()[0] == 100 && ip.octets()[1] & 0xc0 == 64;
    let benchmarks = ip.octets()[0] == 198 && ip.octets()[1] & 0xfe == 18;
    !(ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_documentation()
        || shared
        || benchmarks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_addresses_are_told_from_those_of_a_lan() {
        for net in [
            "5.6.0.0/16",
            "100.128.0.0/16",
            "198.20.0.0/16",
            "172.32.0.0/12",
        ] {
            assert!(is_public(net.parse().unwrap()), "{net}");
        }
        for net in [
            "10.0.0.0/8",
            "172.16.0.0/12",
            "192.168.188.0/24",
            "169.254.0.0/16",
            "100.64.0.0/10",
            "203.0.113.0/24",
            "198.18.0.0/15",
            "2001:4860::/32",
        ] {
            assert!(!is_public(net.parse().unwrap()), "{net}");
        }
    }
}
