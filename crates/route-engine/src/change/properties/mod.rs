//! Properties of the pure core, on a model of the kernel.

mod draw;
mod model;

use std::net::IpAddr;

use fps_netlink::{
    Address, FPS_ROUTE_PROTOCOL, Family, Flow, Fwmark, IpProtocol, Route, RouteProtocol, Rule,
    RuleAction, RulePriority, TableId,
};
use proptest::prelude::*;

use self::draw::{MARK, OTHER_MARK, guarded_intents, intents, states};
use self::model::{LAN, TUN, change, index, link, sorted};
use crate::{
    Action, Change, Claim, Dns, Error, Intent, KernelState, Needed, Ownership, Plan, Step, needed,
};

fn plan(action: Action, intent: &Intent, state: &KernelState) -> Plan {
    Plan::new(action, intent.clone(), state.underlay())
}

/// What is recorded of the intents that were applied before.
fn recorded(intents: &[&Intent]) -> Ownership {
    let Some(first) = intents.first() else {
        return Ownership::default();
    };
    let addresses = intents.iter().flat_map(|intent| intent.addresses());
    Ownership {
        resolvers: Vec::new(),
        own: Some(Claim::of(first.tun(), intents.iter().copied())),
        addresses: addresses.copied().collect(),
        dns: Dns::default(),
        others: Vec::new(),
        unknown: false,
    }
}

/// What of an action is needed, after those intents.
fn steps(
    action: Action,
    intent: &Intent,
    state: &KernelState,
    before: &[&Intent],
) -> Result<Vec<Step>, Error> {
    let Needed { steps, .. } = needed(&plan(action, intent, state), state, &recorded(before))?;
    Ok(steps)
}

fn run(
    action: Action,
    intent: &Intent,
    state: &KernelState,
    before: &[&Intent],
) -> Result<KernelState, Error> {
    let mut after = state.clone();
    for step in steps(action, intent, state, before)? {
        change(&mut after, &step.change);
    }
    Ok(after)
}

/// Whether it was refused because of what somebody else has.
fn is_in_the_way(error: &Error) -> bool {
    matches!(
        error,
        Error::Foreign { .. } | Error::Taken { .. } | Error::Captured { .. }
    )
}

/// Packets of the carrier, for the LAN, and for what is beyond.
fn flows() -> Vec<Flow> {
    let to = [
        "203.0.113.10",
        "203.0.113.20",
        "198.18.0.9",
        "192.0.2.9",
        "10.9.0.9",
        "198.51.100.9",
        "10.66.1.9",
        "9.9.9.9",
        "224.0.0.251",
        "2001:db8::10",
        "fd00:2::9",
        "fd66:1::9",
        "2001:db8:9::9",
    ];
    let ip = |text: &str| text.parse::<IpAddr>().unwrap();
    let marks = [Fwmark(0), MARK, OTHER_MARK];
    let of_to = |to: &&str| marks.map(|mark| Flow::to(ip(to)).marked(mark));
    let unbound = to.iter().flat_map(of_to);
    let from_tunnel = to[..9].iter();
    let from_tunnel = from_tunnel.map(|to| Flow::to(ip(to)).sent_from(ip("10.66.0.2")));
    let queries = queries().into_iter().map(|(flow, _)| flow);
    unbound.chain(from_tunnel).chain(queries).collect()
}

/// Queries of DNS, and whether they are ones that a guard is for: those without the carrier's mark.
fn queries() -> Vec<(Flow, bool)> {
    let ip = |text: &str| text.parse::<IpAddr>().unwrap();
    let to = [
        "192.0.2.9",
        "203.0.113.10",
        "9.9.9.9",
        "fd00:2::9",
        "2001:db8:9::9",
    ];
    let ports = [
        (IpProtocol::Udp, 53),
        (IpProtocol::Tcp, 53),
        (IpProtocol::Tcp, 853),
    ];
    let all = to.iter().flat_map(|to| ports.map(|port| (ip(to), port)));
    let each = all.flat_map(|(to, (protocol, port))| {
        let flow = Flow::to(to).to_port(protocol, port);
        let bound = flow.bound_to(index(LAN));
        [(flow, true), (bound, true), (flow.marked(MARK), false)]
    });
    each.collect()
}

/// Panics where a query leaves by the underlay at any moment from when a guard stands to its end.
fn assert_no_leak(steps: &[Step], before: &KernelState, intents: [&Intent; 2]) {
    let carrier = |flow: &Flow| {
        intents
            .iter()
            .any(|intent| is_for_an_endpoint(intent, flow))
    };
    let lines: Vec<_> = steps.iter().map(|step| brief(&step.change)).collect();
    let mut state = before.clone();
    for at in 0..=steps.len() {
        for (flow, _) in queries()
            .iter()
            .filter(|(flow, asks)| *asks && !carrier(flow))
        {
            let link = state.fib().lookup(flow).link();
            assert_ne!(
                link,
                Some(index(LAN)),
                "{flow} after {at}:\n{}",
                lines.join("\n")
            );
        }
        if let Some(step) = steps.get(at) {
            change(&mut state, &step.change);
        }
    }
}

