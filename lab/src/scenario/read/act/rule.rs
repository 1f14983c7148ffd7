//! `rule`

use fps_netlink::{
    Family, IpProtocol, LinkName, MarkMatch, Ports, RouteProtocol, Rule, RuleAction, RulePriority,
    TableId, Users,
};
use ipnet::IpNet;

use super::kernel::action;
use crate::scenario::model::{RouteAction, RuleChange};
use crate::scenario::read::tunnel::fwmark;
use crate::scenario::read::{Lab, route};
use crate::scenario::syntax::{Node, Table, Word, optional};

const KEYS: &[&str] = &[
    "on",
    "action",
    "priority",
    "table",
    "type",
    "fwmark",
    "except-fwmark",
    "from",
    "to",
    "iif",
    "oif",
    "ipproto",
    "dport",
    "uid",
    "suppress-prefix",
    "protocol",
    "ip",
];

/// What becomes of a packet that a rule without a table is for, as ip-rule(8) calls it.
const TYPES: &[(&str, RuleAction)] = &[
    ("unreachable", RuleAction::Unreachable),
    ("prohibit", RuleAction::Prohibit),
    ("blackhole", RuleAction::Blackhole),
];

const PROTOCOLS: &[(&str, IpProtocol)] = &[
    ("tcp", IpProtocol::Tcp),
    ("udp", IpProtocol::Udp),
    ("icmp", IpProtocol::Icmp),
];

/// What a rule is for, and whatever else is not its place, its family or its action.
#[derive(Clone, Copy, Debug)]
struct Selector {
    mark: Option<MarkMatch>,
    inverted: bool,
    from: Option<IpNet>,
    to: Option<IpNet>,
    input: Option<LinkName>,
    output: Option<LinkName>,
    ip_protocol: Option<IpProtocol>,
    ports: Option<Ports>,
    users: Option<Users>,
    suppress_prefix: Option<u32>,
}

/// Reads a rule that comes or goes.
pub(super) fn rule(node: Node<'_>, lab: &Lab) -> Option<RuleChange> {
    let table = node.table("`rule`", KEYS)?;
    let on = super::on(&table, lab);
    let action = action(&table);
    let priority = optional(table.get("priority"), |node| {
        number(node, "priority", 1, 32_765).map(RulePriority)
    });
    let leads_to = leads_to(&table);
    let selector = selector(&table);
    let families = families(&table);
    let protocol = optional(table.get("protocol"), route::protocol)?;
    let (priority, selector, leads_to) = (priority?, selector?, leads_to?);
    let make = |family| Rule {
        mark: selector.mark,
        from: selector.from,
        to: selector.to,
        input: selector.input,
        output: selector.output,
        ip_protocol: selector.ip_protocol,
        ports: selector.ports,
        users: selector.users,
        inverted: selector.inverted,
        suppress_prefix: selector.suppress_prefix,
        protocol: protocol.unwrap_or(RouteProtocol::Boot),
        ..Rule::new(family, priority.unwrap_or(RulePriority(0)), leads_to)
    };
    let change = RuleChange {
        on: on?,
        action: action?,
        in_front: priority.is_none(),
        rules: families?.into_iter().map(make).collect(),
    };
    if change.action == RouteAction::Delete && change.rules.iter().any(is_mains) {
        let wrong = table.wrong("this could be the kernel's own rule for table main");
        return table.refuse(wrong.help("add the priority of the rule that is meant"));
    }
    Some(change)
}

/// Whether a rule that is deleted without a priority stands for that of table main as well.
fn is_mains(rule: &Rule) -> bool {
    let plain = Rule::new(
        rule.family,
        RulePriority(0),
        RuleAction::Lookup(TableId::MAIN),
    );
    *rule == plain
}

fn leads_to(table: &Table<'_>) -> Option<RuleAction> {
    match (table.get("table"), table.get("type")) {
        (None, Some(node)) => node.choice("type", TYPES),
        (Some(_), Some(node)) => {
            let wrong = node.wrong("a rule looks a table up or refuses");
            let other = table.key("table").map_or(node.span, |key| key.span);
            node.refuse(wrong.label("not both").other(other, "it has a table"))
        }
        (node, None) => {
            if node.is_none() {
                table.need("table", "51820");
            }
            node.and_then(table_number).map(RuleAction::Lookup)
        }
    }
}

/// A table by its number, or one of the machine's own by its name.
fn table_number(node: Node<'_>) -> Option<TableId> {
    if node.value.is_str() {
        return node.choice(
            "table",
            &[("main", TableId::MAIN), ("default", TableId(253))],
        );
    }
    number(node, "table", 1, u32::MAX).map(TableId)
}

