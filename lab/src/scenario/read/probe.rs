//! What is asked where: `from`, `to`, `with`, `port`, `ip` and more of an expectation.

mod get;
mod load;

use std::net::IpAddr;

use super::target::{Aim, aim};
use super::tunnel::fwmark;
use super::{Family, Lab, host};
use crate::scenario::model::{HostName, Load, Probe, ProbeProtocol, Sender, Target};
use crate::scenario::syntax::{Node, Table, Word, optional};

/// The keys of an expectation that sends probes.
pub(crate) const KEYS: [&str; 15] = [
    "name",
    "from",
    "to",
    "with",
    "port",
    "path",
    "status",
    "server-name",
    "ip",
    "source",
    "mark",
    "uid",
    "cgroup",
    "size",
    "dont-fragment",
];

/// A probe as far as the file can be trusted.
#[derive(Debug)]
pub(crate) struct Question<'a> {
    pub(crate) from: Option<HostName>,
    words: (Word<'a>, Word<'a>),
    aim: Option<Aim<'a>>,
    protocol: Option<ProbeProtocol>,
    /// What a GET asks for, in words.
    get: Option<String>,
    family: Option<(Family, Node<'a>)>,
    source: Option<Node<'a>>,
    sender: Option<Sender>,
    load: Option<Load>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Icmp,
    Tcp,
    Udp,
    Http,
    Https,
}

impl<'a> Question<'a> {
    /// Reads a probe's keys.
    pub(crate) fn read(table: &Table<'a>, lab: &Lab) -> Option<Self> {
        Self::read_by(Way::Icmp, table, lab)
    }

    /// The same where nothing but a TCP connection makes sense.
    pub(crate) fn read_tcp(table: &Table<'a>, lab: &Lab) -> Option<Self> {
        Self::read_by(Way::Tcp, table, lab)
    }

    fn read_by(default: Way, table: &Table<'a>, lab: &Lab) -> Option<Self> {
        let from_word = table.need("from", "\"laptop\"").and_then(Node::word);
        let to_word = table.need("to", "\"web\"").and_then(Node::word);
        let from = from_word.and_then(|word| lab.host(word));
        let aim = to_word.and_then(|word| aim(word, lab));
        let way = match table.get("with") {
            Some(node) => node.choice(
                "with",
                &[
                    ("icmp", Way::Icmp),
                    ("tcp", Way::Tcp),
                    ("udp", Way::Udp),
                    ("http", Way::Http),
                    ("https", Way::Https),
                ],
            ),
            None => Some(default),
        };
        let protocol = way.and_then(|way| protocol(table, way, aim.as_ref(), lab));
        let family = table.get("ip").and_then(|node| {
            let family = node.choice("ip", &[("v4", Family::V4), ("v6", Family::V6)])?;
            Some((family, node))
        });
        let sender = sender(table, from.as_ref(), lab);
        let load = load::read(table, protocol.as_ref());
        let words = (from_word?, to_word?);
        Some(Self {
            from,
            words,
            aim,
            protocol,
            get: get::text(table),
            family,
            source: table.get("source"),
            sender,
            load,
        })
    }

    /// Whether a capture cannot see what it says.
    pub(crate) fn is_encrypted(&self) -> bool {
        self.protocol
            .as_ref()
            .is_some_and(ProbeProtocol::is_encrypted)
    }

    /// What is asked, as names of expectations say it: `laptop -> web (tcp 80)`.
    pub(crate) fn text(&self) -> Option<String> {
        let protocol = match self.protocol.as_ref()? {
            ProbeProtocol::Icmp => None,
            protocol => Some(protocol.to_string()),
        };
        let family = self.family.map(|(family, _)| family.key().to_owned());
        let sender = self.sender.as_ref()?;
        let mark = sender.mark.map(|mark| format!("mark {mark}"));
        let uid = sender.uid.map(|uid| format!("uid {uid}"));
        let cgroup = sender.cgroup.as_ref();
        let cgroup = cgroup.map(|cgroup| format!("cgroup {cgroup}"));
        let source = sender.source.map(|source| format!("source {source}"));
        let load = self.load.as_ref()?;
        let size = load.size.map(|size| format!("{size} bytes"));
        let whole = load.whole.then(|| "whole".to_owned());
        let bulk = load.bulk.map(|bulk| bulk.to_string());
        let details = [
            protocol,
            self.get.clone(),
            family,
            source,
            mark,
            uid,
            cgroup,
            size,
            whole,
            bulk,
        ];
        let details: Vec<String> = details.into_iter().flatten().collect();
        let (from, to) = (self.words.0.text, self.words.1.text);
        Some(match details.is_empty() {
            true => format!("{from} -> {to}"),
            false => format!("{from} -> {to} ({})", details.join(", ")),
        })
    }

