//! `firewall`

use fps_netlink::{Family, LinkName};
use fps_netns::{
    FirewallChain, FirewallContent, FirewallPorts, FirewallRule, FirewallVerdict, IcmpKind,
};
use ipnet::IpNet;

use crate::scenario::model::{FirewallAction, FirewallChange, HostName, Target};
use crate::scenario::read::{Lab, expect, host, target};
use crate::scenario::syntax::{Node, Table, optional};

/// What says which packets a rule is about.
const RULE: [&str; 11] = [
    "chain",
    "does",
    "ip",
    "arrives-by",
    "leaves-by",
    "from",
    "to",
    "with",
    "port",
    "from-port",
    "icmp",
];

const ICMP: [(&str, IcmpKind); 8] = [
    ("too-big", IcmpKind::TooBig),
    ("unreachable", IcmpKind::Unreachable),
    ("time-exceeded", IcmpKind::TimeExceeded),
    ("echo-request", IcmpKind::EchoRequest),
    ("echo-reply", IcmpKind::EchoReply),
    ("redirect", IcmpKind::Redirect),
    ("router-solicitation", IcmpKind::RouterSolicitation),
    ("router-advertisement", IcmpKind::RouterAdvertisement),
];

/// Reads rules of a firewall that come, or that all go.
pub(crate) fn firewall(node: Node<'_>, lab: &Lab) -> Option<FirewallChange> {
    let keys = [&["on", "action"][..], &RULE].concat();
    let table = node.table("`firewall`", &keys)?;
    let on = super::on(&table, lab);
    let adds = match table.get("action") {
        Some(node) => node.choice("action", &[("add", true), ("clear", false)]),
        None => Some(true),
    };
    let what = match adds? {
        true => FirewallAction::Add(rules(&table, on.as_ref(), lab)?),
        false => clear(&table)?,
    };
    Some(FirewallChange { on: on?, what })
}

fn clear(table: &Table<'_>) -> Option<FirewallAction> {
    let Some(word) = RULE.iter().find_map(|key| table.key(key)) else {
        return Some(FirewallAction::Clear);
    };
    let wrong = word.wrong(format!(
        "`clear` takes all rules away, whatever `{}`",
        word.text
    ));
    word.refuse(wrong.help("leave it out"))
}

/// One rule for each family, sender and receiver.
fn rules(table: &Table<'_>, on: Option<&HostName>, lab: &Lab) -> Option<Vec<FirewallRule>> {
    let chain = table.need("chain", "\"forward\"").and_then(|node| {
        let chains = [
            ("in", FirewallChain::In),
            ("out", FirewallChain::Out),
            ("forward", FirewallChain::Forward),
        ];
        node.choice("chain", &chains)
    });
    let content = content(table);
    let does = does(table, content);
    let arrives_by = link(table, "arrives-by", (chain, FirewallChain::Out), on, lab);
    let leaves_by = link(table, "leaves-by", (chain, FirewallChain::In), on, lab);
    let family = optional(table.get("ip"), |node| {
        node.choice("ip", &[("v4", Family::V4), ("v6", Family::V6)])
    });
    let (from, to) = (nets(table, "from", lab), nets(table, "to", lab));
    let (chain, content, does) = (chain?, content?, does?);
    let (arrives_by, leaves_by, family) = (arrives_by?, leaves_by?, family?);
    let (from, to) = (from?, to?);
    let mut rules = Vec::new();
    for family in Family::BOTH
        .into_iter()
        .filter(|it| family.is_none_or(|only| only == *it))
    {
        for from in of_family(&from, family) {
            rules.extend(of_family(&to, family).into_iter().map(|to| FirewallRule {
                chain,
                family,
                arrives_by,
                leaves_by,
                from,
                to,
                content,
                does,
            }));
        }
    }
    if rules.is_empty() {
        let wrong = table.wrong("no packet has such a sender, such a receiver and such a family");
        return table.refuse(wrong.help("give addresses of one family"));
    }
    Some(rules)
}