fn number(node: Node<'_>, what: &str, first: u32, last: u32) -> Option<u32> {
    let number = node.integer(what, i64::from(first)..=i64::from(last))?;
    u32::try_from(number).ok()
}

fn selector(table: &Table<'_>) -> Option<Selector> {
    let marked = optional(table.get("fwmark"), mark);
    let unmarked = optional(table.get("except-fwmark"), mark);
    let both = table.get("fwmark").and(table.get("except-fwmark"));
    if let Some(node) = both {
        return node.refuse(node.wrong("`fwmark` and `except-fwmark` exclude each other"));
    }
    let link = |key| optional(table.get(key), |node| node.word()?.link_name());
    let from = optional(table.get("from"), Node::subnet);
    let to = optional(table.get("to"), Node::subnet);
    let (input, output) = (link("iif"), link("oif"));
    let ip_protocol = optional(table.get("ipproto"), |it| it.choice("ipproto", PROTOCOLS));
    let ports = optional(table.get("dport"), |node| {
        let port = node.integer("port", 1..=65_535)?;
        u16::try_from(port).ok().map(Ports::from)
    });
    let users = optional(table.get("uid"), users);
    let suppress = optional(table.get("suppress-prefix"), |node| {
        number(node, "prefix length", 0, 128)
    });
    let (marked, unmarked) = (marked?, unmarked?);
    Some(Selector {
        mark: marked.or(unmarked),
        inverted: unmarked.is_some(),
        from: from?,
        to: to?,
        input: input?,
        output: output?,
        ip_protocol: ip_protocol?,
        ports: ports?,
        users: users?,
        suppress_prefix: suppress?,
    })
}

/// A mark, with or without the bits of it that count: `"0x80000/0xff0000"`.
fn mark(node: Node<'_>) -> Option<MarkMatch> {
    let split = node.value.as_str().and_then(|text| text.split_once('/'));
    let Some((mark, mask)) = split else {
        return fwmark(node).map(MarkMatch::from);
    };
    let read = |text: &str| text.parse::<fps_netlink::Fwmark>().ok();
    let word = node.word()?;
    match (read(mark), read(mask)) {
        (Some(mark), Some(mask)) if mask.0 != 0 => Some(MarkMatch { mark, mask: mask.0 }),
        _ => {
            let wrong = word.wrong(format!("`{}` is no mark with a mask", word.text));
            word.refuse(wrong.label("each 32 bits, such as \"0x80000/0xff0000\""))
        }
    }
}

/// A user, or those from one to another: `"1000-1999"`.
fn users(node: Node<'_>) -> Option<Users> {
    // The last number stands for no user at all (`uid_valid` in the kernel).
    let most = u32::MAX - 1;
    let Some(text) = node.value.as_str() else {
        let user = number(node, "user", 0, most)?;
        let (first, last) = (user, user);
        return Some(Users { first, last });
    };
    let read = |text: &str| text.parse::<u32>().ok().filter(|user| *user <= most);
    let range = text.split_once('-').and_then(|(first, last)| {
        let (first, last) = (read(first)?, read(last)?);
        (first <= last).then_some(Users { first, last })
    });
    range.or_else(|| {
        let wrong = node.wrong(format!("`{text}` is no range of users"));
        node.refuse(wrong.label("write `\"1000-1999\"`, or a number"))
    })
}

/// The families that a rule is for: that of its networks, or else both.
fn families(table: &Table<'_>) -> Option<Vec<Family>> {
    let named = optional(table.get("ip"), |node| {
        node.choice("ip", &[("v4", Family::V4), ("v6", Family::V6)])
    })?;
    // A broken network is told where the selector is read.
    let family = |key| {
        let word: Word<'_> = table.get(key).filter(|node| node.value.is_str())?.word()?;
        let net: IpNet = word.text.parse().ok()?;
        Some((Family::of(net.addr()), key, word))
    };
    let networks = ["from", "to"].into_iter().filter_map(family);
    let mut known = named;
    for (family, key, word) in networks {
        if known.is_some_and(|known| known != family) {
            let title = format!("`{key}` is of the other family");
            return match table.get("ip") {
                Some(node) => node.refuse(node.wrong(title).other(word.span, "here")),
                None => word.refuse(word.wrong(title).label("`from` is another")),
            };
        }
        known = Some(family);
    }
    Some(known.map_or(Family::BOTH.to_vec(), |family| vec![family]))
}
