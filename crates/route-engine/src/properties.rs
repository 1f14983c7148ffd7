//! Properties of the pure core, on a model of the kernel.

use fps_netlink::{
    Address, FPS_ROUTE_PROTOCOL, Family, IfIndex, Link, Route, RouteProtocol, Rule, RuleAction,
    RulePriority, TableId,
};
use proptest::prelude::*;
use proptest::sample::subsequence;

use crate::state::RouteKey;
use crate::{Action, Change, Error, FullTunnel, Intent, KernelState, Plan, Selector, needed};

const TUN: u32 = 7;
const LAN: u32 = 8;
const NETS: [&str; 6] = [
    "0.0.0.0/0",
    "10.66.0.0/30",
    "10.66.1.0/24",
    "203.0.113.10/32",
    "::/0",
    "fd66:1::/48",
];

/// Does a change as the kernel does, which refuses what is there or is not there.
fn change(state: &mut KernelState, change: &Change) {
    match change {
        Change::AddAddress(address) => {
            assert!(!state.holds_address(address), "EEXIST: {address:?}");
            state.addresses.push(address.clone());
        }
        Change::DeleteAddress(address) => remove(&mut state.addresses, address),
        Change::SetMtu { link, from, to } => {
            let link = device(state, *link);
            assert_eq!(link.mtu, *from);
            link.mtu = *to;
        }
        Change::SetUp(link) => device(state, *link).up = true,
        Change::SetDown(link) => device(state, *link).up = false,
        Change::AddRoute(route) => {
            let taken = state.by_key().contains_key(&RouteKey::of(route));
            assert!(!taken, "EEXIST: {route}");
            state.routes.push(route.clone());
        }
        Change::ReplaceRoute { old, new } => {
            assert_eq!(RouteKey::of(old), RouteKey::of(new));
            remove(&mut state.routes, old);
            state.routes.push(new.clone());
        }
        Change::DeleteRoute(route) => remove(&mut state.routes, route),
        Change::AddRule(rule) => {
            assert!(!state.rules.contains(rule), "EEXIST: {rule}");
            state.rules.push(*rule);
        }
        Change::DeleteRule(rule) => remove(&mut state.rules, rule),
        Change::Resolvectl { .. } => {}
    }
}

fn remove<T: PartialEq + std::fmt::Debug>(all: &mut Vec<T>, one: &T) {
    let place = all.iter().position(|other| other == one);
    all.remove(place.unwrap_or_else(|| panic!("ESRCH: {one:?}")));
}

fn device(state: &mut KernelState, index: IfIndex) -> &mut Link {
    let mut links = state.links.iter_mut();
    links.find(|link| link.index == index).expect("a device")
}

/// The same in one order.
fn sorted(mut state: KernelState) -> KernelState {
    state.addresses.sort_by_key(|it| format!("{it:?}"));
    state.routes.sort_by_key(|it| format!("{it:?}"));
    state.rules.sort_by_key(|it| format!("{it:?}"));
    state
}

fn run(plan: &Plan, state: &KernelState) -> Result<KernelState, Error> {
    let mut after = state.clone();
    for step in needed(plan, state)? {
        change(&mut after, &step.change);
    }
    Ok(sorted(after))
}

fn link(index: u32, name: &str, up: bool) -> Link {
    Link {
        index: IfIndex::new(index).unwrap(),
        name: name.parse().unwrap(),
        up,
        carrier: up,
        operational: up,
        mtu: 1500,
        master: None,
    }
}

/// Routes and rules of other programs, some of which may be in the way.
fn states() -> impl Strategy<Value = KernelState> {
    let protocols = [
        RouteProtocol::Kernel,
        RouteProtocol::Dhcp,
        RouteProtocol::Static,
    ];
    let route = (
        prop::sample::select(NETS.to_vec()),
        prop::sample::select(protocols.to_vec()),
        prop::sample::select(vec![TUN, LAN]),
        prop::sample::select(vec![TableId::MAIN, TableId(100)]),
        prop::sample::select(vec![None, Some(50), Some(1024)]),
    );
    let rule = (9998u32..10002, prop::sample::select(Family::BOTH.to_vec()));
    let parts = (
        prop::collection::vec(route, 0..3),
        prop::collection::vec(rule, 0..3),
        any::<bool>(),
    );
    parts.prop_map(|(routes, rules, up)| {
        let mut state = KernelState {
            links: vec![link(TUN, "fpsc0", up), link(LAN, "eth0", true)],
            ..KernelState::default()
        };
        for (to, protocol, index, table, metric) in routes {
            let mut route = Route::new(to.parse().unwrap()).on_link(IfIndex::new(index).unwrap());
            (route.protocol, route.table, route.metric) = (protocol, table, metric);
            if !state.by_key().contains_key(&RouteKey::of(&route)) {
                state.routes.push(route);
            }
        }
        for (priority, family) in rules {
            let action = RuleAction::Lookup(TableId(100));
            let rule =
                Rule::new(family, RulePriority(priority), action).marked(fps_netlink::Fwmark(17));
            if !state.rules.contains(&rule) {
                state.rules.push(rule);
            }
        }
        sorted(state)
    })
}