    /// The probe.
    pub(crate) fn probe(&self, lab: &Lab) -> Option<Probe> {
        let (from_word, to_word) = self.words;
        let aim = self.aim.as_ref()?;
        let from = self.from.clone()?;
        if aim.host() == Some(&from) {
            let wrong = to_word.wrong(format!("`{from}` asks itself"));
            let wrong = wrong.label("the probe would never leave the host");
            return to_word.refuse(wrong.other(from_word.span, "the sender"));
        }
        let at = self.family.map_or(to_word.span, |(_, node)| node.span);
        let address = aim.target(self.family.map(|(family, _)| family), at, lab)?;
        let to = aim.host().cloned();
        let sender = self.sender.clone()?;
        if let (Some(source), Some(node)) = (sender.source, self.source) {
            check_source(source, &address, node)?;
        }
        Some(Probe {
            from,
            to,
            address,
            protocol: self.protocol.clone()?,
            sender,
            load: self.load?,
        })
    }
}

/// What is special about the socket that asks.
fn sender(table: &Table<'_>, from: Option<&HostName>, lab: &Lab) -> Option<Sender> {
    let source = optional(table.get("source"), |node| source(node, from, lab));
    let mark = optional(table.get("mark"), fwmark);
    let uid = optional(table.get("uid"), |node| {
        // The last one stands for "no user" (setreuid(2)).
        let uid = node.integer("user's number", 0..=i64::from(u32::MAX) - 1)?;
        u32::try_from(uid).ok()
    });
    let cgroup = optional(table.get("cgroup"), |node| cgroup(node, from, lab));
    Some(Sender {
        source: source?,
        mark: mark?,
        uid: uid?.filter(|uid| *uid != 0),
        cgroup: cgroup?,
    })
}

/// An address that the sender has. One that it has not would be a mistake of the file that looks like
/// one of the network.
fn source(node: Node<'_>, from: Option<&HostName>, lab: &Lab) -> Option<IpAddr> {
    let word = node.word()?;
    let ip = node.address()?;
    let Some(from) = from.filter(|from| !lab.doubtful_hosts.contains(*from)) else {
        return Some(ip);
    };
    let has: Vec<IpAddr> = lab
        .plugs
        .of(from, None)
        .map(|plug| plug.address.addr())
        .collect();
    if has.contains(&ip) {
        return Some(ip);
    }
    let wrong = word.wrong(format!("`{from}` has no address {ip}"));
    let has: Vec<String> = has.iter().map(IpAddr::to_string).collect();
    word.refuse(match has.as_slice() {
        [] => wrong.label("it has none"),
        has => wrong.note(format!("it has {}", has.join(", "))),
    })
}

/// A socket with an IPv4 address cannot ask an IPv6 one.
fn check_source(source: IpAddr, target: &Target, node: Node<'_>) -> Option<()> {
    let (to, name) = match target {
        Target::Fixed(address) => (Family::of(*address), address.to_string()),
        Target::Given(given) => (given.family.into(), given.to_string()),
    };
    let of = Family::of(source);
    if of == to {
        return Some(());
    }
    let wrong = node.wrong(format!("an {of} source cannot ask {name}"));
    node.refuse(wrong.help(format!("choose an {to} source, or set `ip`")))
}

