//! A kernel object in one line, as ip(8) or sysctl(8) prints it.

use super::sysctl;
use super::words::Words;
use crate::scenario::model::{KernelLine, ObjectKind};
use crate::scenario::syntax::{Node, Word};

/// What a value behind a word is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// Nothing: the word stands alone.
    None,
    /// A whole number.
    Number,
    /// A mark, with or without its mask.
    Mark,
    /// A table by number or name.
    Table,
    /// A prefix, an address, `default` or `all`.
    Prefix,
    /// An address.
    Address,
    /// Anything: a name.
    Text,
}

/// A word, what is called so by the kernel's snapshot, and its value.
type Known = (&'static str, &'static str, Value);

const RULE: &[Known] = &[
    ("not", "not", Value::None),
    ("from", "from", Value::Prefix),
    ("to", "to", Value::Prefix),
    ("fwmark", "fwmark", Value::Mark),
    ("iif", "iif", Value::Text),
    ("oif", "oif", Value::Text),
    ("ipproto", "ipproto", Value::Text),
    ("sport", "sport", Value::Text),
    ("dport", "dport", Value::Text),
    ("uidrange", "uidrange", Value::Text),
    ("lookup", "lookup", Value::Table),
    ("table", "lookup", Value::Table),
    ("goto", "goto", Value::Number),
    (
        "suppress_prefixlength",
        "suppress_prefixlength",
        Value::Number,
    ),
    ("proto", "proto", Value::Text),
    ("priority", "priority", Value::Number),
    ("pref", "priority", Value::Number),
    ("unreachable", "action=unreachable", Value::None),
    ("prohibit", "action=prohibit", Value::None),
    ("blackhole", "action=blackhole", Value::None),
    ("nop", "action=nop", Value::None),
];

const ROUTE: &[Known] = &[
    ("to", "to", Value::Prefix),
    ("via", "via", Value::Address),
    ("dev", "dev", Value::Text),
    ("table", "table", Value::Table),
    ("proto", "proto", Value::Text),
    ("scope", "scope", Value::Text),
    ("src", "src", Value::Address),
    ("metric", "metric", Value::Number),
    ("mtu", "mtu", Value::Number),
    ("advmss", "advmss", Value::Number),
    ("pref", "pref", Value::Text),
    ("onlink", "onlink", Value::None),
];

const ADDRESS: &[Known] = &[
    ("dev", "dev", Value::Text),
    ("peer", "peer", Value::Address),
    ("brd", "brd", Value::Address),
    ("scope", "scope", Value::Text),
    ("label", "label", Value::Text),
    ("metric", "metric", Value::Number),
    ("noprefixroute", "noprefixroute", Value::None),
];

const LINK: &[Known] = &[
    ("up", "state=up", Value::None),
    ("down", "state=down", Value::None),
    ("mtu", "mtu", Value::Number),
    ("master", "master", Value::Text),
    ("type", "type", Value::Text),
    ("group", "group", Value::Number),
    ("address", "address", Value::Text),
    ("alias", "alias", Value::Text),
];

/// What ip(8) writes before the destination of a route that is no plain one.
const TYPES: [&str; 8] = [
    "local",
    "broadcast",
    "anycast",
    "multicast",
    "blackhole",
    "unreachable",
    "prohibit",
    "throw",
];

/// Reads a line.
pub(super) fn wanted(node: Node<'_>, kind: ObjectKind) -> Option<KernelLine> {
    wanted_word(node.word()?, kind)
}

/// Reads a line that is part of another.
pub(super) fn wanted_word(line: Word<'_>, kind: ObjectKind) -> Option<KernelLine> {
    let words = match kind {
        ObjectKind::Rule => rule(line),
        ObjectKind::Route => route(line),
        ObjectKind::Address => address(line),
        ObjectKind::Link => link(line),
        ObjectKind::Sysctl => sysctl::setting(line),
    };
    Some(KernelLine {
        kind,
        text: line.text.to_owned(),
        words: words?,
    })
}

