//! The carrier goes into its own tunnel, since nothing leads it around.

use super::Case;
use crate::explain::show;

pub(super) fn cause(case: &Case<'_>) -> Option<String> {
    let tun = case.in_tunnel().filter(|_| case.is_carrier())?;
    let (rule, route) = case.decided()?;
    let length = if case.flow.to.is_ipv4() { 32 } else { 128 };
    Some(format!(
        "{} with mark {} matched rule {} -> table {} -> {}: the carrier is inside its own tunnel \
         ({}); a bypass for {}/{length} in table {} is missing",
        case.flow.to,
        case.flow.mark,
        rule.priority,
        route.table,
        show::route(route, case.tables),
        tun.name,
        case.flow.to,
        route.table
    ))
}