fn is_for_an_endpoint(intent: &Intent, flow: &Flow) -> bool {
    let mut endpoints = intent.endpoints().iter();
    endpoints.any(|it| it.address == flow.to && it.port == flow.port.map(|(_, port)| port))
}

/// Whether a guard against DNS leaks lets a packet pass by as the carrier's.
fn jumps_over_the_guard(intent: &Intent, flow: &Flow) -> bool {
    let full = intent.full_tunnel().filter(|full| full.leak_guard);
    full.is_some_and(|full| {
        let marked = flow.mark != Fwmark(0) && flow.mark == full.carrier_mark();
        marked || is_for_an_endpoint(intent, flow)
    })
}

/// How each leaves: by the TUN device, or by another; none where it is refused.
fn ways(state: &KernelState) -> Vec<Option<bool>> {
    let flows = flows().into_iter();
    let way = |flow| {
        state
            .fib()
            .lookup(&flow)
            .link()
            .map(|link| link == index(TUN))
    };
    flows.map(way).collect()
}

/// At each moment of an action, how each packet leaves.
fn moments(steps: &[Step], before: &KernelState) -> Vec<Vec<Option<bool>>> {
    let mut state = before.clone();
    let mut moments = vec![ways(&state)];
    for step in steps {
        change(&mut state, &step.change);
        moments.push(ways(&state));
    }
    moments
}

/// A change in few words.
fn brief(change: &Change) -> String {
    match change {
        Change::AddRoute(route) => format!("add {route}"),
        Change::AppendRoute(route) => format!("append {route}"),
        Change::KeepRoute(route) => format!("keep {route}"),
        Change::ReplaceRoute(routes) => format!("replace {} by {}", routes.0, routes.1),
        Change::DeleteRoute(route) => format!("delete {route}"),
        Change::AddRule(rule) => format!("add {rule}"),
        Change::DeleteRule(rule) => format!("delete {rule}"),
        Change::AddAddress(address) => format!("add {}", address.net),
        Change::KeepAddress(address) => format!("keep {}", address.net),
        Change::DeleteAddress(address) => format!("delete {}", address.net),
        other => format!("{other:?}"),
    }
}

/// Panics where a packet goes one way, then another, and then the first again: what stays out would
/// have been in the tunnel in between, or what is in it out.
fn assert_no_detour(steps: &[Step], before: &KernelState) {
    assert_no_detour_but(steps, before, |_| false);
}

/// What may take a detour where this intent comes after another one, on a host with `foreign` of others:
///
/// What has a bypass that comes new to a table in use. It comes before the guard, and may so be out a
/// moment early, where the rules of before choose other packets.
///
/// The carrier where a route of somebody else in main leads it into the tunnel: it is in a loop but
/// where a table before main keeps it out. The jump over the guard comes first of all, and may lead it
/// to such a table of before, or past it.
fn may_take_a_detour(intent: &Intent, foreign: &KernelState) -> impl Fn(&Flow) -> bool {
    |flow| {
        let full = intent.full_tunnel();
        let mut bypasses = full.iter().flat_map(|full| &full.bypasses);
        let into = foreign.fib().lookup(flow).link() == Some(index(TUN));
        bypasses.any(|bypass| bypass.to.net().contains(&flow.to))
            || into && jumps_over_the_guard(intent, flow)
    }
}

fn assert_no_detour_but(steps: &[Step], before: &KernelState, excused: impl Fn(&Flow) -> bool) {
    let moments = moments(steps, before);
    for (at, flow) in flows().iter().enumerate() {
        if excused(flow) {
            continue;
        }
        let ways: Vec<_> = moments.iter().map(|moment| moment[at]).collect();
        let left: Vec<_> = ways.iter().flatten().collect();
        let turns = left.windows(2).filter(|pair| pair[0] != pair[1]).count();
        let lines: Vec<_> = steps.iter().map(|step| brief(&step.change)).collect();
        assert!(turns <= 1, "{flow}: {ways:?}:\n{}", lines.join("\n"));
    }
}

