//! `dhcp-server.LINK = { … }` of a host, and the acts `dhcp-server` and `dhcp`.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use fps_netlink::LinkName;
use indexmap::IndexMap;
use ipnet::{IpNet, Ipv4Net};

use super::{Family, Lab, net};
use crate::scenario::diagnostic::{Diagnostic, Problems, Span};
use crate::scenario::model::{
    DhcpCall, DhcpOrder, DhcpRange, DhcpRoute, DhcpServer, DhcpServerChange, DhcpTerms, HostName,
    NetName, Renewal,
};
use crate::scenario::syntax::{Node, Table, Word, is_domain, optional};

/// What a server's table may say, here and in an act.
const TERMS: [&str; 8] = [
    "range",
    "lease",
    "router",
    "name-servers",
    "routes",
    "mtu",
    "domain",
    "answers",
];

/// For how long a server gives an address where the file does not say.
const LEASE: Duration = Duration::from_secs(600);

const ORDERS: [(&str, DhcpOrder); 4] = [
    ("discover", DhcpOrder::Discover),
    ("renew", DhcpOrder::Renew),
    ("rebind", DhcpOrder::Rebind),
    ("release", DhcpOrder::Release),
];

/// A link that needs a DHCP server in its net, or for IPv6 a router that advertises, which may be
/// read later.
#[derive(Debug)]
pub(crate) struct Want {
    pub(crate) net: NetName,
    pub(crate) family: Family,
    pub(crate) span: Span,
}

/// Reads a host's servers, by link.
pub(crate) fn servers(
    node: Node<'_>,
    host: &HostName,
    lab: &Lab,
) -> IndexMap<LinkName, DhcpServer> {
    let entries = node.entries().into_iter();
    let read = entries.filter_map(|(word, node)| {
        let link = lab.link(host, word)?;
        Some((link, server(node, host, &link, lab)?))
    });
    read.collect()
}

fn server(node: Node<'_>, host: &HostName, link: &LinkName, lab: &Lab) -> Option<DhcpServer> {
    let table = node.table("a DHCP server", &TERMS)?;
    let plan = lab.hosts.get(host)?.links.get(link)?;
    let v4 = plan.addresses.iter().find_map(|address| match address {
        IpNet::V4(address) => Some(*address),
        IpNet::V6(_) => None,
    });
    let Some(address) = v4 else {
        if lab.doubtful_hosts.contains(host) {
            return None;
        }
        let wrong = node.wrong(format!("`{host}` has no IPv4 address on `{link}`"));
        return node.refuse(wrong.help("a DHCP server needs one, in `ip` of the link"));
    };
    let range = table.need("range", "\"192.168.188.100-192.168.188.150\"");
    let said = Said::read(&table, &plan.net, lab);
    range?;
    Some(DhcpServer {
        address,
        terms: DhcpTerms {
            range: said.range?,
            lease: said.lease.unwrap_or(LEASE),
            routers: said.routers.unwrap_or_else(|| vec![address.addr()]),
            name_servers: said.name_servers.unwrap_or_else(|| of_net(&plan.net, lab)),
            routes: said.routes.unwrap_or_default(),
            mtu: said.mtu,
            domain: said.domain,
            answers: said.answers.unwrap_or(true),
        },
    })
}

/// The name servers that a net gives, those of IPv4.
fn of_net(net: &NetName, lab: &Lab) -> Vec<Ipv4Addr> {
    let servers = lab.nets.get(net).map(|net| net.name_servers.as_slice());
    let servers = servers.unwrap_or_default().iter();
    servers.filter_map(|server| v4(*server)).collect()
}

fn v4(ip: IpAddr) -> Option<Ipv4Addr> {
    match ip {
        IpAddr::V4(ip) => Some(ip),
        IpAddr::V6(_) => None,
    }
}

