//! The keys of a full tunnel in `routes`.

use fps_netlink::{RulePriority, TableId};

use crate::scenario::model::FullTunnel;
use crate::scenario::read::tunnel::fwmark;
use crate::scenario::syntax::{Node, Table};

/// What chooses the packets that go into the tunnel.
const SELECTORS: [&str; 3] = ["fwmark", "from", "except-fwmark"];
/// What has a meaning in a full tunnel only.
const OTHERS: [&str; 3] = ["table", "priority", "bypass"];

/// Reads the keys; none in the option where the act sets up no full tunnel.
pub(super) fn tunnel(table: &Table<'_>) -> Option<Option<FullTunnel>> {
    let flag = table.get("full-tunnel");
    if !flag.map_or(Some(false), Node::flag)? {
        let stray = SELECTORS
            .iter()
            .chain(&OTHERS)
            .find_map(|key| Some((key, table.get(key)?)));
        let Some((key, node)) = stray else {
            return Some(None);
        };
        let wrong = node.wrong(format!("`{key}` belongs to a full tunnel"));
        return node.refuse(wrong.help("add `full-tunnel = true`, or remove it"));
    }
    if !SELECTORS.iter().any(|key| table.get(key).is_some()) {
        let node = flag?;
        let wrong = node.wrong("a full tunnel without a selector would swallow its own carrier");
        return node.refuse(wrong.help(
            "add `except-fwmark` with the mark of [tunnel], or `fwmark` or `from` for what shall \
             go into the tunnel",
        ));
    }
    let number = |key: &str, least: i64, most: i64| match table.get(key) {
        Some(node) => {
            let value = node.integer(key, least..=most)?;
            Some(u32::try_from(value).ok())
        }
        None => Some(None),
    };
    let mark = |key: &str| {
        table
            .get(key)
            .map_or(Some(None), |node| fwmark(node).map(Some))
    };
    let from = table
        .get("from")
        .map_or(Some(None), |node| node.subnet().map(Some));
    let bypasses = table
        .get("bypass")
        .map(Node::one_or_many)
        .unwrap_or_default();
    Some(Some(FullTunnel {
        fwmark: mark("fwmark")?,
        from: from?,
        except_fwmark: mark("except-fwmark")?,
        table: number("table", 1, i64::from(u32::MAX))?.map(TableId),
        priority: number("priority", 1, 32_765)?.map(RulePriority),
        bypasses: bypasses.into_iter().filter_map(Node::text).collect(),
    }))
}
