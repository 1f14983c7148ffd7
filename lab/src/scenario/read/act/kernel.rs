//! `sysctl`, `route` and `rule`

use fps_netlink::{Family, Rule, RuleAction, RulePriority};

use crate::scenario::model::{RouteAction, RouteChange, RuleChange, Sysctl};
use crate::scenario::read::tunnel::fwmark;
use crate::scenario::read::{Lab, route as route_of};
use crate::scenario::syntax::{Node, Table, Word, optional};

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
fn key_below_net(word: Word<'_>) -> Option<String> {
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
    let keys = ["on", "action", "to", "via", "link", "metric", "table"];
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

fn action(table: &Table<'_>) -> Option<RouteAction> {
    match table.get("action") {
        Some(node) => node.choice(
            "action",
            &[("add", RouteAction::Add), ("delete", RouteAction::Delete)],
        ),
        None => Some(RouteAction::Add),
    }
}

/// Reads a rule that comes or goes.
pub(crate) fn rule(node: Node<'_>, lab: &Lab) -> Option<RuleChange> {
    let keys = [
        "on",
        "action",
        "priority",
        "table",
        "fwmark",
        "except-fwmark",
        "from",
        "ip",
    ];
    let table = node.table("`rule`", &keys)?;
    let on = super::on(&table, lab);
    let action = action(&table);
    let priority = table
        .need("priority", "9999")
        .and_then(|node| node.integer("priority", 1..=32_765))
        .and_then(|number| u32::try_from(number).ok());
    let leads_to = table.need("table", "51820").and_then(route_of::table_id);
    let marked = optional(table.get("fwmark"), fwmark);
    let unmarked = optional(table.get("except-fwmark"), fwmark);
    let from = optional(table.get("from"), Node::subnet);
    let both = Family::BOTH;
    let families = match table.get("ip") {
        None => Some(&both[..]),
        Some(node) => node.choice("ip", &[("v4", &both[..1]), ("v6", &both[1..])]),
    };
    let (marked, unmarked, from) = (marked?, unmarked?, from?);
    if marked.is_some() && unmarked.is_some() {
        let node = table.get("except-fwmark")?;
        return node.refuse(node.wrong("`fwmark` and `except-fwmark` exclude each other"));
    }
    let families = families?.iter().copied();
    let families =
        families.filter(|family| from.is_none_or(|net| Family::of(net.addr()) == *family));
    let action_of = RuleAction::Lookup(leads_to?);
    let (priority, on) = (RulePriority(priority?), on?);
    let rules = families.map(|family| {
        let rule = Rule::new(family, priority, action_of);
        let rule = match (marked, unmarked) {
            (Some(mark), _) => rule.marked(mark),
            (None, Some(mark)) => rule.marked(mark).inverted(),
            (None, None) => rule,
        };
        match from {
            Some(net) => rule.sent_from(net),
            None => rule,
        }
    });
    Some(RuleChange {
        on,
        action: action?,
        rules: rules.collect(),
    })
}
