//! By what the kernel tells routes apart.

use fps_netlink::{Route, RouteScope, TableId};
use ipnet::IpNet;

/// By what the kernel tells a table's routes apart when it replaces one: prefix, type of service and
/// metric, but not who set it (`fib_table_insert` in net/ipv4/fib_trie.c, `fib6_add_rt2node` in
/// net/ipv6/ip6_fib.c).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct RouteKey(TableId, IpNet, u8, u32);

impl RouteKey {
    pub(crate) fn of(route: &Route) -> Self {
        Self(route.table, route.to, route.tos, route.effective_metric())
    }
}

/// Whether two routes do the same. Of IPv6 the kernel tells no scope, and neither does it matter of
/// what nothing leaves by.
pub(crate) fn same_route(a: &Route, b: &Route) -> bool {
    let scoped = a.to.addr().is_ipv4() && !a.refuses();
    let blur = |route: &Route| Route {
        metric: Some(route.effective_metric()),
        scope: if scoped {
            route.scope
        } else {
            RouteScope::Universe
        },
        ..route.clone()
    };
    blur(a) == blur(b)
}
