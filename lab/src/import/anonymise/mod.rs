//! A dump in which other addresses and names are in place of the customer's, consistently.
//!
//! - [`anonymise`]: the whole dump
//! - `bits`: addresses, so that each lookup finds what it found before
//! - `words`: domains, and addresses in texts; `reverse`: domains of addresses; `range`: ranges of them
//! - `ruleset`: the names in a firewall
//!
//! The last byte of an address stays, and so do private ranges as such, tables, marks, priorities and
//! the names of links that say what they are. Hardware addresses are not in a scenario at all.

mod bits;
mod range;
mod reverse;
mod ruleset;
mod words;

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::LazyLock;

use fps_netlink::LinkName;
use ipnet::IpNet;
use regex::Regex;

use crate::dump::{Dump, Remarks, Scope};
use bits::Addresses;
use ruleset::Names;
use words::{Domains, Replaced};

/// The comment of a rule, an element, a set, a chain or a table: nft(8) has no quotation mark in it.
static COMMENT: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"(?:^|\s)comment "[^"]*""#).expect("a pattern"));
/// What a rule writes before a packet that it logs.
static PREFIX: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"(^|\s)prefix "[^"]*""#).expect("a pattern"));

/// What a link's name begins with that says what it is, and nothing of whose.
const TELLING: [&str; 39] = [
    "lo",
    "eth",
    "en",
    "wl",
    "ww",
    "usb",
    "br",
    "virbr",
    "docker",
    "veth",
    "vnet",
    "lxc",
    "lxdbr",
    "wg",
    "tun",
    "tap",
    "ppp",
    "tailscale",
    "ts",
    "bond",
    "team",
    "vlan",
    "dummy",
    "ifb",
    "fps",
    "nordlynx",
    "nordtun",
    "proton",
    "pvpn",
    "mullvad",
    "wt",
    "utun",
    "cali",
    "cni",
    "flannel",
    "vxlan",
    "gre",
    "sit",
    "ipsec",
];

/// How a dump is made anonymous.
struct Anonymiser {
    addresses: Addresses,
    domains: Domains,
    links: HashMap<LinkName, LinkName>,
    /// What stands before a star, and other beginnings in its place.
    starts: Vec<(String, String)>,
}

/// Puts other addresses and names in place of the customer's. With the same key the same come out.
pub fn anonymise(dump: &Dump, key: [u8; 16]) -> Dump {
    let mut new = dump.clone();
    if let Some(why) = super::firewall::too_long(&new) {
        new.remarks.add(why);
        new.nft.clear();
    }
    let (links, starts) = links(dump);
    let anonymiser = Anonymiser {
        addresses: Addresses::new(key, &nets(dump), &words::nets(&new.nft)),
        domains: Domains::default(),
        links,
        starts,
    };
    anonymiser.apply(&mut new);
    new
}

/// All subnets and addresses of a dump that its routing knows.
fn nets(dump: &Dump) -> Vec<IpNet> {
    let mut nets: Vec<IpNet> = Vec::new();
    for address in dump.links.iter().flat_map(|link| &link.addresses) {
        nets.push(address.address.net.trunc());
        nets.extend(address.peer.map(IpNet::from));
    }
    for route in &dump.routes {
        let own = &route.route;
        nets.push(own.to);
        let ips = [own.gateway, own.source, route.via].into_iter().flatten();
        let hops = route.hops.iter().filter_map(|hop| hop.gateway.or(hop.via));
        nets.extend(ips.chain(hops).map(IpNet::from));
    }
    nets.extend(
        dump.rules
            .iter()
            .flat_map(|it| [it.rule.from, it.rule.to])
            .flatten(),
    );
    nets.extend(dump.resolver.servers().into_iter().map(IpNet::from));
    let resolved = dump.resolver.resolved.iter();
    let scopes = resolved.flat_map(|it| {
        [&it.global]
            .into_iter()
            .chain(it.links.iter().map(|(_, scope)| scope))
    });
    let domains = scopes.flat_map(|scope| &scope.domains);
    let zones = domains.filter_map(|name| {
        let name = name
            .trim_start_matches('~')
            .trim_end_matches('.')
            .to_ascii_lowercase();
        reverse::net(reverse::split(&name).1)
    });
    nets.extend(zones.filter(|net| !bits::is_around_others(*net)));
    let embedded: Vec<IpNet> = nets.iter().filter_map(|net| bits::embedded(*net)).collect();
    nets.extend(embedded);
    nets
}

/// The names of links that may be somebody's, and others in their place.
fn links(dump: &Dump) -> (HashMap<LinkName, LinkName>, Vec<(String, String)>) {
    let there = dump.links.iter().map(|link| {
        let kind = match link.kind.as_deref() {
            Some("wireguard") => "wg",
            Some("tun") => "tun",
            Some("bridge") => "br",
            _ => "link",
        };
        (link.name(), kind)
    });
    // Those that rules and the firewall wait for, as those of a VPN that is down.
    let rules = dump.rules.iter();
    let of_rules = rules.flat_map(|it| [it.rule.input, it.rule.output]);
    let of_firewall = ruleset::links(&dump.nft).into_iter();
    let (patterns, named): (Vec<&str>, Vec<&str>) = of_firewall.partition(|it| it.ends_with('*'));
    let named = named.into_iter().filter_map(|it| LinkName::new(it).ok());
    let absent = of_rules.flatten().chain(named);
    let all: Vec<(LinkName, &str)> = there.chain(absent.map(|name| (name, "link"))).collect();
    let starts = starts(&patterns);
    let mut new: HashMap<LinkName, LinkName> = HashMap::new();
    for (name, kind) in &all {
        if tells(name.as_str()) || new.contains_key(name) {
            continue;
        }
        let taken = |name: &LinkName| {
            let mut all = all.iter();
            all.any(|(it, _)| it == name) || new.values().any(|it| it == name)
        };
        // What a pattern is for, it is for with the other name.
        let start = starts
            .iter()
            .find(|(start, _)| name.as_str().starts_with(start));
        let kind = start.map_or(*kind, |(_, new)| new.as_str());
        // A beginning may be too long for a number behind it.
        let numbered = |kind: &str, number: u32| LinkName::new(format!("{kind}{number}")).ok();
        let of_kind = (90..10_000).filter_map(|number| numbered(kind, number));
        let others = (90..).filter_map(|number| numbered("link", number));
        if let Some(free) = of_kind.chain(others).find(|name| !taken(name)) {
            new.insert(*name, free);
        }
    }
    (new, starts)
}

/// What stands before the star of a firewall's patterns for links, the longest first, and what is there in its
/// place.
fn starts(patterns: &[&str]) -> Vec<(String, String)> {
    let mut old: Vec<&str> = patterns.iter().map(|it| it.trim_end_matches('*')).collect();
    old.retain(|start| !start.is_empty());
    old.sort_unstable_by_key(|start| (start.len(), *start));
    old.dedup();
    let mut new: Vec<(String, String)> = Vec::new();
    // Of two letters each, so that none is the beginning of another.
    let letters = || 'a'..='z';
    let mut codes = letters().flat_map(|one| letters().map(move |two| format!("{one}{two}")));
    for start in old {
        if tells(start) {
            new.insert(0, (start.to_owned(), start.to_owned()));
            continue;
        }
        let code = codes.next().unwrap_or_default();
        // A longer one is for a part of what a shorter one is for.
        let before = new.iter().find(|(shorter, _)| start.starts_with(shorter));
        let before = before.map_or("if", |(_, new)| new.as_str());
        new.insert(0, (start.to_owned(), format!("{before}{code}")));
    }
    new
}

/// Whether a name says what kind of link it is, and nothing else: a known beginning, then digits and what
/// udev(7) puts between them.
fn tells(name: &str) -> bool {
    let plain = |rest: &str| {
        let short = |part: &str| part.len() <= 1;
        let letters = rest.split(|c: char| c.is_ascii_digit() || ".-_".contains(c));
        letters.into_iter().all(short)
    };
    let random = |start: &str, rest: &str| {
        // What container engines draw by lot.
        ["veth", "br", "cali", "lxc"].contains(&start)
            && rest
                .trim_start_matches('-')
                .chars()
                .all(|c| c.is_ascii_hexdigit())
    };
    let mut starts = TELLING.iter();
    // These go on with a hardware address.
    !["enx", "wlx", "wwx"]
        .iter()
        .any(|start| name.starts_with(start))
        && starts.any(|start| {
            let rest = name.strip_prefix(*start);
            rest.is_some_and(|rest| plain(rest) || random(start, rest))
        })
}

impl Anonymiser {
    fn apply(&self, dump: &mut Dump) {
        for link in &mut dump.links {
            link.link.name = self.link(link.link.name);
            for address in &mut link.addresses {
                let before = address.address.net;
                let after = self.addresses.net(before);
                address.address.net = after;
                address.peer = address.peer.map(|ip| self.addresses.ip(ip));
                let usual = address.broadcast == Some(before.broadcast());
                address.broadcast = match usual {
                    true => Some(after.broadcast()),
                    false => address.broadcast.map(|ip| self.addresses.ip(ip)),
                };
                // A label may begin with the link's name only, and says nothing.
                address.label = None;
            }
        }
        for route in &mut dump.routes {
            route.route.to = self.addresses.net(route.route.to);
            let ip = |ip: IpAddr| self.addresses.ip(ip);
            route.route.gateway = route.route.gateway.map(ip);
            route.route.source = route.route.source.map(ip);
            route.via = route.via.map(ip);
            for hop in &mut route.hops {
                hop.gateway = hop.gateway.map(ip);
                hop.via = hop.via.map(ip);
                hop.link = hop.link.map(|name| self.link(name));
            }
        }
        for rule in &mut dump.rules {
            rule.rule.from = rule.rule.from.map(|net| self.addresses.net(net));
            rule.rule.to = rule.rule.to.map(|net| self.addresses.net(net));
            rule.rule.input = rule.rule.input.map(|name| self.link(name));
            rule.rule.output = rule.rule.output.map(|name| self.link(name));
        }
        self.names(dump);
        let sysctls = std::mem::take(&mut dump.sysctls);
        let sysctls = sysctls
            .into_iter()
            .map(|(key, value)| (self.sysctl(&key), value));
        dump.sysctls = sysctls.collect();
        let mut remarks = Remarks::default();
        for line in dump.remarks.lines() {
            remarks.add(self.sentence(&line).text);
        }
        dump.nft = self.firewall(&dump.nft, &mut remarks);
        if !self.addresses.tells_all_apart() {
            remarks.add("the firewall has large public subnets, or very many: of those that nothing else knows, several may have one in their place");
        }
        if !self.addresses.fits() {
            remarks.add("its public subnets are too large for the ranges of documentation: other public addresses are in their place, which are somebody's, too");
        }
        dump.remarks = remarks;
    }

    fn link(&self, name: LinkName) -> LinkName {
        self.links.get(&name).copied().unwrap_or(name)
    }

    /// A text that names links, as words of their own.
    fn sentence(&self, text: &str) -> Replaced {
        let words = text.split(' ').map(|word| {
            let bare = word.trim_matches(|c: char| "\"',:;{}".contains(c));
            if let Some(start) = bare.strip_suffix('*') {
                let mut starts = self.starts.iter();
                return match starts.find(|(old, _)| old == start) {
                    Some((_, new)) => word.replace(start, new),
                    None => word.to_owned(),
                };
            }
            let name = LinkName::new(bare).ok().filter(|_| !bare.is_empty());
            match name.and_then(|name| self.links.get(&name)) {
                Some(new) => word.replace(bare, new.as_str()),
                None => word.to_owned(),
            }
        });
        words::text(&words.collect::<Vec<_>>().join(" "), &self.addresses)
    }

    /// A ruleset, with other names, without its comments, and with another text before what it logs.
    fn firewall(&self, text: &str, remarks: &mut Remarks) -> String {
        let mut new = String::with_capacity(text.len());
        let names = Names::of(text);
        for line in text.lines() {
            let line = names.line(line);
            let line = COMMENT.replace_all(&line, "");
            let line = PREFIX.replace_all(&line, "${1}prefix \"logged: \"");
            let replaced = self.sentence(&line);
            new += &replaced.text;
            new.push('\n');
            if !replaced.inexact.is_empty() {
                remarks.add(format!(
                    "a range of the firewall has other addresses in it: {}",
                    replaced.text.trim()
                ));
            }
        }
        new
    }

    fn names(&self, dump: &mut Dump) {
        let resolver = &mut dump.resolver;
        if let Some(resolved) = &mut resolver.resolved {
            self.scope(&mut resolved.global);
            resolved.links.retain_mut(|(name, scope)| {
                self.scope(scope);
                let known = LinkName::new(&*name).ok();
                let is_known = known.is_some();
                if let Some(known) = known {
                    *name = self.link(known).to_string();
                }
                is_known
            });
        }
        let text = resolver.resolv_conf.take();
        resolver.resolv_conf = text.map(|text| {
            let lines = text.lines().filter_map(|line| self.resolv_line(line));
            lines.map(|line| line + "\n").collect()
        });
    }

    fn scope(&self, scope: &mut Scope) {
        for server in &mut scope.servers {
            server.ip = self.addresses.ip(server.ip);
            let name = server.name.take();
            server.name = name.map(|name| self.domains.name(&name, &self.addresses));
        }
        let domains = scope.domains.iter_mut();
        domains.for_each(|name| *name = self.domains.name(name, &self.addresses));
    }

    /// A line of /etc/resolv.conf; none of a comment.
    fn resolv_line(&self, line: &str) -> Option<String> {
        let mut words = line.split_whitespace();
        let first = words.next().unwrap_or_default();
        match first {
            "search" | "domain" => {
                let names: Vec<String> = words
                    .map(|name| self.domains.name(name, &self.addresses))
                    .collect();
                Some(format!("{first} {}", names.join(" ")))
            }
            first if first.starts_with(['#', ';']) => None,
            _ => {
                let line = match line.rsplit_once('%') {
                    Some((server, link)) => {
                        let link = LinkName::new(link.trim()).map(|name| self.link(name));
                        link.map_or_else(|_| server.to_owned(), |link| format!("{server}%{link}"))
                    }
                    None => line.to_owned(),
                };
                Some(words::text(&line, &self.addresses).text)
            }
        }
    }

    fn sysctl(&self, key: &str) -> String {
        let mut parts: Vec<String> = key.split('.').map(str::to_owned).collect();
        if let Some(part) = parts.get_mut(3) {
            let name = LinkName::new(part.replace('/', ".")).ok();
            if let Some(new) = name.and_then(|name| self.links.get(&name)) {
                *part = new.as_str().replace('.', "/");
            }
        }
        parts.join(".")
    }
}

#[cfg(test)]
mod tests;