fn cgroup(node: Node<'_>, from: Option<&HostName>, lab: &Lab) -> Option<String> {
    let word = node.word()?;
    let Some((from, host)) = from.and_then(|from| Some((from, lab.hosts.get(from)?))) else {
        return Some(word.text.to_owned());
    };
    let there = host.cgroups.iter().any(|name| name == word.text);
    if there || lab.doubtful_hosts.contains(from) {
        return Some(word.text.to_owned());
    }
    let wrong = word.wrong(format!("`{from}` has no control group `{}`", word.text));
    word.refuse(match host.cgroups.as_slice() {
        [] => wrong.help(format!(
            "add `cgroups = [\"{}\"]` to [host.{from}]",
            word.text
        )),
        names => wrong.meant(
            word.text,
            "control groups",
            names.iter().map(String::as_str),
        ),
    })
}

fn protocol(
    table: &Table<'_>,
    way: Way,
    aim: Option<&Aim<'_>>,
    lab: &Lab,
) -> Option<ProbeProtocol> {
    let get = get::read(table, way, aim);
    let node = table.get("port");
    let key = match way {
        Way::Icmp => {
            return match node {
                None => Some(ProbeProtocol::Icmp),
                Some(node) => {
                    let wrong = node.wrong("icmp has no ports");
                    node.refuse(wrong.help("remove `port`, or add `with = \"tcp\"`"))
                }
            };
        }
        Way::Tcp => "tcp",
        Way::Udp => "udp",
        Way::Http => "http",
        Way::Https => "https",
    };
    let port = match node {
        Some(node) => {
            let port = host::port(node)?;
            check_served(node, key, port, aim, lab)?;
            port
        }
        None => only_port(table, key, aim?, lab)?,
    };
    Some(match way {
        Way::Icmp => ProbeProtocol::Icmp,
        Way::Tcp => ProbeProtocol::Tcp(port),
        Way::Udp => ProbeProtocol::Udp(port),
        Way::Http | Way::Https => ProbeProtocol::Web(Box::new(get?.at(port))),
    })
}

/// The ports that a host serves, unless nothing can be said about it.
fn served<'l>(host: &HostName, key: &str, lab: &'l Lab) -> Option<&'l [u16]> {
    let serve = &lab
        .hosts
        .get(host)
        .filter(|_| !lab.doubtful_hosts.contains(host))?
        .serve;
    Some(match key {
        "tcp" => &serve.tcp,
        "http" => &serve.http,
        "https" => &serve.https,
        _ => &serve.udp,
    })
}

fn list(ports: &[u16]) -> String {
    let ports: Vec<String> = ports.iter().map(u16::to_string).collect();
    ports.join(", ")
}

fn check_served(
    node: Node<'_>,
    key: &str,
    port: u16,
    aim: Option<&Aim<'_>>,
    lab: &Lab,
) -> Option<()> {
    let Some(host) = aim.and_then(Aim::host) else {
        return Some(());
    };
    let Some(ports) = served(host, key, lab) else {
        return Some(());
    };
    if ports.contains(&port) {
        return Some(());
    }
    let wrong = node.wrong(format!("`{host}` does not serve {key} {port}"));
    node.refuse(if ports.is_empty() {
        wrong.help(format!(
            "add `serve = {{ {key} = [{port}] }}` to [host.{host}]"
        ))
    } else {
        wrong.label(format!("it serves {key} {}", list(ports)))
    })
}

/// A port to show as an example.
fn usual(key: &str) -> u16 {
    if key == "https" { 443 } else { 80 }
}

fn only_port(table: &Table<'_>, key: &str, aim: &Aim<'_>, lab: &Lab) -> Option<u16> {
    let node = table.get("with").or(table.get("to"))?;
    let Some(host) = aim.host() else {
        let wrong = node.wrong(format!("{key} needs a port"));
        return node.refuse(wrong.help(format!("add `port = {}`", usual(key))));
    };
    match served(host, key, lab)? {
        [port] => Some(*port),
        [] => {
            let wrong = node.wrong(format!("`{host}` serves no {key} port"));
            let port = usual(key);
            node.refuse(wrong.help(format!(
                "add `serve = {{ {key} = [{port}] }}` to [host.{host}]"
            )))
        }
        ports => {
            let wrong = node.wrong(format!("`{host}` serves several {key} ports"));
            let wrong = wrong
                .label("say which")
                .note(format!("it serves {}", list(ports)));
            node.refuse(wrong.help(format!("add `port = {}`", ports[0])))
        }
    }
}
