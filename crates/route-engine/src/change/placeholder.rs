//! What stands in for a route while the kernel has dropped it.

use fps_netlink::{FPS_ROUTE_PROTOCOL, Route, RouteKind};

use crate::KernelState;
use crate::state::RouteKey;

/// The same destination, refused: right behind the route itself, with the next metric that is free.
///
/// A device that loses its last IPv4 address loses all its IPv4 routes (`fib_disable_ip` in
/// net/ipv4/fib_frontend.c). Until they are set again what they led into the tunnel would leave by
/// the underlay; so for that moment it is refused. A route that refuses has no device, and stays.
pub(super) fn placeholder(route: &Route, state: &KernelState) -> Route {
    let behind = |metric| Route {
        metric: Some(metric),
        protocol: FPS_ROUTE_PROTOCOL,
        ..Route::new(route.to)
            .in_table(route.table)
            .of_kind(RouteKind::Unreachable)
    };
    let is_free = |place: &Route| {
        let mut routes = state.routes.iter();
        !routes.any(|there| RouteKey::of(there) == RouteKey::of(place))
    };
    let metrics = route.effective_metric().saturating_add(1)..=u32::MAX;
    metrics
        .map(behind)
        .find(is_free)
        .unwrap_or_else(|| behind(u32::MAX))
}

/// Whether a route is one: also one that a crash has left. No other of ours is of this kind.
pub(crate) fn is_placeholder(route: &Route) -> bool {
    route.protocol == FPS_ROUTE_PROTOCOL && route.kind == RouteKind::Unreachable
}
