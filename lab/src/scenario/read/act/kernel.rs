//! `sysctl` and `route`

use crate::scenario::model::{RouteAction, RouteChange, Sysctl};
use crate::scenario::read::{Lab, route as route_of};
use crate::scenario::syntax::{Node, Table, Word};

/// Reads a sysctl to write.
pub(crate) fn sysctl(node: Node<'_>, lab: &Lab) -> Option<Sysctl> {
    let table = node.table("`sysctl`", &["on", "key", "value"])?;
    let on = super::on(&table, lab);
    let key = table.need("key", "\"net.ipv4.conf.all.rp_filter\"");
    let key = key.and_then(Node::word).and_then(key_below_net);
    let value = table
        .need("value", "1")
        .and_then(|node| match node.value.as_integer() {
            Some(_) => node
                .integer("value", i64::MIN..=i64::MAX)
                .map(|value| value.to_string()),
            None if node.value.is_str() => node.text(),
            None => node.mismatch("a string or an integer"),
        });
    Some(Sysctl {
        on: on?,
        key: key?,
        value: value?,
    })
}

/// Only `net` has a value of its own in each network namespace; the rest is the machine's.
pub(crate) fn key_below_net(word: Word<'_>) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
    let below = word.text.starts_with("net.") || word.text.starts_with("net/");
    if !below {
        let wrong = word.wrong(format!("`{}` is not below `net`", word.text));
        return word.refuse(wrong.label("it would change the whole machine"));
    }
    let separators = ['.', '/'];
    if !word.text.chars().all(plain) || word.text.split(separators).any(str::is_empty) {
        return word.refuse(word.wrong(format!("`{}` is no sysctl's key", word.text)));
    }
    Some(word.text.to_owned())
}

/// Reads a route that comes or goes.
pub(crate) fn route(node: Node<'_>, lab: &Lab) -> Option<RouteChange> {
    let keys = [
        "on", "action", "to", "type", "via", "link", "metric", "table", "source", "protocol",
        "onlink",
    ];
    let table = node.table("`route`", &keys)?;
    let on = super::on(&table, lab);
    let action = action(&table);
    let needs_hop = action == Some(RouteAction::Add);
    let route = route_of::route(&table, on.as_ref(), needs_hop, lab);
    Some(RouteChange {
        on: on?,
        action: action?,
        route: route?,
    })
}

/// Whether something comes or goes.
pub(super) fn action(table: &Table<'_>) -> Option<RouteAction> {
    match table.get("action") {
        Some(node) => node.choice(
            "action",
            &[("add", RouteAction::Add), ("delete", RouteAction::Delete)],
        ),
        None => Some(RouteAction::Add),
    }
}
