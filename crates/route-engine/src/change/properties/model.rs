//! A model of the kernel: states, and what a change makes of them.

use fps_netlink::{Address, IfIndex, Link, Route, RouteKind, RouteProtocol};

use crate::state::RouteKey;
use crate::{Change, KernelState};

pub(super) const TUN: u32 = 7;
pub(super) const LAN: u32 = 8;

pub(super) fn index(number: u32) -> IfIndex {
    IfIndex::new(number).unwrap()
}

/// Does a change as the kernel does, which refuses what is there or is not there.
pub(super) fn change(state: &mut KernelState, change: &Change) {
    match change {
        Change::AddAddress(address) => {
            assert!(!state.holds_address(address), "EEXIST: {address:?}");
            add_address(state, address);
        }
        Change::KeepAddress(address) => {
            if !state.holds_address(address) {
                add_address(state, address);
            }
        }
        Change::DeleteAddress(address) => delete_address(state, address),
        Change::SetMtu { link, from, to } => {
            let link = device(state, *link);
            assert_eq!(link.mtu, *from);
            link.mtu = *to;
        }
        Change::SetUp(link) => device(state, *link).up = true,
        Change::SetDown(link) => device(state, *link).up = false,
        Change::AddRoute(route) => {
            assert!(!holds_key(state, route), "EEXIST: {route}");
            state.routes.push(kept(route));
        }
        Change::AppendRoute(route) => {
            assert!(!state.routes.contains(&kept(route)), "EEXIST: {route}");
            state.routes.push(kept(route));
        }
        Change::KeepRoute(route) => {
            if !holds_key(state, route) {
                state.routes.push(kept(route));
            }
        }
        Change::ReplaceRoute(routes) => {
            let (old, new) = &**routes;
            assert_eq!(RouteKey::of(old), RouteKey::of(new));
            assert!(!state.routes.contains(&kept(new)), "EEXIST: {new}");
            let key = |route: &Route| RouteKey::of(route) == RouteKey::of(new);
            let first = state.routes.iter().position(key).expect("ESRCH");
            assert_eq!(state.routes[first], kept(old), "another than the first");
            state.routes[first] = kept(new);
        }
        Change::DeleteRoute(route) => remove(&mut state.routes, &kept(route)),
        Change::AddRule(rule) => {
            assert!(!state.rules.contains(rule), "EEXIST: {rule}");
            state.rules.push(**rule);
            state.rules.sort_by_key(|rule| rule.priority);
        }
        Change::DeleteRule(rule) => remove(&mut state.rules, rule),
        Change::Dns(_) => {}
    }
}

/// With an IPv4 address comes the route of its subnet (`fib_add_ifaddr`), behind what is there.
fn add_address(state: &mut KernelState, address: &Address) {
    state.addresses.push(address.clone());
    let route = connected(address);
    state.routes.extend(route.filter(|new| {
        let mut there = state.routes.iter();
        !there.any(|route| route == new)
    }));
}

/// What `__inet_del_ifa` and `fib_del_ifaddr` do: with the first address of a subnet go the others of
/// it, with its last address the route of a subnet, and with the last of all every IPv4 route into
/// the device.
fn delete_address(state: &mut KernelState, address: &Address) {
    let subnet = |other: &Address| {
        let v4 = other.net.addr().is_ipv4() && other.link == address.link;
        v4 && (other.net.trunc(), other.net.prefix_len())
            == (address.net.trunc(), address.net.prefix_len())
    };
    let first = state.addresses.iter().find(|other| subnet(other));
    let takes_all = first == Some(address);
    remove(&mut state.addresses, address);
    if !address.net.addr().is_ipv4() {
        return;
    }
    if takes_all {
        state.addresses.retain(|other| !subnet(other));
    }
    if let Some(route) = connected(address).filter(|_| !state.addresses.iter().any(subnet)) {
        state.routes.retain(|other| *other != route);
    }
    let v4 = |other: &Address| other.link == address.link && other.net.addr().is_ipv4();
    if !state.addresses.iter().any(v4) {
        state.routes.retain(|route| {
            route.link != Some(address.link) || !route.to.addr().is_ipv4() || route.refuses()
        });
    }
}

fn connected(address: &Address) -> Option<Route> {
    let is = crate::change::routes::is_connected(address.net);
    is.then(|| Route {
        protocol: RouteProtocol::Kernel,
        ..Route::new(address.net).on_link(address.link)
    })
}

/// Whether there is a route with this one's prefix and metric.
pub(super) fn holds_key(state: &KernelState, route: &Route) -> bool {
    let mut routes = state.routes.iter();
    routes.any(|other| RouteKey::of(other) == RouteKey::of(route))
}

/// As the kernel shows it: each IPv6 route has a metric.
fn kept(route: &Route) -> Route {
    let metric = match route.effective_metric() {
        0 => None,
        metric => Some(metric),
    };
    let route = Route {
        metric,
        ..route.clone()
    };
    match route.kind {
        RouteKind::Throw => Route {
            scope: fps_netlink::RouteScope::Universe,
            ..route
        },
        _ => route,
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
pub(super) fn sorted(mut state: KernelState) -> KernelState {
    state.addresses.sort_by_key(|it| format!("{it:?}"));
    // Among equal metrics the order counts.
    state
        .routes
        .sort_by_key(|it| (it.table, format!("{}", it.to), it.effective_metric()));
    state.rules.sort_by_key(|it| format!("{it:?}"));
    state
}

pub(super) fn link(number: u32, name: &str, up: bool) -> Link {
    Link::new(index(number), name.parse().unwrap(), up)
}
