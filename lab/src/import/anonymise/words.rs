//! Other names in place of a host's domains, and addresses in texts.

use std::cell::RefCell;
use std::collections::HashMap;
use std::net::IpAddr;

use ipnet::IpNet;

use super::bits::Addresses;

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
    pub(super) fn name(&self, name: &str) -> String {
        let (routing, bare) = match name.strip_prefix('~') {
            Some(rest) => ("~", rest),
            None => ("", name),
        };
        let trimmed = bare.trim_end_matches('.').to_ascii_lowercase();
        let fixed = trimmed.is_empty() || COMMON.contains(&trimmed.as_str());
        let reverse = trimmed.ends_with(".arpa") && !trimmed.ends_with(".home.arpa");
        if fixed || reverse || trimmed.parse::<IpAddr>().is_ok() {
            return name.to_owned();
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

/// A text in which every address, subnet and hardware address has another in its place.
pub(super) fn text(text: &str, addresses: &Addresses) -> String {
    let is_part = |c: char| c.is_ascii_alphanumeric() || ".:/".contains(c);
    let mut new = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(is_part) {
        let (before, tail) = rest.split_at(start);
        new.push_str(before);
        let end = tail.find(|c| !is_part(c)).unwrap_or(tail.len());
        let (word, tail) = tail.split_at(end);
        new.push_str(&token(word, addresses));
        rest = tail;
    }
    new.push_str(rest);
    new
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
