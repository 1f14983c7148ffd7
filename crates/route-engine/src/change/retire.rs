//! What an earlier apply set and this one does not want.

use fps_netlink::{Address, FPS_ROUTE_PROTOCOL, Link, Route, RouteProtocol};
use ipnet::IpNet;

use super::placeholder::placeholder;
use super::{Change, Needed};
use crate::{KernelState, Operation, Ownership, Plan, PlannedRoute, TunAddress};

/// Takes away the addresses that we gave the device and that are no longer wanted, so that routes
/// into it stay.
///
/// With its last IPv4 address a device loses all its IPv4 routes (`fib_disable_ip`), and with the
/// first of a subnet all others of that subnet, unless `promote_secondaries` is set (`__inet_del_ifa`
/// in net/ipv4/devinet.c). So the new address is there first; and where it is of the same subnet, it
/// is held once more, as a subnet of its own, until it is back. Where none stays, the routes are set
/// again.
pub(super) fn addresses(
    plan: &Plan,
    state: &KernelState,
    ownership: &Ownership,
    tun: &Link,
    needed: &mut Needed,
) {
    let wanted = plan.intent().addresses();
    let there = |address: &TunAddress| state.holds_address(&Address::new(tun.index, address.net()));
    let gone = ownership.addresses.iter().copied();
    let gone: Vec<_> = gone
        .filter(|address| !wanted.contains(address) && there(address))
        .collect();
    let lost = match keeps_v4(state, tun, &gone, wanted) {
        true => Vec::new(),
        false => v4_routes(plan, state, tun),
    };
    needed.keep_routes(&lost, state, |needed| {
        gone.iter()
            .for_each(|&address| retire(address, wanted, tun, needed));
    });
}

impl Needed {
    /// Sets routes again that the kernel drops with what `drops` does; until then they are refused.
    pub(super) fn keep_routes(
        &mut self,
        routes: &[Route],
        state: &KernelState,
        drops: impl FnOnce(&mut Self),
    ) {
        let places = routes.iter().map(|route| placeholder(route, state));
        let places: Vec<_> = places.collect();
        self.leave_all(&places, state, Operation::ReplaceRoute, Change::AddRoute);
        drops(self);
        self.leave_all(routes, state, Operation::ReplaceRoute, Change::KeepRoute);
        self.leave_all(&places, state, Operation::DeleteRoute, Change::DeleteRoute);
    }

    /// Changes of routes beyond the plan, but for those whose interface is gone.
    fn leave_all(
        &mut self,
        routes: &[Route],
        state: &KernelState,
        operation: fn(PlannedRoute) -> Operation,
        change: fn(Route) -> Change,
    ) {
        for route in routes {
            if let Some(planned) = PlannedRoute::of(route, &state.links) {
                self.leave(operation(planned), change(route.clone()));
            }
        }
    }
}

/// Whether the device has an IPv4 address when some are gone; or loses none.
pub(super) fn keeps_v4(
    state: &KernelState,
    tun: &Link,
    gone: &[TunAddress],
    wanted: &[TunAddress],
) -> bool {
    let v4 = |net: &IpNet| net.addr().is_ipv4();
    let of_device = state.addresses.iter();
    let of_device = of_device.filter(|address| address.link == tun.index);
    let mut nets = of_device.map(|address| address.net);
    let is_gone = |net: &IpNet| gone.iter().any(|gone| gone.net() == *net);
    !gone.iter().any(|address| v4(&address.net()))
        || wanted.iter().any(|address| v4(&address.net()))
        || nets.any(|net| v4(&net) && !is_gone(&net))
}

/// The IPv4 routes into the device that stand when all is done: those of the plan, and those of
/// others.
fn v4_routes(plan: &Plan, state: &KernelState, tun: &Link) -> Vec<Route> {
    let planned = plan.operations().iter();
    let planned = planned.filter_map(|operation| match operation {
        Operation::ReplaceRoute(route) => route.for_kernel(&state.links).ok(),
        _ => None,
    });
    let into = |route: &Route| route.link == Some(tun.index) && route.to.addr().is_ipv4();
    let others = others(state, tun).cloned();
    planned.filter(into).chain(others).collect()
}

/// The IPv4 routes of others into the device, which go with its last IPv4 address.
pub(super) fn others<'a>(state: &'a KernelState, tun: &Link) -> impl Iterator<Item = &'a Route> {
    let tun = tun.index;
    let of_others = move |route: &&Route| {
        let known = [FPS_ROUTE_PROTOCOL, RouteProtocol::Kernel].contains(&route.protocol);
        !known && !route.richer && route.link == Some(tun) && route.to.addr().is_ipv4()
    };
    state.routes.iter().filter(of_others)
}

fn retire(address: TunAddress, wanted: &[TunAddress], tun: &Link, needed: &mut Needed) {
    let stay = wanted.iter().copied();
    let stay: Vec<_> = stay.filter(|&stay| shares_subnet(stay, address)).collect();
    let holder = stay.first().map(|stay| single(*stay, tun));
    let device = tun.name;
    let reason = needed.leave_for(Operation::DeleteAddress { address, device });
    let kept = stay.iter().map(|stay| Address::new(tun.index, stay.net()));
    let old = Address::new(tun.index, address.net());
    let changes = holder
        .iter()
        .cloned()
        .map(Change::AddAddress)
        .chain([Change::DeleteAddress(old)])
        .chain(kept.map(Change::KeepAddress))
        .chain(holder.iter().cloned().map(Change::DeleteAddress));
    needed
        .steps
        .extend(changes.map(|change| change.because(reason)));
}

/// Whether one goes with the other: of IPv4, where subnet and prefix length are the same.
fn shares_subnet(one: TunAddress, other: TunAddress) -> bool {
    let (one, other) = (one.net(), other.net());
    one.addr().is_ipv4() && one.prefix_len() < 32 && one.trunc() == other.trunc()
}

fn single(address: TunAddress, tun: &Link) -> Address {
    Address::new(tun.index, IpNet::from(address.net().addr()))
}
