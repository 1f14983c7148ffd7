//! A route by the wanted link that another one shadows: by a longer prefix, a lower metric, or a
//! table that has its turn before.

use fps_netlink::{Route, TableId, Turn};

use super::Case;
use crate::explain::show;

pub(super) fn cause(case: &Case<'_>) -> Option<String> {
    let wanted = case.wanted.as_ref()?;
    let link = case.tables.named(wanted).filter(|link| link.up)?;
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
        let table = shadowed.table;
        let not_before = match not_chosen(case, table) {
            Some(why) => why,
            None => "has its turn later".to_owned(),
        };
        format!(
            "`{mine}` of table {table} {not_before}, and rule {} leads to `{other}` of table {}",
            rule.priority, route.table
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

/// Why a table has no turn, where that is not because it comes later: no rule leads to it, or none
/// that is for the packet.
fn not_chosen(case: &Case<'_>, table: TableId) -> Option<String> {
    let mut rules = case.tables.rules.iter();
    if !rules.any(|rule| rule.table() == Some(table)) {
        return Some("has no turn, since no rule leads there".to_owned());
    }
    let mut passed = None;
    case.tables.fib().walk(&case.flow, |rule, turn| {
        if rule.table() == Some(table) && turn == Turn::NotChosen {
            passed.get_or_insert(rule);
        }
    });
    passed.map(|rule| {
        format!(
            "has no turn, since rule {} (`{}`) is not for this packet",
            rule.priority,
            show::rule(rule)
        )
    })
}
