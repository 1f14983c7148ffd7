//! States and intents, drawn at random.

use fps_netlink::{Family, Fwmark, Route, RouteProtocol, Rule, RuleAction, RulePriority, TableId};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::model::{LAN, TUN, holds_key, index, link, sorted};
use crate::{FullTunnel, Intent, KeepLan, KernelState, Selector};

pub(super) const MARK: Fwmark = Fwmark(17);
pub(super) const OTHER_MARK: Fwmark = Fwmark(18);

/// Of the LAN, and of what is beyond its router.
const LAN_NETS: [&str; 4] = [
    "192.0.2.0/24",
    "10.9.0.0/16",
    "fd00:2::/64",
    "198.51.100.0/24",
];

const NETS: [&str; 6] = [
    "0.0.0.0/0",
    "10.66.0.0/30",
    "10.66.1.0/24",
    "203.0.113.10/32",
    "::/0",
    "fd66:1::/48",
];

fn kernel_rules() -> Vec<Rule> {
    let rule = |family, priority, table| Rule {
        protocol: RouteProtocol::Kernel,
        ..Rule::new(family, RulePriority(priority), RuleAction::Lookup(table))
    };
    let main = Family::BOTH.map(|family| rule(family, 32766, TableId::MAIN));
    main.to_vec()
}

/// A host with a LAN, whose default route goes by its router.
fn underlay() -> Vec<Route> {
    let neighbours = LAN_NETS.map(|net| {
        let mut route = Route::new(net.parse().unwrap()).on_link(index(LAN));
        route.protocol = RouteProtocol::Kernel;
        if net.contains(':') {
            route.metric = Some(256);
        }
        route
    });
    let default = |to: &str, via: &str, metric| Route {
        protocol: RouteProtocol::Dhcp,
        metric: Some(metric),
        ..Route::new(to.parse().unwrap())
            .via(via.parse().unwrap())
            .on_link(index(LAN))
    };
    let defaults = [
        default("0.0.0.0/0", "192.0.2.1", 600),
        default("::/0", "fe80::1", 1024),
    ];
    neighbours.into_iter().chain(defaults).collect()
}

/// A host with some of a LAN, and with routes and rules of other programs, some of which may be in
/// the way.
pub(super) fn states() -> impl Strategy<Value = KernelState> {
    let protocols = [
        RouteProtocol::Kernel,
        RouteProtocol::Dhcp,
        RouteProtocol::Static,
    ];
    let route = (
        select(NETS.to_vec()),
        select(protocols.to_vec()),
        select(vec![TUN, LAN]),
        select(vec![TableId::MAIN, TableId::MAIN, TableId(100)]),
        select(vec![None, Some(50), Some(2000)]),
    );
    let rule = (9995u32..10005, select(Family::BOTH.to_vec()));
    let parts = (
        subsequence(underlay(), 0..=underlay().len()),
        prop::collection::vec(route, 0..3),
        prop::collection::vec(rule, 0..2),
        any::<bool>(),
    );
    parts.prop_map(|(underlay, routes, rules, up)| {
        let mut state = KernelState {
            links: vec![link(TUN, "fpsc0", up), link(LAN, "eth0", true)],
            routes: underlay,
            rules: kernel_rules(),
            ..KernelState::default()
        };
        for (to, protocol, number, table, metric) in routes {
            // Into the tunnel the kernel has only those that come with an address.
            let protocol = match number {
                TUN if protocol == RouteProtocol::Kernel => RouteProtocol::Static,
                _ => protocol,
            };
            let mut route = Route::new(to.parse().unwrap()).on_link(index(number));
            (route.protocol, route.table, route.metric) = (protocol, table, metric);
            if route.effective_metric() != 0 {
                route.metric = Some(route.effective_metric());
            }
            // A device that is down has no routes.
            let leads = up || number != TUN;
            if leads && !holds_key(&state, &route) {
                state.routes.push(route);
            }
        }
        for (priority, family) in rules {
            let action = RuleAction::Lookup(TableId(77));
            let rule = Rule::new(family, RulePriority(priority), action).marked(MARK);
            if !state.rules.contains(&rule) {
                state.rules.push(rule);
            }
        }
        state.rules.sort_by_key(|rule| rule.priority);
        sorted(state)
    })
}

fn full_tunnels(guards: f64) -> impl Strategy<Value = FullTunnel> {
    let selectors = vec![
        Selector::Marked(MARK),
        Selector::Unmarked(MARK),
        Selector::Unmarked(OTHER_MARK),
        Selector::From("10.66.0.0/30".parse().unwrap()),
    ];
    let bypasses = vec![
        "203.0.113.10/32,192.0.2.1,eth0".parse().unwrap(),
        "198.18.0.0/24,192.0.2.1,eth0".parse().unwrap(),
    ];
    let lan = vec![
        None,
        Some(KeepLan::default()),
        Some(KeepLan {
            routed: vec!["10.0.0.0/8".parse().unwrap()],
        }),
    ];
    let parts = (
        select(vec![100, 100, 200]),
        select(vec![10000, 10000, 10001, 20000]),
        select(selectors),
        subsequence(bypasses, 0..=2),
        select(lan),
        prop::bool::weighted(guards),
    );
    parts.prop_map(
        |(table, priority, selector, bypasses, lan, leak_guard)| FullTunnel {
            table: TableId(table),
            priority: RulePriority(priority),
            selectors: vec![selector],
            bypasses,
            lan,
            leak_guard,
        },
    )
}

pub(super) fn intents() -> impl Strategy<Value = Intent> {
    intents_of(prop::option::weighted(0.8, full_tunnels(0.4)))
}

/// Those with a guard against DNS leaks. Two of them have the same tables or wholly other ones: where
/// one uses a table of the other's for something else, what is bound to a link may leak for a moment.
pub(super) fn guarded_intents() -> impl Strategy<Value = Intent> {
    intents_of(full_tunnels(1.0).prop_map(Some))
}

fn intents_of(
    full_tunnels: impl Strategy<Value = Option<FullTunnel>>,
) -> impl Strategy<Value = Intent> {
    let parts = (
        subsequence(vec!["10.66.0.2/30", "fd66::2/64"], 0..=2),
        prop::option::of(Just("1280")),
        subsequence(NETS.to_vec(), 0..=NETS.len()),
        full_tunnels,
        subsequence(
            vec![
                "203.0.113.10:443",
                "203.0.113.10:853",
                "203.0.113.20",
                "2001:db8::10",
            ],
            0..=4,
        ),
        any::<bool>(),
    );
    parts.prop_filter_map(
        "valid",
        |(addresses, mtu, routes, full, endpoints, behind)| {
            let intent = Intent::new(
                "fpsc0".parse().unwrap(),
                addresses.iter().map(|text| text.parse().unwrap()).collect(),
                mtu.map(|text| text.parse().unwrap()),
                routes.iter().map(|text| text.parse().unwrap()).collect(),
            );
            let intent = match full {
                Some(full) => intent.ok()?.with_full_tunnel(full).ok()?,
                None => intent.ok()?,
            };
            let endpoints = endpoints.iter().map(|text| text.parse().unwrap());
            let intent = intent.with_endpoints(endpoints.collect()).ok()?;
            Some(if behind {
                intent.with_fallbacks()
            } else {
                intent
            })
        },
    )
}