fn intents() -> impl Strategy<Value = Intent> {
    let mark = "17".parse().unwrap();
    let selectors = vec![
        None,
        Some(Selector::Marked(mark)),
        Some(Selector::Unmarked(mark)),
        Some(Selector::From("10.66.0.0/30".parse().unwrap())),
    ];
    let parts = (
        subsequence(vec!["10.66.0.2/30", "fd66::2/64"], 0..=2),
        prop::option::of(Just("1280")),
        subsequence(NETS.to_vec(), 0..=NETS.len()),
        prop::sample::select(selectors),
        subsequence(
            vec![
                "203.0.113.10/32,192.0.2.1,eth0",
                "198.51.100.0/24,192.0.2.1,eth0",
            ],
            0..=2,
        ),
    );
    parts.prop_map(|(addresses, mtu, routes, selector, bypasses)| {
        let intent = Intent::new(
            "fpsc0".parse().unwrap(),
            addresses.iter().map(|text| text.parse().unwrap()).collect(),
            mtu.map(|text| text.parse().unwrap()),
            routes.iter().map(|text| text.parse().unwrap()).collect(),
        )
        .unwrap();
        let Some(selector) = selector else {
            return intent;
        };
        let full = FullTunnel {
            table: TableId(100),
            priority: RulePriority(10000),
            selectors: vec![selector],
            bypasses: bypasses.iter().map(|text| text.parse().unwrap()).collect(),
        };
        intent.with_full_tunnel(full).unwrap()
    })
}

proptest! {
    #[test]
    fn apply_twice_is_apply_once(intent in intents(), before in states()) {
        let plan = Plan::new(Action::Apply, intent);
        match run(&plan, &before) {
            Ok(once) => prop_assert_eq!(needed(&plan, &once).unwrap(), vec![]),
            Err(error) => prop_assert!(matches!(error, Error::Foreign { .. }), "{}", error),
        }
    }

    #[test]
    fn cleanup_takes_back_what_apply_set(intent in intents(), before in states()) {
        let Ok(applied) = run(&Plan::new(Action::Apply, intent.clone()), &before) else {
            return Ok(());
        };
        let down = !before.links[0].up;
        let mut after = run(&Plan::new(Action::Cleanup { down }, intent), &applied).unwrap();
        // An MTU has no opposite.
        after.links[0].mtu = before.links[0].mtu;
        prop_assert_eq!(after, before);
    }

    #[test]
    fn every_step_can_be_undone(intent in intents(), before in states()) {
        let Ok(steps) = needed(&Plan::new(Action::Apply, intent), &before) else {
            return Ok(());
        };
        let mut state = before.clone();
        for step in &steps {
            change(&mut state, &step.change);
        }
        for step in steps.iter().rev() {
            change(&mut state, &step.change.opposite());
        }
        prop_assert_eq!(sorted(state), before);
    }

    #[test]
    fn what_is_foreign_is_never_touched(intent in intents(), before in states()) {
        for action in [Action::Apply, Action::Cleanup { down: false }] {
            let Ok(after) = run(&Plan::new(action, intent.clone()), &before) else {
                continue;
            };
            let foreign = |state: &KernelState| {
                let mut state = state.clone();
                state.routes.retain(|route| route.protocol != FPS_ROUTE_PROTOCOL);
                state.rules.retain(|rule| rule.protocol != FPS_ROUTE_PROTOCOL);
                (state.routes, state.rules)
            };
            prop_assert_eq!(foreign(&after), foreign(&before));
        }
    }

    #[test]
    fn another_intents_routes_give_way(first in intents(), second in intents(), before in states()) {
        let apply = |intent| Plan::new(Action::Apply, intent);
        let Ok(state) = run(&apply(first), &before) else { return Ok(()) };
        if let Ok(after) = run(&apply(second.clone()), &state) {
            prop_assert_eq!(needed(&apply(second), &after).unwrap(), vec![]);
        }
    }
}

#[test]
fn addresses_of_others_stay() {
    let theirs = Address::new(IfIndex::new(LAN).unwrap(), "10.66.0.2/30".parse().unwrap());
    let mut state = KernelState {
        links: vec![link(TUN, "fpsc0", true), link(LAN, "eth0", true)],
        ..KernelState::default()
    };
    state.addresses.push(theirs.clone());
    let address = vec!["10.66.0.2/30".parse().unwrap()];
    let intent = Intent::new("fpsc0".parse().unwrap(), address, None, vec![]).unwrap();
    let cleanup = Plan::new(Action::Cleanup { down: false }, intent);
    assert_eq!(run(&cleanup, &state).unwrap().addresses, [theirs]);
}
