//! From the routes of a plan to the changes that they need.

use fps_netlink::{Address, ProtocolName, Route};
use ipnet::IpNet;
use rustc_hash::FxHashMap;

use super::{Change, Reason, Step};
use crate::state::{RouteIndex, RouteKey, same_route};
use crate::{Error, Intent, KernelState, Operation, Plan, PlannedRoute};

/// What the plan's routes need, and those that are there and are wanted by nobody: routes of ours,
/// whose `is_own` says so.
pub(super) struct RouteSteps<'a> {
    /// For the plan.
    pub(super) steps: Vec<Step>,
    /// What is left from before.
    pub(super) leftovers: Vec<&'a Route>,
    /// Routes of others where the plan's would be, and interfaces that are missing.
    pub(super) in_the_way: Vec<Error>,
}

pub(super) fn routes<'a>(
    plan: &Plan,
    state: &'a KernelState,
    is_own: impl Fn(&Route) -> bool,
) -> RouteSteps<'a> {
    let there = RouteIndex::new(state.routes.iter().map(RouteKey::of));
    let mut in_the_way = Vec::new();
    let behind = behind(plan, state, &mut in_the_way);
    let mut wanted = vec![false; state.routes.len()];
    let mut steps = Vec::with_capacity(plan.operations().len());
    for (at, operation) in plan.wanted() {
        let Operation::ReplaceRoute(planned) = operation else {
            continue;
        };
        let Some(route) = for_kernel(planned, state, &mut in_the_way) else {
            continue;
        };
        let (key, reason) = (RouteKey::of(&route), Reason::Planned(at));
        let stands = there.first(key).is_some();
        if comes_with_an_address(plan.intent(), state, &route, stands) {
            continue;
        }
        let more = behind.get(&key).map_or(&[][..], Vec::as_slice);
        if more.is_empty() && there.first(key).is_none() {
            steps.push(Change::AddRoute(route).because(reason));
            continue;
        }
        let places: Vec<_> = there.places(key).collect();
        places.iter().for_each(|&at| wanted[at] = true);
        let there: Vec<_> = places.iter().map(|&at| &state.routes[at]).collect();
        if let Some(theirs) = there.iter().find(|route| !is_own(route)) {
            in_the_way.push(Error::Foreign {
                command: operation.to_string(),
                theirs: format!("route `{}`", state.describe(theirs)),
                protocol: ProtocolName(theirs.protocol).to_string(),
            });
            continue;
        }
        let group: Vec<_> = [(route, reason)]
            .into_iter()
            .chain(more.iter().cloned())
            .collect();
        change_group(&group, &there, &mut steps);
    }
    let unwanted = |(at, route): &(usize, &Route)| !wanted[*at] && is_own(route);
    let leftovers = state.routes.iter().enumerate().filter(unwanted);
    let leftovers = leftovers.map(|(_, route)| route).collect();
    RouteSteps {
        steps,
        leftovers,
        in_the_way,
    }
}

/// The routes that are wanted behind others with the same prefix and metric: a plan appends them, and
/// has no other twice.
fn behind(
    plan: &Plan,
    state: &KernelState,
    in_the_way: &mut Vec<Error>,
) -> FxHashMap<RouteKey, Vec<(Route, Reason)>> {
    let mut behind: FxHashMap<_, Vec<_>> = FxHashMap::default();
    for (at, operation) in plan.wanted() {
        if let Operation::AppendRoute(planned) = operation
            && let Some(route) = for_kernel(planned, state, in_the_way)
        {
            let same_key = behind.entry(RouteKey::of(&route)).or_default();
            same_key.push((route, Reason::Planned(at)));
        }
    }
    behind
}

fn for_kernel(
    planned: &PlannedRoute,
    state: &KernelState,
    in_the_way: &mut Vec<Error>,
) -> Option<Route> {
    match planned.for_kernel(&state.links) {
        Ok(route) => Some(route),
        Err(device) => {
            in_the_way.push(Error::NoBypassDevice(device));
            None
        }
    }
}

/// Whether the kernel makes a route by itself with an address, to the same device and with metric 0
/// (`fib_add_ifaddr` in net/ipv4/fib_frontend.c); that of an IPv6 address has another metric.
pub(super) fn is_connected(address: IpNet) -> bool {
    matches!(address, IpNet::V4(v4) if v4.prefix_len() < 32 && v4.network().octets()[0] != 0)
}

/// Whether a route comes with an address that is about to be given, or has come with one that is
/// there.
fn comes_with_an_address(intent: &Intent, state: &KernelState, route: &Route, there: bool) -> bool {
    let Some(link) = route.link.filter(|_| route.gateway.is_none()) else {
        return false;
    };
    RouteKey::of(route) == RouteKey::of(&Route::new(route.to))
        && intent.addresses().iter().any(|address| {
            let held = state.holds_address(&Address::new(link, address.net()));
            is_connected(address.net())
                && address.net().trunc() == route.to
                // Whoever gave the address may have forbidden the route (`noprefixroute`).
                && (there || !held)
        })
}

/// Makes the routes with one prefix and metric be those that are wanted, in their order: of two the
/// kernel takes the first. The first is replaced in place, so that there is one at any time.
fn change_group(wanted: &[(Route, Reason)], there: &[&Route], steps: &mut Vec<Step>) {
    let same = |at: usize| {
        let pair = wanted.get(at).zip(there.get(at));
        pair.is_some_and(|(wanted, there)| same_route(&wanted.0, there))
    };
    // Behind the first that differs all go and come anew.
    let stand = (1..).find(|&at| !same(at)).unwrap_or(1);
    let (new, first) = wanted[0].clone();
    for &surplus in there.iter().skip(stand) {
        steps.push(Change::DeleteRoute(surplus.clone()).because(first));
    }
    match there.first() {
        None => steps.push(Change::AddRoute(new).because(first)),
        Some(_) if same(0) => {}
        Some(&old) => {
            let routes = Box::new((old.clone(), new));
            steps.push(Change::ReplaceRoute(routes).because(first));
        }
    }
    for (more, reason) in wanted.iter().skip(stand) {
        steps.push(Change::AppendRoute(more.clone()).because(*reason));
    }
}
