//! The keys of a full tunnel in `routes`.

use fps_netlink::{RulePriority, TableId};

use crate::scenario::model::FullTunnel;
use crate::scenario::read::tunnel::fwmark;
use crate::scenario::syntax::{Node, Table, optional};

/// What chooses the packets that go into the tunnel.
const SELECTORS: [&str; 3] = ["fwmark", "from", "except-fwmark"];
/// What has a meaning in a full tunnel only.
const OTHERS: [&str; 7] = [
    "table",
    "priority",
    "bypass",
    "keep-lan",
    "lan-route",
    "dns-leak-guard",
    "auto",
];

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
    let number = |key: &str, most: i64| {
        optional(table.get(key), |node| {
            let value = node.integer(key, 1..=most)?;
            u32::try_from(value).ok()
        })
    };
    let mark = |key: &str| optional(table.get(key), fwmark);
    let switch = |key: &str| table.get(key).map_or(Some(false), Node::flag);
    let many = |key: &str| table.get(key).map(Node::one_or_many).unwrap_or_default();
    let keep_lan = switch("keep-lan")?;
    let lan_routes: Vec<_> = many("lan-route")
        .into_iter()
        .filter_map(Node::subnet)
        .collect();
    if let Some(node) = table
        .get("lan-route")
        .filter(|_| !keep_lan && !lan_routes.is_empty())
    {
        let wrong = node.wrong("`lan-route` keeps nothing where the LAN is not kept");
        return node.refuse(wrong.help("add `keep-lan = true`, or remove it"));
    }
    Some(Some(FullTunnel {
        fwmark: mark("fwmark")?,
        from: optional(table.get("from"), Node::subnet)?,
        except_fwmark: mark("except-fwmark")?,
        table: number("table", i64::from(u32::MAX))?.map(TableId),
        priority: number("priority", 32_765)?.map(RulePriority),
        bypasses: many("bypass").into_iter().filter_map(Node::text).collect(),
        keep_lan,
        lan_routes,
        dns_leak_guard: switch("dns-leak-guard")?,
        auto: switch("auto")?,
    }))
}
