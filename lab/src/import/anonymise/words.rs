//! Other names in place of a host's domains, and addresses in texts.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;

use ipnet::IpNet;

use super::bits::{Addresses, embedded, is_around_others};
use super::range::{self, Place};
use super::reverse;

/// Domains that are nobody's.
const COMMON: [&str; 6] = [
    "local",
    "localdomain",
    "home.arpa",
    "internal",
    "lan",
    "home",
];

/// The labels that were given so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Domains(RefCell<HashMap<String, usize>>);

impl Domains {
    /// The name in the place of one: each label has one in its place, so that what is below a domain is
    /// below it still, and two are two. All are below `example`, or below the domain that is nobody's.
    /// A name of the reverse tree is that of the subnet in the place of its own.
    pub(super) fn name(&self, name: &str, addresses: &Addresses) -> String {
        let (routing, bare) = match name.strip_prefix('~') {
            Some(rest) => ("~", rest),
            None => ("", name),
        };
        let trimmed = bare.trim_end_matches('.').to_ascii_lowercase();
        let fixed = trimmed.is_empty() || COMMON.contains(&trimmed.as_str());
        if fixed || trimmed.parse::<IpAddr>().is_ok() {
            return name.to_owned();
        }
        if trimmed.ends_with(".arpa") && !trimmed.ends_with(".home.arpa") {
            let (before, zone) = reverse::split(&trimmed);
            let before = before.map(|label| self.label(label) + ".");
            let zone = match reverse::net(zone).filter(|net| !is_around_others(*net)) {
                Some(net) => reverse::name(addresses.net(net)),
                None => zone.to_owned(),
            };
            return format!("{routing}{}{zone}", before.collect::<String>());
        }
        let mut common = COMMON.iter().filter_map(|common| {
            let below = trimmed.strip_suffix(common)?.strip_suffix('.')?;
            Some((below, *common))
        });
        let (below, domain) = common.next().unwrap_or((&trimmed, "example"));
        let labels: Vec<String> = below.split('.').map(|label| self.label(label)).collect();
        format!("{routing}{}.{domain}", labels.join("."))
    }

    fn label(&self, label: &str) -> String {
        let mut known = self.0.borrow_mut();
        let next = known.len() + 1;
        let number = known.entry(label.to_owned()).or_insert(next);
        format!("name{number}")
    }
}

/// The subnets and addresses in a text, and those that its ranges consist of.
pub(super) fn nets(text: &str) -> BTreeSet<IpNet> {
    let mut nets = BTreeSet::new();
    for word in text.split(|c| !is_part(c) && c != '-') {
        match range::parse(word) {
            Some((range, _)) => nets.extend(range.subnets()),
            None => nets.extend(word.split('-').filter_map(net)),
        }
    }
    let embedded: Vec<IpNet> = nets.iter().filter_map(|net| embedded(*net)).collect();
    nets.extend(embedded);
    nets
}

fn is_part(c: char) -> bool {
    c.is_ascii_alphanumeric() || ".:/".contains(c)
}

/// A subnet, or an address, behind which a sentence may go on and a port may stand.
fn net(word: &str) -> Option<IpNet> {
    let bare = word.trim_end_matches(['.', ':', '/']);
    let parsed = |text: &str| {
        let ip = || text.parse::<IpAddr>().ok().map(IpNet::from);
        text.parse::<IpNet>().ok().or_else(ip)
    };
    let before_port = || bare.rsplit_once(':').and_then(|(ip, _)| parsed(ip));
    parsed(word).or_else(|| parsed(bare)).or_else(before_port)
}

/// A text with other addresses, and the ranges of it that are not quite the same ones there.
#[derive(Debug, Default)]
pub(super) struct Replaced {
    pub(super) text: String,
    pub(super) inexact: Vec<String>,
}

/// A text in which every address, subnet, range and hardware address has another in its place.
pub(super) fn text(text: &str, addresses: &Addresses) -> Replaced {
    let mut new = Replaced::default();
    let mut rest = text;
    while let Some(start) = rest.find(is_part) {
        let (before, tail) = rest.split_at(start);
        new.text.push_str(before);
        let end = |is_part: &dyn Fn(char) -> bool| tail.find(|c| !is_part(c)).unwrap_or(tail.len());
        let (word, behind) = tail.split_at(end(&|c| is_part(c) || c == '-'));
        // In front of a port nft(8) has an address of IPv6 in brackets, so that a word ends there.
        let bracketed = || {
            let second = behind.strip_prefix("]-[")?;
            let (second, behind) = second.split_at(second.find(']')?);
            Some((range::parse(&format!("{word}-{second}"))?.0, behind))
        };
        let found = match range::parse(word) {
            Some((range, "")) => Some((range, place(&new.text, behind), "", behind)),
            Some((range, port)) => Some((range, Place::Single, port, behind)),
            None => bracketed().map(|(range, behind)| (range, Place::Bracketed, "", behind)),
        };
        if let Some((range, place, port, behind)) = found {
            let (text, exact) = range.replaced(addresses, place);
            new.inexact.extend((!exact).then(|| word.to_owned()));
            new.text.push_str(&text);
            new.text.push_str(port);
            rest = behind;
            continue;
        }
        let (word, behind) = tail.split_at(end(&is_part));
        new.text.push_str(&token(word, addresses));
        rest = behind;
    }
    new.text.push_str(rest);
    new
}

/// Where in a ruleset a range is: nft(8) puts lists between braces, some in each line.
fn place(before: &str, behind: &str) -> Place {
    let before = before.trim_end();
    let behind = behind.trim_start();
    let begins = before.is_empty() || before.ends_with(['{', ',']);
    let ends = behind.is_empty() || behind.starts_with(['}', ',']);
    match before.rsplit([' ', '\t']).next() {
        _ if begins && ends => Place::Listed,
        Some("saddr" | "daddr" | "==" | "!=") => Place::Compared,
        _ => Place::Single,
    }
}

fn token(word: &str, addresses: &Addresses) -> String {
    // A sentence may go on behind an address.
    let bare = word.trim_end_matches(['.', ':', '/']);
    let behind = &word[bare.len()..];
    if let Ok(net) = word.parse::<IpNet>() {
        return addresses.net(net).to_string();
    }
    // `::` is an address that ends so.
    for (bare, behind) in [(word, ""), (bare, behind)] {
        if let Ok(ip) = bare.parse::<IpAddr>() {
            return format!("{}{behind}", addresses.ip(ip));
        }
        if let Ok(net) = bare.parse::<IpNet>() {
            return format!("{}{behind}", addresses.net(net));
        }
    }
    if is_hardware(bare) {
        return format!("02:00:00:00:00:00{behind}");
    }
    let port = bare
        .rsplit_once(':')
        .and_then(|(ip, port)| Some((ip.parse::<IpAddr>().ok()?, port)));
    match port {
        Some((ip, port)) => format!("{}:{port}{behind}", addresses.ip(ip)),
        None => word.to_owned(),
    }
}

/// Whether a word is a hardware address: six bytes of two digits.
fn is_hardware(word: &str) -> bool {
    let bytes = || word.split(':');
    let byte = |text: &str| text.len() == 2 && text.bytes().all(|c| c.is_ascii_hexdigit());
    bytes().count() == 6 && bytes().all(byte)
}
