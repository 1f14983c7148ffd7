//! A neighbour on the LAN whose packets go into the tunnel, since its table has no copy of the
//! LAN's route (firezone PR#10554, tailscale#1227).

use fps_netlink::{Route, TableId};

use super::Case;
use crate::explain::show;

pub(super) fn cause(case: &Case<'_>) -> Option<String> {
    case.in_tunnel()?;
    let (rule, route) = case.decided()?;
    let connected = connected(case)?;
    if route.table == TableId::MAIN || connected.to.prefix_len() < route.to.prefix_len() {
        return None;
    }
    Some(format!(
        "{} is on the LAN (`{}` of table main), but rule {} leads to table {} before that, and it has \
         no copy of the LAN's route",
        case.flow.to,
        show::route(connected, case.tables),
        rule.priority,
        route.table
    ))
}

/// The route by which the packet's target is a neighbour on a link that is no tunnel, or behind a
/// router there that is not the default gateway.
fn connected<'a>(case: &Case<'a>) -> Option<&'a Route> {
    let on_link = |route: &&Route| {
        let link = route.link.and_then(|index| case.tables.link(index));
        route.table == TableId::MAIN
            && route.to.prefix_len() > 0
            && !route.refuses()
            && route.to.contains(&case.flow.to)
            && link.is_some_and(|link| !case.is_tun(link))
    };
    let routes = case.tables.routes.iter().filter(on_link);
    routes.max_by_key(|route| route.to.prefix_len())
}