proptest! {
    #[test]
    fn apply_twice_is_apply_once(intent in intents(), before in states()) {
        match run(Action::Apply, &intent, &before, &[]) {
            Ok(once) => {
                prop_assert_eq!(steps(Action::Apply, &intent, &once, &[&intent]).unwrap(), vec![]);
                // Without the record, too.
                prop_assert_eq!(steps(Action::Apply, &intent, &once, &[]).unwrap(), vec![]);
            }
            Err(error) => prop_assert!(is_in_the_way(&error), "{}", error),
        }
    }

    #[test]
    fn cleanup_takes_back_what_apply_set(
        intent in intents(),
        before in states(),
        forgotten in any::<bool>(),
    ) {
        let Ok(applied) = run(Action::Apply, &intent, &before, &[]) else { return Ok(()) };
        let cleanup = Action::Cleanup { down: !before.links[0].up };
        let record = [&intent];
        let record = if forgotten { &[][..] } else { &record };
        let mut after = run(cleanup, &intent, &applied, record).unwrap();
        // An MTU has no opposite.
        after.links[0].mtu = before.links[0].mtu;
        prop_assert_eq!(sorted(after), before);
    }

    #[test]
    fn every_step_can_be_undone(intent in intents(), before in states()) {
        let Ok(steps) = steps(Action::Apply, &intent, &before, &[]) else { return Ok(()) };
        let mut state = before.clone();
        for step in &steps {
            change(&mut state, &step.change);
        }
        for step in steps.iter().rev() {
            if let Some(opposite) = step.change.opposite() {
                change(&mut state, &opposite);
            }
        }
        for lost in before.lost(&state, index(TUN)) {
            change(&mut state, &lost);
        }
        prop_assert_eq!(sorted(state), before);
    }

    #[test]
    fn what_is_foreign_is_never_touched(
        first in intents(),
        second in intents(),
        before in states(),
    ) {
        let foreign = |state: &KernelState| {
            let mut state = sorted(state.clone());
            state.routes.retain(|route| route.protocol != FPS_ROUTE_PROTOCOL);
            state.routes.retain(|route| !comes_with_an_address(route));
            state.rules.retain(|rule| rule.protocol != FPS_ROUTE_PROTOCOL);
            (state.routes, state.rules)
        };
        let mut state = before.clone();
        let mut applied = Vec::new();
        for intent in [&first, &second] {
            if let Ok(after) = run(Action::Apply, intent, &state, &applied) {
                state = after;
                applied = vec![intent];
            }
        }
        prop_assert_eq!(foreign(&state), foreign(&before));
        state = run(Action::Cleanup { down: false }, &first, &state, &applied).unwrap();
        prop_assert_eq!(sorted(foreign_only(state)), sorted(foreign_only(before)));
    }

    #[test]
    fn another_intent_takes_the_place_of_the_first(
        first in intents(),
        second in intents(),
        before in states(),
    ) {
        let Ok(state) = run(Action::Apply, &first, &before, &[]) else { return Ok(()) };
        let Ok(after) = run(Action::Apply, &second, &state, &[&first]) else { return Ok(()) };
        prop_assert_eq!(steps(Action::Apply, &second, &after, &[&second]).unwrap(), vec![]);
        let Ok(mut directly) = run(Action::Apply, &second, &before, &[]) else { return Ok(()) };
        // An MTU has no opposite, and neither has a device that is up.
        directly.links.clone_from(&after.links);
        prop_assert_eq!(sorted(after), sorted(directly));
    }

    #[test]
    fn no_packet_takes_a_detour_while_applying(
        first in intents(),
        second in intents(),
        before in states(),
    ) {
        let Ok(steps_to_first) = steps(Action::Apply, &first, &before, &[]) else { return Ok(()) };
        assert_no_detour(&steps_to_first, &before);
        let applied = run(Action::Apply, &first, &before, &[]).unwrap();
        if let Ok(steps) = steps(Action::Apply, &second, &applied, &[&first]) {
            assert_no_detour_but(&steps, &applied, may_take_a_detour(&second, &before));
        }
    }

    #[test]
    fn no_query_leaks_while_a_guard_stands(
        first in guarded_intents(),
        second in guarded_intents(),
        before in states(),
    ) {
        let Ok(mut state) = run(Action::Apply, &first, &before, &[]) else { return Ok(()) };
        assert_no_leak(&[], &state, [&first, &second]);
        if let Ok(steps) = steps(Action::Apply, &second, &state, &[&first]) {
            assert_no_leak(&steps, &state, [&first, &second]);
        }
        // Without the device, too, with which its routes go.
        state.routes.retain(|route| route.link != Some(index(TUN)));
        state.links.retain(|link| link.index != index(TUN));
        assert_no_leak(&[], &state, [&first, &second]);
    }

    #[test]
    fn no_packet_takes_a_detour_while_cleaning_up(intent in intents(), before in states()) {
        let Ok(applied) = run(Action::Apply, &intent, &before, &[]) else { return Ok(()) };
        let cleanup = Action::Cleanup { down: false };
        let steps = steps(cleanup, &intent, &applied, &[&intent]).unwrap();
        assert_no_detour(&steps, &applied);
    }

    #[test]
    fn what_stays_out_is_out(intent in intents(), before in states()) {
        let Ok(applied) = run(Action::Apply, &intent, &before, &[]) else { return Ok(()) };
        let Some(full) = intent.full_tunnel() else { return Ok(()) };
        let into = |flow: &Flow| applied.fib().lookup(flow).link() == Some(index(TUN));
        // Main may lead there by itself.
        let by_main = |flow: &Flow| before.fib().lookup(flow).link() == Some(index(TUN));
        for endpoint in intent.endpoints() {
            for mark in [Fwmark(0), MARK, OTHER_MARK] {
                let flow = Flow::to(endpoint.address).marked(mark);
                prop_assert!(!into(&flow) || by_main(&flow), "{}", flow);
            }
        }
        if full.lan.is_none() {
            return Ok(());
        }
        for route in before.underlay().lan(&intent) {
            let routes = intent.routes().iter().map(|user| user.net());
            // What comes with an address is the user's, too.
            let subnets = intent.addresses().iter().map(|address| address.net());
            let user = routes.chain(subnets).any(|net| net.contains(&route.to));
            let flow = Flow::to(route.to.hosts().last().unwrap());
            prop_assert!(user || !into(&flow) || by_main(&flow), "{}", flow);
        }
    }
}