/// Reads what a server gives from now on.
pub(crate) fn change(node: Node<'_>, lab: &Lab) -> Option<DhcpServerChange> {
    let keys = [&["on", "link"][..], &TERMS].concat();
    let table = node.table("`dhcp-server`", &keys)?;
    let on = table.need("on", "\"router\"").and_then(Node::word);
    let link = table.need("link", "\"lan\"").and_then(Node::word);
    if table
        .iter()
        .all(|(key, _)| ["on", "link"].contains(&key.text))
    {
        let wrong = table.wrong("nothing changes: what shall the server give?");
        return table.refuse(wrong.help("add `router = …`, `lease = …`, `answers = false` …"));
    }
    let (on_word, link_word) = (on?, link?);
    let on = lab.host(on_word)?;
    let link = lab.link(&on, link_word)?;
    let plan = lab.hosts.get(&on)?;
    let first = lab.cables.first_name(&on, &link)?;
    if !plan.dhcp_servers.contains_key(&first) {
        if lab.doubtful_hosts.contains(&on) {
            return None;
        }
        let wrong = link_word.wrong(format!("`{on}` has no DHCP server on `{link}`"));
        let help = format!("add `dhcp-server.{first} = {{ range = … }}` to [host.{on}]");
        return link_word.refuse(wrong.help(help));
    }
    let said = Said::read(&table, &plan.links.get(&first)?.net, lab);
    Some(DhcpServerChange {
        on,
        link,
        range: said.range,
        lease: said.lease,
        routers: said.routers,
        name_servers: said.name_servers,
        routes: said.routes,
        mtu: said.mtu,
        domain: said.domain,
        answers: said.answers,
    })
}

/// What a table says of the terms; none for what it does not say, and for what is wrong.
struct Said {
    range: Option<DhcpRange>,
    lease: Option<Duration>,
    routers: Option<Vec<Ipv4Addr>>,
    name_servers: Option<Vec<Ipv4Addr>>,
    routes: Option<Vec<DhcpRoute>>,
    mtu: Option<u16>,
    domain: Option<String>,
    answers: Option<bool>,
}

impl Said {
    fn read(table: &Table<'_>, net: &NetName, lab: &Lab) -> Self {
        let routers = table.get("router").map(Node::one_or_many);
        let near = |node: Node<'_>| neighbour(node, net, lab);
        let routes = table.get("routes").and_then(Node::list);
        Self {
            range: table.get("range").and_then(|node| range(node, net, lab)),
            lease: table.get("lease").and_then(lease),
            routers: routers.map(|nodes| nodes.into_iter().filter_map(near).collect()),
            name_servers: table.get("name-servers").map(|node| {
                let nodes = node.one_or_many().into_iter();
                nodes.filter_map(ipv4).collect()
            }),
            routes: routes.map(|nodes| {
                let nodes = nodes.into_iter();
                nodes.filter_map(|node| route(node, net, lab)).collect()
            }),
            // RFC 2132, 5.1.
            mtu: table.get("mtu").and_then(|node| {
                let mtu = node.integer("MTU", 68..=1500)?;
                u16::try_from(mtu).ok()
            }),
            domain: table.get("domain").and_then(domain),
            answers: table.get("answers").and_then(Node::flag),
        }
    }
}

fn ipv4(node: Node<'_>) -> Option<Ipv4Addr> {
    let ip = node.address()?;
    v4(ip).or_else(|| node.refuse(node.wrong(format!("{ip} is no IPv4 address"))))
}

/// An address of the net, which a client takes for a neighbour.
fn neighbour(node: Node<'_>, net: &NetName, lab: &Lab) -> Option<Ipv4Addr> {
    let ip = ipv4(node)?;
    net::place(lab, net, ip.into(), node.word()?)?;
    Some(ip)
}

fn range(node: Node<'_>, net: &NetName, lab: &Lab) -> Option<DhcpRange> {
    let word = node.word()?;
    let end = |text| -> Option<Ipv4Addr> {
        let part = Word { text, ..word };
        let ip = part.address()?;
        net::place(lab, net, ip, part)?;
        v4(ip)
    };
    if word.text.contains('/') {
        let wrong = word.wrong("a range is from one address to another");
        return word.refuse(wrong.label("write `FIRST-LAST`"));
    }
    let (first, last) = word.text.split_once('-').unwrap_or((word.text, word.text));
    let (first, last) = (end(first.trim())?, end(last.trim())?);
    if last < first {
        let wrong = word.wrong(format!("the range ends at {last}, below {first}"));
        return word.refuse(wrong);
    }
    let range = DhcpRange { first, last };
    let taken = lab.plugs.in_net(net).find(|plug| {
        let ip = v4(plug.address.addr());
        ip.is_some_and(|ip| range.contains(ip))
    });
    if let Some(plug) = taken {
        let wrong = word.wrong(format!("{} is taken already", plug.address.addr()));
        let other = format!("`{}` has it on `{}`", plug.host, plug.link);
        return word.refuse(wrong.label("this range holds it").other(plug.span, other));
    }
    Some(range)
}