/// The nets of one family, or one that stands for all where none is given.
fn of_family(nets: &[IpNet], family: Family) -> Vec<Option<IpNet>> {
    let of = |net: &&IpNet| Family::of(net.addr()) == family;
    match nets {
        [] => vec![None],
        nets => nets.iter().filter(of).map(|net| Some(*net)).collect(),
    }
}

/// What is in the packets; any where the file does not say.
fn content(table: &Table<'_>) -> Option<Option<FirewallContent>> {
    let ports = FirewallPorts {
        from: optional(table.get("from-port"), host::port)?,
        to: optional(table.get("port"), host::port)?,
    };
    let kind = optional(table.get("icmp"), |node| node.choice("icmp", &ICMP))?;
    let with = optional(table.get("with"), |node| {
        let known = [
            ("tcp", FirewallContent::Tcp(ports)),
            ("udp", FirewallContent::Udp(ports)),
            ("icmp", FirewallContent::Icmp(kind)),
        ];
        node.choice("with", &known)
    })?;
    let port = table.key("port").or_else(|| table.key("from-port"));
    match (with, port, table.key("icmp")) {
        (None | Some(FirewallContent::Icmp(_)), Some(word), _) => {
            let wrong = word.wrong("only tcp and udp have ports");
            word.refuse(wrong.help("add `with = \"tcp\"` or `with = \"udp\"`"))
        }
        (Some(FirewallContent::Tcp(_) | FirewallContent::Udp(_)), _, Some(word)) => {
            let wrong = word.wrong("only icmp has such kinds");
            word.refuse(wrong.help("leave `with` out, or `icmp`"))
        }
        (None, None, Some(_)) => Some(Some(FirewallContent::Icmp(kind))),
        (with, ..) => Some(with),
    }
}

fn does(table: &Table<'_>, content: Option<Option<FirewallContent>>) -> Option<FirewallVerdict> {
    let Some(node) = table.get("does") else {
        return Some(FirewallVerdict::Drop);
    };
    let known = [
        ("drop", FirewallVerdict::Drop),
        ("reject", FirewallVerdict::Reject),
        ("reset", FirewallVerdict::Reset),
    ];
    let does = node.choice("does", &known)?;
    let resets_others = does == FirewallVerdict::Reset
        && matches!(content, Some(it) if !matches!(it, Some(FirewallContent::Tcp(_))));
    if resets_others {
        let wrong = node.wrong("only a TCP connection is reset");
        return node.refuse(wrong.help("add `with = \"tcp\"`, or write `does = \"reject\"`"));
    }
    Some(does)
}

/// A link of the host, in a chain whose packets have one there.
fn link(
    table: &Table<'_>,
    key: &str,
    (chain, without): (Option<FirewallChain>, FirewallChain),
    on: Option<&HostName>,
    lab: &Lab,
) -> Option<Option<LinkName>> {
    let Some(word) = table.get(key).map(Node::word) else {
        return Some(None);
    };
    let word = word?;
    if chain == Some(without) {
        let why = match without {
            FirewallChain::Out => "what the host sends has not arrived by a link",
            _ => "what is for the host leaves by no link",
        };
        let other = if key == "leaves-by" {
            "arrives-by"
        } else {
            "leaves-by"
        };
        return word.refuse(word.wrong(why).help(format!("write `{other}`")));
    }
    lab.interface(on?, word).map(Some)
}

/// One or many subnets or targets; a target stands for all its addresses.
fn nets(table: &Table<'_>, key: &str, lab: &Lab) -> Option<Vec<IpNet>> {
    let nodes = table.get(key).map(Node::one_or_many).unwrap_or_default();
    let count = nodes.len();
    let read: Vec<Vec<IpNet>> = nodes
        .into_iter()
        .filter_map(|node| net(node, lab))
        .collect();
    (read.len() == count).then(|| read.concat())
}

fn net(node: Node<'_>, lab: &Lab) -> Option<Vec<IpNet>> {
    if node.word()?.text.contains('/') {
        return node.subnet().map(|net| vec![net]);
    }
    let targets = expect::peers(node, lab)?.into_iter();
    let nets = targets.map(|target| match target {
        Target::Fixed(address) => Some(IpNet::from(address)),
        Target::Given(given) => node.refuse(target::unknown(node.span, &given)),
    });
    nets.collect()
}
