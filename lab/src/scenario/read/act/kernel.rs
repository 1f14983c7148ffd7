//! `sysctl`, `route` and `rule`

use fps_netlink::{Family, Fwmark, Rule, RuleAction, RulePriority, TableId};
use ipnet::IpNet;

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
    let leads_to = table
        .need("table", "51820")
        .and_then(|node| node.integer("table", 1..=i64::from(u32::MAX)))
        .and_then(|number| u32::try_from(number).ok().map(TableId));
    let from = optional(table.get("from"), Node::subnet);
    let marks = marks(&table);
    let families = families(&table, from);
    let (from, (marked, unmarked)) = (from?, marks?);
    let (priority, leads_to) = (RulePriority(priority?), RuleAction::Lookup(leads_to?));
    let rules = families?.into_iter().map(|family| {
        let rule = Rule::new(family, priority, leads_to);
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
        on: on?,
        action: action?,
        rules: rules.collect(),
    })
}

/// The mark that packets must have, and the one that they must not have.
fn marks(table: &Table<'_>) -> Option<(Option<Fwmark>, Option<Fwmark>)> {
    let marked = optional(table.get("fwmark"), fwmark);
    let unmarked = optional(table.get("except-fwmark"), fwmark);
    let (Some(node), Some(_)) = (table.get("except-fwmark"), table.get("fwmark")) else {
        return Some((marked?, unmarked?));
    };
    node.refuse(node.wrong("`fwmark` and `except-fwmark` exclude each other"))
}

/// The families that a rule is for: that of `from`, or else both.
fn families(table: &Table<'_>, from: Option<Option<IpNet>>) -> Option<Vec<Family>> {
    let named = optional(table.get("ip"), |node| {
        node.choice("ip", &[("v4", Family::V4), ("v6", Family::V6)])
    });
    let of_source = from?.map(|net| Family::of(net.addr()));
    match (named?, of_source) {
        (None, None) => Some(Family::BOTH.to_vec()),
        (Some(family), None) | (None, Some(family)) => Some(vec![family]),
        (Some(named), Some(family)) if named == family => Some(vec![family]),
        (Some(_), Some(_)) => {
            let node = table.get("ip")?;
            let wrong = node.wrong("`from` is of the other family");
            node.refuse(match table.get("from") {
                Some(from) => wrong.other(from.span, "here"),
                None => wrong,
            })
        }
    }
}
