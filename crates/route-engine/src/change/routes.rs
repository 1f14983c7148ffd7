//! From the routes of a plan to the changes that they need.

use std::collections::HashMap;

use fps_netlink::{FPS_ROUTE_PROTOCOL, Route};
use ipnet::IpNet;

use super::{Change, Step};
use crate::state::{RouteKey, same_route};
use crate::{Error, Intent, KernelState, Operation, Plan};

/// A route of the plan, as the kernel takes it.
struct Wanted<'a> {
    operation: &'a Operation,
    route: Route,
}

/// What the plan's routes need, and those that are there and are wanted by nobody: routes of ours,
/// whose `is_own` says so.
pub(super) struct RouteSteps {
    /// For the plan.
    pub(super) steps: Vec<Step>,
    /// What is left from before.
    pub(super) leftovers: Vec<Route>,
}

pub(super) fn routes(
    plan: &Plan,
    state: &KernelState,
    is_own: impl Fn(&Route) -> bool,
) -> Result<RouteSteps, Error> {
    let wanted = wanted(plan, state)?;
    // Most keys have one route: their places among the wanted ones, by the first.
    let mut firsts: HashMap<RouteKey, usize> = HashMap::with_capacity(wanted.len());
    let mut more: HashMap<RouteKey, Vec<usize>> = HashMap::new();
    for (at, one) in wanted.iter().enumerate() {
        let key = RouteKey::of(&one.route);
        if *firsts.entry(key).or_insert(at) != at {
            more.entry(key).or_default().push(at);
        }
    }
    let mut there: HashMap<RouteKey, Vec<&Route>> = HashMap::new();
    let mut leftovers = Vec::new();
    for route in &state.routes {
        let key = RouteKey::of(route);
        if firsts.contains_key(&key) {
            there.entry(key).or_default().push(route);
        } else if is_own(route) {
            leftovers.push(route.clone());
        }
    }
    let mut steps = Vec::new();
    for (at, one) in wanted.iter().enumerate() {
        let key = RouteKey::of(&one.route);
        if firsts[&key] != at {
            continue;
        }
        let others = more.get(&key).into_iter().flatten();
        let group: Vec<_> = [at].iter().chain(others).map(|&at| &wanted[at]).collect();
        let there = there.get(&key).map_or(&[][..], Vec::as_slice);
        if let Some(theirs) = there.iter().find(|r| r.protocol != FPS_ROUTE_PROTOCOL) {
            return Err(Error::Foreign {
                command: one.operation.to_string(),
                theirs: format!("route `{}`", state.describe(theirs)),
                protocol: theirs.protocol.to_string(),
            });
        }
        change_group(&group, there, &mut steps);
    }
    Ok(RouteSteps { steps, leftovers })
}

fn wanted<'a>(plan: &'a Plan, state: &KernelState) -> Result<Vec<Wanted<'a>>, Error> {
    let mut wanted = Vec::new();
    for operation in plan.operations() {
        let (Operation::ReplaceRoute(planned) | Operation::AppendRoute(planned)) = operation else {
            continue;
        };
        let route = planned
            .for_kernel(&state.links)
            .map_err(Error::NoBypassDevice)?;
        if !comes_with_an_address(plan.intent(), &route) {
            wanted.push(Wanted { operation, route });
        }
    }
    Ok(wanted)
}

/// Whether the kernel makes the route by itself with an IPv4 address of the intent, to the same
/// device and with the same metric (`fib_add_ifaddr` in net/ipv4/fib_frontend.c); that of an IPv6
/// address has another metric.
fn comes_with_an_address(intent: &Intent, route: &Route) -> bool {
    let connected = |net: IpNet| matches!(net, IpNet::V4(v4) if v4.prefix_len() < 32 && v4.network().octets()[0] != 0);
    route.gateway.is_none()
        && RouteKey::of(route) == RouteKey::of(&Route::new(route.to))
        && intent
            .addresses()
            .iter()
            .any(|address| connected(address.net()) && address.net().trunc() == route.to)
}

/// Makes the routes with one prefix and metric be those that are wanted, in their order: of two the
/// kernel takes the first. The first is replaced in place, so that there is one at any time.
fn change_group(wanted: &[&Wanted<'_>], there: &[&Route], steps: &mut Vec<Step>) {
    let same = |at: usize| {
        let pair = wanted.get(at).zip(there.get(at));
        pair.is_some_and(|(wanted, there)| same_route(&wanted.route, there))
    };
    // Behind the first that differs all go and come anew.
    let stand = (1..).find(|&at| !same(at)).unwrap_or(1);
    let first = wanted[0].operation;
    for surplus in there.iter().skip(stand) {
        steps.push(Change::DeleteRoute((*surplus).clone()).of(first.clone()));
    }
    let new = wanted[0].route.clone();
    match there.first() {
        None => steps.push(Change::AddRoute(new).of(first.clone())),
        Some(_) if same(0) => {}
        Some(&old) => {
            let old = old.clone();
            steps.push(Change::ReplaceRoute { old, new }.of(first.clone()));
        }
    }
    for more in wanted.iter().skip(stand) {
        steps.push(Change::AppendRoute(more.route.clone()).of(more.operation.clone()));
    }
}
