//! From the routes of a plan to the changes that they need.

use fps_netlink::{FPS_ROUTE_PROTOCOL, Route};
use ipnet::IpNet;

use super::{Change, Reason, Step};
use crate::state::{RouteIndex, RouteKey, same_route};
use crate::{Error, Intent, KernelState, Operation, Plan};

/// A route of the plan, as the kernel takes it.
struct Wanted {
    reason: Reason,
    route: Route,
}

/// What the plan's routes need, and those that are there and are wanted by nobody: routes of ours,
/// whose `is_own` says so.
pub(super) struct RouteSteps<'a> {
    /// For the plan.
    pub(super) steps: Vec<Step>,
    /// What is left from before.
    pub(super) leftovers: Vec<&'a Route>,
}

pub(super) fn routes<'a>(
    plan: &Plan,
    state: &'a KernelState,
    is_own: impl Fn(&Route) -> bool,
) -> Result<RouteSteps<'a>, Error> {
    let wanted = wanted(plan, state)?;
    let index = RouteIndex::new(wanted.iter().map(|one| &one.route));
    let there = RouteIndex::new(state.routes.iter());
    let mut steps = Vec::new();
    for (at, one) in wanted.iter().enumerate() {
        let key = RouteKey::of(&one.route);
        if index.first(key) != Some(at) {
            continue;
        }
        let group: Vec<_> = index.places(key).map(|at| &wanted[at]).collect();
        let there: Vec<_> = there.places(key).map(|at| &state.routes[at]).collect();
        if let Some(theirs) = there.iter().find(|r| r.protocol != FPS_ROUTE_PROTOCOL) {
            return Err(Error::Foreign {
                command: one.reason.operation(plan, &[]).to_string(),
                theirs: format!("route `{}`", state.describe(theirs)),
                protocol: theirs.protocol.to_string(),
            });
        }
        change_group(&group, &there, &mut steps);
    }
    let unwanted = |route: &&Route| index.first(RouteKey::of(route)).is_none() && is_own(route);
    let leftovers = state.routes.iter().filter(unwanted).collect();
    Ok(RouteSteps { steps, leftovers })
}

fn wanted(plan: &Plan, state: &KernelState) -> Result<Vec<Wanted>, Error> {
    let mut wanted = Vec::with_capacity(plan.operations().len());
    for (at, operation) in plan.operations().iter().enumerate() {
        let (Operation::ReplaceRoute(planned) | Operation::AppendRoute(planned)) = operation else {
            continue;
        };
        let route = planned
            .for_kernel(&state.links)
            .map_err(Error::NoBypassDevice)?;
        if !comes_with_an_address(plan.intent(), &route) {
            let reason = Reason::Planned(at);
            wanted.push(Wanted { reason, route });
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
fn change_group(wanted: &[&Wanted], there: &[&Route], steps: &mut Vec<Step>) {
    let same = |at: usize| {
        let pair = wanted.get(at).zip(there.get(at));
        pair.is_some_and(|(wanted, there)| same_route(&wanted.route, there))
    };
    // Behind the first that differs all go and come anew.
    let stand = (1..).find(|&at| !same(at)).unwrap_or(1);
    let first = wanted[0].reason;
    for &surplus in there.iter().skip(stand) {
        steps.push(Change::DeleteRoute(surplus.clone()).because(first));
    }
    let new = wanted[0].route.clone();
    match there.first() {
        None => steps.push(Change::AddRoute(new).because(first)),
        Some(_) if same(0) => {}
        Some(&old) => {
            let routes = Box::new((old.clone(), new));
            steps.push(Change::ReplaceRoute(routes).because(first));
        }
    }
    for more in wanted.iter().skip(stand) {
        steps.push(Change::AppendRoute(more.route.clone()).because(more.reason));
    }
}