fn lease(node: Node<'_>) -> Option<Duration> {
    let lease = node.duration()?;
    if lease.subsec_millis() == 0 {
        return Some(lease);
    }
    let wrong = node.wrong("a lease is given in whole seconds (RFC 2132, 9.2)");
    node.refuse(wrong.label("write `1s` or more"))
}

fn route(node: Node<'_>, net: &NetName, lab: &Lab) -> Option<DhcpRoute> {
    let table = node.table("a route by DHCP", &["to", "via"])?;
    let to_node = table.need("to", "\"10.0.0.0/8\"");
    let via = table.get("via").map(|node| neighbour(node, net, lab));
    let (to_node, to) = (to_node?, to_node?.subnet()?);
    let to: Ipv4Net = match to {
        IpNet::V4(to) => to,
        IpNet::V6(_) => {
            let wrong = to_node.wrong(format!("{to} is no IPv4 subnet"));
            return to_node.refuse(wrong);
        }
    };
    let via = match via {
        Some(via) => Some(via?),
        None => None,
    };
    Some(DhcpRoute { to, via })
}

fn domain(node: Node<'_>) -> Option<String> {
    let word = node.word()?;
    if is_domain(word.text) {
        return Some(word.text.to_owned());
    }
    word.refuse(word.wrong(format!("`{}` is no domain", word.text)))
}

/// Reads what a client is told.
pub(crate) fn call(node: Node<'_>, lab: &Lab) -> Option<DhcpCall> {
    let table = node.table("`dhcp`", &["on", "link", "do", "renewal"])?;
    let on = table.need("on", "\"laptop\"").and_then(Node::word);
    let link_word = table.need("link", "\"wlan0\"").and_then(Node::word);
    let order = table.need("do", "\"renew\"")?.choice("do", &ORDERS);
    let renewal = optional(table.get("renewal"), renewal);
    let (on, link_word) = (lab.host(on?)?, link_word?);
    let link = lab.link(&on, link_word)?;
    if !lab.plugs.is_given(&on, &link, Family::V4) {
        if lab.doubtful_hosts.contains(&on) {
            return None;
        }
        let wrong = link_word.wrong(format!("`{on}` has no DHCP client on `{link}`"));
        let help = "write `ip = \"dhcp\"` where the link is plugged in";
        return link_word.refuse(wrong.help(help));
    }
    Some(DhcpCall {
        on,
        link,
        order: order?,
        renewal: renewal?,
    })
}

/// Reads what becomes of an address that a client is given again.
pub(crate) fn renewal(node: Node<'_>) -> Option<Renewal> {
    let choices = [("keeps", Renewal::Keeps), ("replaces", Renewal::Replaces)];
    node.choice("renewal", &choices)
}

/// Reports each link that nobody will give an address to.
pub(crate) fn check_wants(lab: &mut Lab, problems: &Problems) {
    for Want { net, family, span } in std::mem::take(&mut lab.wants) {
        let mut links = lab.hosts.values().flat_map(|host| {
            let servers = host.dhcp_servers.keys();
            let routers = host.advertisements.keys();
            let keys: Vec<&LinkName> = match family {
                Family::V4 => servers.collect(),
                Family::V6 => routers.collect(),
            };
            keys.into_iter().filter_map(|link| host.links.get(link))
        });
        // What is said of a broken host or net would only repeat its mistake.
        if links.any(|link| link.net == net)
            || !lab.doubtful_hosts.is_empty()
            || lab.doubtful_nets.contains(&net)
        {
            continue;
        }
        let (who, key) = match family {
            Family::V4 => ("DHCP server", "dhcp-server.LINK = { range = \"…\" }"),
            Family::V6 => ("router that advertises", "advertise.LINK = {}"),
        };
        let wrong = Diagnostic::new(span, format!("net `{net}` has no {who}"));
        let help = format!("add `{key}` to a host with a link in that net");
        problems.add(wrong.help(help));
    }
}