/// Whether the kernel made it for an address of the device.
fn comes_with_an_address(route: &Route) -> bool {
    route.protocol == RouteProtocol::Kernel && route.link == Some(index(TUN))
}

fn foreign_only(mut state: KernelState) -> KernelState {
    state.routes.retain(|route| !comes_with_an_address(route));
    state.links.clear();
    state.addresses.clear();
    state
}

/// A host with a default route by its LAN, and a full tunnel of it.
fn bare(leak_guard: bool) -> (KernelState, Intent) {
    let to_main = RuleAction::Lookup(TableId::MAIN);
    let main = RulePriority(32766);
    let default = Route::new("0.0.0.0/0".parse().unwrap());
    let before = KernelState {
        links: vec![link(TUN, "fpsc0", true), link(LAN, "eth0", true)],
        routes: vec![default.on_link(index(LAN))],
        rules: vec![Rule::new(Family::V4, main, to_main)],
        ..KernelState::default()
    };
    let intent = Intent::new("fpsc0".parse().unwrap(), vec![], None, vec![]).unwrap();
    let intent = intent
        .with_full_tunnel(crate::FullTunnel {
            table: TableId(100),
            priority: RulePriority(10000),
            selectors: vec![crate::Selector::Unmarked(MARK)],
            bypasses: vec!["203.0.113.10/32,192.0.2.1,eth0".parse().unwrap()],
            lan: None,
            leak_guard,
        })
        .unwrap();
    (before, intent)
}

#[test]
fn the_search_for_detours_sees_one() {
    let (before, intent) = bare(false);
    let mut steps = steps(Action::Apply, &intent, &before, &[]).unwrap();
    assert_no_detour(&steps, &before);
    // The bypass comes last: until then what it keeps out is in the tunnel.
    let bypass = steps.iter().position(
        |step| matches!(&step.change, Change::AddRoute(route) if route.gateway.is_some()),
    );
    let bypass = steps.remove(bypass.unwrap());
    steps.push(bypass);
    let seen = std::panic::catch_unwind(|| assert_no_detour(&steps, &before));
    assert!(seen.is_err());
}

#[test]
fn the_search_for_leaks_sees_one() {
    let (before, intent) = bare(true);
    let applied = run(Action::Apply, &intent, &before, &[]).unwrap();
    assert_no_leak(&[], &applied, [&intent, &intent]);
    for part in [
        |rule: &Rule| rule.output.is_some(),
        |rule: &Rule| rule.action == RuleAction::Unreachable,
    ] {
        let mut leaks = applied.clone();
        leaks.rules.retain(|rule| !part(rule));
        leaks.routes.retain(|route| route.link != Some(index(TUN)));
        let seen = std::panic::catch_unwind(|| assert_no_leak(&[], &leaks, [&intent, &intent]));
        assert!(seen.is_err());
    }
}

#[test]
fn addresses_of_others_stay() {
    let theirs = Address::new(index(LAN), "10.66.0.2/30".parse().unwrap());
    let mut state = KernelState {
        links: vec![link(TUN, "fpsc0", true), link(LAN, "eth0", true)],
        ..KernelState::default()
    };
    state.addresses.push(theirs.clone());
    let address = vec!["10.66.0.2/30".parse().unwrap()];
    let intent = Intent::new("fpsc0".parse().unwrap(), address, None, vec![]).unwrap();
    let cleanup = Action::Cleanup { down: false };
    let after = run(cleanup, &intent, &state, &[]).unwrap();
    assert_eq!(after.addresses, [theirs]);
}
