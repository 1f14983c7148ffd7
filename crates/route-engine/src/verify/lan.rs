//! Rules of others that take the LAN, which is to be kept, elsewhere.

use std::net::IpAddr;

use fps_netlink::{FPS_ROUTE_PROTOCOL, Route, Verdict};
use ipnet::IpNet;

use super::Finding;
use super::finding::Kind;
use crate::change::{Selected, owner_of_rule};
use crate::{Intent, KernelState};

/// A finding for each network of the LAN that the kernel leads away from it. What takes all packets is
/// found elsewhere, and so is what is missing of ours.
pub(super) fn findings(intent: &Intent, state: &KernelState) -> Vec<Finding> {
    let Some(full) = intent.full_tunnel() else {
        return Vec::new();
    };
    let selected = Selected::of(full, intent.has_v6_address());
    let lan = state.underlay().lan(intent);
    let found = lan.into_iter().filter_map(|route| {
        let mut packets = selected.iter();
        packets.find_map(|packets| lost(route, packets, state))
    });
    found.collect()
}

fn lost(lan: &Route, packets: &Selected, state: &KernelState) -> Option<Finding> {
    if packets.family != lan.family() {
        return None;
    }
    let verdict = state.fib().lookup(&packets.flow(neighbour(lan.to)));
    let (rule, what) = match verdict {
        Verdict::Leaves { rule, route } if route.link != lan.link && route.to.prefix_len() > 1 => {
            let way = state.describe(route);
            (rule, format!("leads it out by `{way}`"))
        }
        Verdict::Refused { rule, route } => {
            let taken = route.map_or(rule.to, |route| Some(route.to));
            if taken.is_none_or(|net| net.prefix_len() <= 1) {
                return None;
            }
            (rule, "refuses it".to_owned())
        }
        _ => return None,
    };
    if rule.protocol == FPS_ROUTE_PROTOCOL {
        return None;
    }
    let (to, owner) = (lan.to, owner_of_rule(rule));
    Some(Kind::Shadowed.of(format!(
        "the rule `{rule}`, which is {owner}, goes before the LAN's, takes what is for {to} and {what}"
    )))
}

/// One of a network's addresses that a neighbour can have: neither the first nor the last of them, which
/// table local may hold.
fn neighbour(net: IpNet) -> IpAddr {
    let last = match net {
        IpNet::V4(net) => u128::from(u32::from(net.broadcast())),
        IpNet::V6(net) => u128::from(net.broadcast()),
    };
    let spare = u8::from(net.prefix_len() + 2 <= net.max_prefix_len());
    match (net, last - u128::from(spare)) {
        (IpNet::V4(_), last) => IpAddr::V4(u32::try_from(last).unwrap_or(u32::MAX).into()),
        (IpNet::V6(_), last) => IpAddr::V6(last.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_neighbour_is_neither_the_first_nor_the_last() {
        for (net, address) in [
            ("192.0.2.0/24", "192.0.2.254"),
            ("192.0.2.4/30", "192.0.2.6"),
            ("192.0.2.4/31", "192.0.2.5"),
            ("192.0.2.4/32", "192.0.2.4"),
            ("2001:db8::/126", "2001:db8::2"),
            ("2001:db8::1/128", "2001:db8::1"),
        ] {
            let net: IpNet = net.parse().unwrap();
            assert_eq!(neighbour(net).to_string(), address);
        }
    }
}
