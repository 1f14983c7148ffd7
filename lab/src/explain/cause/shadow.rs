//! A route by the wanted link that another one shadows: by a longer prefix, a lower metric, or a
//! table that has its turn before.

use fps_netlink::Route;

use super::Case;
use crate::explain::show;

pub(super) fn cause(case: &Case<'_>) -> Option<String> {
    let wanted = case.wanted.as_ref()?;
    let link = case.tables.named(wanted)?;
    let (rule, route) = case.decided()?;
    if route.link == Some(link.index) {
        return None;
    }
    let by_it =
        |it: &&Route| it.link == Some(link.index) && !it.refuses() && it.to.contains(&case.flow.to);
    let candidates = case.tables.routes.iter().filter(by_it);
    let shadowed = candidates.max_by_key(|it| (it.table == route.table, it.to.prefix_len()));
    let Some(shadowed) = shadowed else {
        return Some(format!(
            "no table has a route for {} by {wanted}",
            case.flow.to
        ));
    };
    let (mine, other) = (
        show::route(shadowed, case.tables),
        show::route(route, case.tables),
    );
    Some(if shadowed.table != route.table {
        format!(
            "`{mine}` of table {} does not have its turn: rule {} leads to `{other}` of table {} \
             before that",
            shadowed.table, rule.priority, route.table
        )
    } else if shadowed.to.prefix_len() < route.to.prefix_len() {
        format!(
            "`{other}` shadows `{mine}` (table {}): the longer prefix wins",
            route.table
        )
    } else {
        format!(
            "`{other}` goes before `{mine}` (table {}): the lower metric wins",
            route.table
        )
    })
}
