//! A route, as a host has it from the start and as a step adds it.

use std::net::IpAddr;

use fps_netlink::{LinkName, RouteKind, RouteProtocol, TableId};
use ipnet::IpNet;

use super::{Family, Lab, link};
use crate::scenario::model::{HostName, StaticRoute};
use crate::scenario::syntax::{Node, Table, Word, optional};

/// What becomes of a packet that leaves by no link, as ip-route(8) calls it.
const TYPES: &[(&str, RouteKind)] = &[
    ("unreachable", RouteKind::Unreachable),
    ("prohibit", RouteKind::Prohibit),
    ("blackhole", RouteKind::BlackHole),
    ("throw", RouteKind::Throw),
];

/// Who has set a route or a rule, by the names of ip-route(8).
const PROTOCOLS: &[(&str, RouteProtocol)] = &[
    ("kernel", RouteProtocol::Kernel),
    ("boot", RouteProtocol::Boot),
    ("static", RouteProtocol::Static),
    ("ra", RouteProtocol::Ra),
    ("dhcp", RouteProtocol::Dhcp),
];

/// Reads all keys of a route but the host's. A route that is deleted needs only `to`.
pub(crate) fn route(
    table: &Table<'_>,
    host: Option<&HostName>,
    needs_hop: bool,
    lab: &Lab,
) -> Option<StaticRoute> {
    let to = table.need("to", "\"10.0.0.0/8\"").and_then(Node::subnet);
    let metric = table.get("metric").and_then(link::metric);
    let link_word = table.get("link").and_then(Node::word);
    let link = host
        .zip(link_word)
        .and_then(|(host, word)| lab.interface(host, word));
    let via_word = table.get("via").and_then(Node::word);
    let via = via_word.and_then(|word| Some((word.address()?, word)));
    let kind = match table.get("type") {
        Some(node) => node.choice("type", TYPES),
        None => Some(RouteKind::Unicast),
    };
    if let (Some(kind), Some(hop)) = (table.key("type"), table.key("via").or(table.key("link"))) {
        let wrong = hop.wrong("what is refused leaves by no link");
        let wrong = wrong.label("remove it").other(kind.span, "it is refused");
        table.problems.add(wrong);
    } else if needs_hop
        && table.key("type").is_none()
        && table.get("via").is_none()
        && table.get("link").is_none()
    {
        let wrong = table.wrong(format!("{} leads nowhere", table.what));
        table
            .problems
            .add(wrong.help("add a gateway, `via = …`, an interface, `link = …`, or both"));
    }
    let number = table.get("table").and_then(table_id);
    let protocol = optional(table.get("protocol"), protocol);
    let onlink = table.get("onlink").map(|node| (node, node.flag()));
    if let Some((node, _)) = onlink.filter(|_| via_word.is_none() || link_word.is_none()) {
        let wrong = node.wrong("only a gateway on a link is taken for a neighbour");
        node.problems
            .add(wrong.help("add `via` and `link`, or leave `onlink` out"));
    }
    let onlink = onlink.and_then(|(_, flag)| flag).unwrap_or(false);
    let (to, kind, protocol) = (to?, kind?, protocol?);
    let source = optional(table.get("source"), |node| source(node, to))?;
    if let Some((ip, word)) = via {
        let (family, found) = (Family::of(to.addr()), Family::of(ip));
        if family != found {
            let wrong = word.wrong(format!("an {found} gateway for an {family} destination"));
            return word.refuse(wrong.label(format!("`to` is {to}")));
        }
        // Of such a gateway no subnet says where it is.
        let anywhere = onlink || (is_link_local(ip) && link.is_some());
        let host = host.filter(|_| !anywhere);
        if let Some(host) = host.filter(|_| link_word.is_none() || link.is_some()) {
            check_gateway(host, link.as_ref(), ip, word, lab)?;
        }
    }
    Some(StaticRoute {
        to,
        kind,
        via: via.map(|(ip, _)| ip),
        link,
        metric,
        table: number,
        source,
        protocol,
        onlink,
    })
}

/// The source that a route gives: an address of the family of its destination.
fn source(node: Node<'_>, to: IpNet) -> Option<IpAddr> {
    let ip = node.address()?;
    let (family, found) = (Family::of(to.addr()), Family::of(ip));
    if family == found {
        return Some(ip);
    }
    let wrong = node.wrong(format!("an {found} source for an {family} destination"));
    node.refuse(wrong.label(format!("`to` is {to}")))
}

/// Whether an address is that of a link alone, whatever its subnets are.
fn is_link_local(ip: IpAddr) -> bool {
    matches!(ip, IpAddr::V6(ip) if ip.is_unicast_link_local())
}

/// Reads who is said to have set a route or a rule: a name of ip-route(8), or a number.
pub(crate) fn protocol(node: Node<'_>) -> Option<RouteProtocol> {
    if node.value.is_str() {
        return node.choice("protocol", PROTOCOLS);
    }
    let number = node.integer("protocol", 0..=255)?;
    u8::try_from(number).ok().map(RouteProtocol::from)
}

/// Reads a table's number; not one of the machine's own (`default`, `main` and `local`).
pub(crate) fn table_id(node: Node<'_>) -> Option<TableId> {
    let number = node.integer("table", 1..=i64::from(u32::MAX))?;
    if (253..=255).contains(&number) {
        let wrong = node.wrong(format!("table {number} is one of the machine's own"));
        return node.refuse(wrong.help("leave it out for table main, or take another"));
    }
    u32::try_from(number).ok().map(TableId)
}

/// Checks that a host can reach a gateway without a gateway.
fn check_gateway(
    host: &HostName,
    link: Option<&LinkName>,
    ip: IpAddr,
    word: Word<'_>,
    lab: &Lab,
) -> Option<()> {
    if let Some(own) = lab
        .plugs
        .of(host, None)
        .find(|plug| plug.address.addr() == ip)
    {
        let wrong = word.wrong(format!("{ip} is an address of `{host}` itself"));
        let other = format!("`{}` has it", own.link);
        return word.refuse(
            wrong
                .label("a gateway is another host")
                .other(own.span, other),
        );
    }
    // Nobody but its program knows the subnets behind a TUN device.
    let on_tun = link.is_some_and(|link| lab.is_tun(host, link.as_str()));
    if on_tun || lab.doubtful_hosts.contains(host) {
        return Some(());
    }
    let plugs: Vec<_> = lab.plugs.of(host, link).collect();
    let given = lab.plugs.gifts(host, link).any(|gift| {
        let net = lab.nets.get(&gift.net);
        net.is_some_and(|net| match ip {
            IpAddr::V4(ip) => net.v4.is_some_and(|subnet| subnet.contains(&ip)),
            IpAddr::V6(ip) => net.v6.is_some_and(|subnet| subnet.contains(&ip)),
        })
    });
    if given || plugs.iter().any(|plug| plug.address.contains(&ip)) {
        return Some(());
    }
    let subnets: Vec<String> = plugs
        .iter()
        .map(|plug| format!("{} on {}", plug.address.trunc(), plug.link))
        .collect();
    let place = link.map_or_else(|| "any link".to_owned(), |link| format!("link `{link}`"));
    let wrong = word.wrong(format!("`{host}` has no subnet with {ip} on {place}"));
    let wrong = wrong.label("a gateway is a neighbour");
    word.refuse(if subnets.is_empty() {
        wrong
    } else {
        wrong.note(format!("subnets of `{host}` are: {}", subnets.join(", ")))
    })
}