type Read = Option<Vec<(String, Option<String>)>>;

/// `32764: not from all fwmark 0x1 lookup 51820`
fn rule(line: Word<'_>) -> Read {
    let mut words = Words::new(line);
    let mut v6 = words.take_if("-6");
    let mut found = Vec::new();
    // As `ip rule` prints the priority.
    if let Some(first) = words.peek().and_then(|first| first.text.strip_suffix(':')) {
        let priority = first.to_owned();
        let word = words.next()?;
        if priority.parse::<u32>().is_err() {
            return word.refuse(word.wrong(format!("`{priority}` is no priority")));
        }
        found.push(("priority".to_owned(), priority));
    }
    v6 |= words.rest(RULE, "rule", &mut found)?;
    let mut found = some(found);
    found.push((if v6 { "-6" } else { "-4" }.to_owned(), Some(String::new())));
    // Another sense altogether: never meant where it is not written.
    unless_there(&mut found, "not");
    Some(found)
}

/// `unreachable default dev lo table 51820 metric 1024`
fn route(line: Word<'_>) -> Read {
    let mut words = Words::new(line);
    let mut v6 = words.take_if("-6");
    let mut found = Vec::new();
    let kind = words.peek().filter(|word| TYPES.contains(&word.text));
    if let Some(kind) = kind {
        found.push(("type".to_owned(), kind.text.to_owned()));
        words.next();
    }
    words.take_if("to");
    let Some(to) = words.next() else {
        return line.refuse(
            line.wrong("a route has a destination")
                .help("write `default`, or a prefix"),
        );
    };
    let mut more = Vec::new();
    v6 |= words.rest(ROUTE, "route", &mut more)?;
    let to = match (to.text, v6) {
        ("default", true) => "::/0".to_owned(),
        ("default", false) => "0.0.0.0/0".to_owned(),
        _ => super::words::prefix(to)?,
    };
    found.push(("to".to_owned(), to));
    found.extend(more);
    let mut found = some(found);
    // As `ip route` shows those of table main, and plain ones without a word.
    if !found.iter().any(|(word, _)| word == "table") {
        found.push(("table".to_owned(), Some("main".to_owned())));
    }
    unless_there(&mut found, "type");
    Some(found)
}

/// `10.8.0.2/24 dev fpsc0`
fn address(line: Word<'_>) -> Read {
    let mut words = Words::new(line);
    if !words.take_if("inet") {
        words.take_if("inet6");
    }
    let Some(address) = words.next() else {
        return line.refuse(
            line.wrong("which address?")
                .help("write `10.8.0.2/24 dev fpsc0`"),
        );
    };
    let text = super::words::address_with_prefix(address)?;
    let word = if text.contains(':') { "inet6" } else { "inet" };
    let mut found = vec![(word.to_owned(), text)];
    words.rest(ADDRESS, "address", &mut found)?;
    Some(some(found))
}

/// `fpsc0 mtu 1400 up`
fn link(line: Word<'_>) -> Read {
    let mut words = Words::new(line);
    words.take_if("dev");
    let Some(name) = words.next() else {
        return line.refuse(line.wrong("which link?").help("write `fpsc0 mtu 1400 up`"));
    };
    let mut found = vec![("dev".to_owned(), name.text.to_owned())];
    words.rest(LINK, "link", &mut found)?;
    Some(some(found))
}

fn some(found: Vec<(String, String)>) -> Vec<(String, Option<String>)> {
    found
        .into_iter()
        .map(|(word, value)| (word, Some(value)))
        .collect()
}

/// A word that is not written must not be there.
fn unless_there(found: &mut Vec<(String, Option<String>)>, word: &str) {
    if !found.iter().any(|(known, _)| known == word) {
        found.push((word.to_owned(), None));
    }
}
