//! `advertise.LINK = { … }` of a host, and the act `advertise`.

use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use fps_netlink::LinkName;
use indexmap::IndexMap;
use ipnet::{IpNet, Ipv6Net};

use super::Lab;
use crate::scenario::model::{Advertisement, AdvertisementChange, HostName};
use crate::scenario::syntax::{Node, Table};

const KEYS: [&str; 10] = [
    "router",
    "lifetime",
    "prefix",
    "valid",
    "preferred",
    "routes",
    "name-servers",
    "mtu",
    "every",
    "answers",
];

/// For how long a router is one where the file does not say.
const LIFETIME: Duration = Duration::from_secs(600);
/// How often it says so.
const EVERY: Duration = Duration::from_secs(1);

/// Reads what a host advertises, by link.
pub(crate) fn all(node: Node<'_>, host: &HostName, lab: &Lab) -> IndexMap<LinkName, Advertisement> {
    let entries = node.entries().into_iter();
    let read = entries.filter_map(|(word, node)| {
        let link = lab.link(host, word)?;
        Some((link, advertisement(node, host, &link, lab)?))
    });
    read.collect()
}

fn advertisement(
    node: Node<'_>,
    host: &HostName,
    link: &LinkName,
    lab: &Lab,
) -> Option<Advertisement> {
    let table = node.table("an advertisement", &KEYS)?;
    let net = &lab.hosts.get(host)?.links.get(link)?.net;
    let subnet = lab.nets.get(net)?.v6;
    if subnet.is_none() && !lab.doubtful_nets.contains(net) {
        let wrong = node.wrong(format!("net `{net}` has no IPv6 subnet"));
        return node.refuse(wrong.label("there is nothing to advertise"));
    }
    let said = Said::read(&table);
    let servers = &lab.nets.get(net)?.name_servers;
    let valid = said.valid.unwrap_or(LIFETIME);
    Some(Advertisement {
        lifetime: said.lifetime.unwrap_or(Some(LIFETIME)),
        prefixes: said
            .prefixes
            .unwrap_or_else(|| subnet.into_iter().collect()),
        valid,
        preferred: said.preferred.unwrap_or(valid).min(valid),
        routes: said.routes.unwrap_or_default(),
        name_servers: said
            .name_servers
            .unwrap_or_else(|| servers.iter().filter_map(|it| v6(*it)).collect()),
        mtu: said.mtu,
        every: said.every.unwrap_or(EVERY),
        answers: said.answers.unwrap_or(true),
    })
}

fn v6(ip: IpAddr) -> Option<Ipv6Addr> {
    match ip {
        IpAddr::V6(ip) => Some(ip),
        IpAddr::V4(_) => None,
    }
}

/// Reads what a router says from now on.
pub(crate) fn change(node: Node<'_>, lab: &Lab) -> Option<AdvertisementChange> {
    let keys = [&["on", "link"][..], &KEYS].concat();
    let table = node.table("`advertise`", &keys)?;
    let on = table.need("on", "\"router\"").and_then(Node::word);
    let link = table.need("link", "\"lan\"").and_then(Node::word);
    let said = Said::read(&table);
    let (on_word, link_word) = (on?, link?);
    let on = lab.host(on_word)?;
    let link = lab.link(&on, link_word)?;
    let first = lab.cables.first_name(&on, &link)?;
    if !lab.hosts.get(&on)?.advertisements.contains_key(&first) {
        if lab.doubtful_hosts.contains(&on) {
            return None;
        }
        let wrong = link_word.wrong(format!("`{on}` advertises nothing on `{link}`"));
        let help = format!("add `advertise.{first} = {{ … }}` to [host.{on}]");
        return link_word.refuse(wrong.help(help));
    }
    Some(AdvertisementChange {
        on,
        link,
        lifetime: said.lifetime,
        prefixes: said.prefixes,
        valid: said.valid,
        preferred: said.preferred,
        routes: said.routes,
        name_servers: said.name_servers,
        mtu: said.mtu,
        every: said.every,
        answers: said.answers,
    })
}

/// What a table says; none for what it does not say, and for what is wrong.
struct Said {
    lifetime: Option<Option<Duration>>,
    prefixes: Option<Vec<Ipv6Net>>,
    valid: Option<Duration>,
    preferred: Option<Duration>,
    routes: Option<Vec<Ipv6Net>>,
    name_servers: Option<Vec<Ipv6Addr>>,
    mtu: Option<u32>,
    every: Option<Duration>,
    answers: Option<bool>,
}

impl Said {
    fn read(table: &Table<'_>) -> Self {
        let router = table.get("router").and_then(Node::flag);
        let lifetime = table.get("lifetime").and_then(Node::seconds);
        if let (Some(false), Some(key)) = (router, table.key("lifetime")) {
            let wrong = key.wrong("who is no router is none for no time");
            key.add(wrong.help("leave out `lifetime`, or `router = false`"));
        }
        let subnets = |key: &str| {
            let nodes = table.get(key).map(Node::one_or_many)?.into_iter();
            Some(nodes.filter_map(subnet).collect())
        };
        let prefixes: Option<Vec<Ipv6Net>> = subnets("prefix");
        for net in prefixes
            .iter()
            .flatten()
            .filter(|net| net.prefix_len() != 64)
        {
            if let Some(key) = table.key("prefix") {
                let wrong = key.wrong(format!("no host makes an address in {net}"));
                key.add(wrong.label("the kernel's need a prefix of 64 bits (RFC 4862, 5.5.3)"));
            }
        }
        let servers = table.get("name-servers").map(Node::one_or_many);
        Self {
            lifetime: match router {
                Some(false) => Some(None),
                Some(true) => Some(Some(lifetime.unwrap_or(LIFETIME))),
                None => lifetime.map(Some),
            },
            prefixes,
            valid: table.get("valid").and_then(Node::seconds),
            preferred: table.get("preferred").and_then(Node::seconds),
            routes: subnets("routes"),
            name_servers: servers.map(|nodes| {
                let nodes = nodes.into_iter();
                nodes.filter_map(address).collect()
            }),
            mtu: table.get("mtu").and_then(|node| {
                let mtu = node.integer("MTU", 1280..=1500)?;
                u32::try_from(mtu).ok()
            }),
            every: table.get("every").and_then(Node::duration),
            answers: table.get("answers").and_then(Node::flag),
        }
    }
}

fn subnet(node: Node<'_>) -> Option<Ipv6Net> {
    match node.subnet()? {
        IpNet::V6(net) => Some(net),
        IpNet::V4(net) => node.refuse(node.wrong(format!("{net} is no IPv6 subnet"))),
    }
}

fn address(node: Node<'_>) -> Option<Ipv6Addr> {
    let ip = node.address()?;
    v6(ip).or_else(|| node.refuse(node.wrong(format!("{ip} is no IPv6 address"))))
}
