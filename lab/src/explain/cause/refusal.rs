//! A rule or a route that refuses.

use fps_netlink::Verdict;

use super::Case;
use crate::explain::show;

pub(super) fn cause(case: &Case<'_>) -> Option<String> {
    match case.verdict() {
        Verdict::Refused {
            rule,
            route: Some(route),
        } => Some(format!(
            "the route `{}` of table {}, to which rule {} leads, refuses it before any other has its \
             turn",
            show::route(route, case.tables),
            route.table,
            rule.priority
        )),
        Verdict::Refused { rule, route: None } => Some(format!(
            "rule {} (`{}`) refuses it before a later rule has its turn",
            rule.priority,
            show::rule(rule)
        )),
        Verdict::Leaves { .. } | Verdict::Lost | Verdict::TakenForNeighbour(_) => None,
    }
}
