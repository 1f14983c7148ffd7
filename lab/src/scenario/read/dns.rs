//! `[host.NAME.dns]`, and what is expected of names.

use std::time::Duration;

use fps_dns::zone::{Manner, RecordType, Zone};

use super::expect::{DEFAULT_WITHIN, name, own_name_is_as, refuse_within};
use super::{Lab, Names, Verb};
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::model::{
    Check, DnsChange, DnsServer, DomainName, Expectation, NotAsked, Resolver, Resolves, Wanted, Way,
};
use crate::scenario::syntax::{Node, Table, Word};

const TYPES: [(&str, RecordType); 6] = [
    ("A", RecordType::A),
    ("AAAA", RecordType::AAAA),
    ("CNAME", RecordType::CNAME),
    ("PTR", RecordType::PTR),
    ("SRV", RecordType::SRV),
    ("TXT", RecordType::TXT),
];

/// Reads a host's DNS server.
pub(crate) fn server(node: Node<'_>) -> Option<DnsServer> {
    let table = node.table("`dns`", &["zone", "manner"])?;
    Some(DnsServer {
        zones: zones(&table),
        manners: manners(&table).unwrap_or_default(),
    })
}

/// Reads what becomes of one.
pub(crate) fn change(node: Node<'_>, lab: &Lab) -> Option<DnsChange> {
    let table = node.table("`dns`", &["on", "zone", "manner"])?;
    let on = table.need("on", "\"router\"").and_then(Node::word);
    let (zones, manners) = (zones(&table), manners(&table));
    if table.get("zone").is_none() && manners.is_none() {
        let wrong = table.wrong("nothing changes: there is neither `zone` nor `manner`");
        return table.refuse(wrong);
    }
    Some(DnsChange {
        on: server_of(on?, lab)?,
        zones,
        manners,
    })
}

fn zones(table: &Table<'_>) -> Vec<Zone> {
    let zones = table.get("zone").map(Node::entries).unwrap_or_default();
    let zones = zones.into_iter();
    zones.filter_map(|(apex, node)| zone(apex, node)).collect()
}

fn manners(table: &Table<'_>) -> Option<Vec<(DomainName, Manner)>> {
    let manners = table.get("manner").and_then(Node::list)?;
    Some(manners.into_iter().filter_map(manner).collect())
}

fn zone(apex: Word<'_>, node: Node<'_>) -> Option<Zone> {
    let mut zone = Zone::new(domain(apex)?.name());
    for word in node.list()?.into_iter().filter_map(Node::word) {
        if let Err(error) = zone.add(word.text) {
            let wrong = word.wrong(format!("this is no record of the zone `{}`", apex.text));
            let help =
                "write it as `www 60 A 192.0.2.80`: owner, TTL in seconds if not 60, type, data";
            word.add(wrong.label(error.to_string()).help(help));
        }
    }
    Some(zone)
}

fn domain(word: Word<'_>) -> Option<DomainName> {
    DomainName::parse(word.text).or_else(|| word.refuse(no_domain(word)))
}

fn no_domain(word: Word<'_>) -> Diagnostic {
    word.wrong(format!("`{}` is no domain name", word.text))
}

/// The name that an expectation asks for.
fn asked_for(word: Word<'_>) -> Option<DomainName> {
    DomainName::parse(word.text)
        .or_else(|| word.refuse(no_domain(word).help_if(own_name_is_as(word))))
}

#[derive(Clone, Copy)]
enum Does {
    Delays,
    Other(Manner),
}

fn manner(node: Node<'_>) -> Option<(DomainName, Manner)> {
    let table = node.table("a manner", &["name", "does", "by"])?;
    let name = table
        .need("name", "\"slow.example.net\"")
        .and_then(Node::word);
    let name = name.and_then(domain);
    let does = table.need("does", "\"refuses\"")?.choice(
        "does",
        &[
            ("delays", Does::Delays),
            ("refuses", Does::Other(Manner::Refuses)),
            ("fails", Does::Other(Manner::Fails)),
            ("ignores", Does::Other(Manner::Silent)),
            ("truncates", Does::Other(Manner::Truncates)),
        ],
    )?;
    let manner = match (does, table.get("by")) {
        (Does::Delays, _) => Manner::Delayed(table.need("by", "\"300ms\"")?.duration()?),
        (Does::Other(manner), None) => manner,
        (Does::Other(_), Some(by)) => {
            let wrong = by.wrong("only what `delays` does so `by` a time");
            return by.refuse(wrong);
        }
    };
    Some((name?, manner))
}

/// Reads `resolves`.
pub(crate) fn resolves(verb: Verb<'_>, lab: &Lab, names: &mut Names) -> Option<Expectation> {
    let keys = [
        "as", "on", "name", "type", "to", "by", "asked", "via", "within",
    ];
    let table = verb.node.table("`resolves`", &keys)?;
    let on = table.need("on", "\"laptop\"").and_then(Node::word);
    let asked_for = table
        .need("name", "\"www.example.net\"")
        .and_then(Node::word);
    let kind_word = table.get("type").and_then(Node::word);
    let canonical = on.zip(asked_for).map(|(on, of)| {
        let kind = kind_word.map(|kind| format!(" ({})", kind.text));
        format!(
            "{} resolves {}{}",
            on.text,
            of.text,
            kind.unwrap_or_default()
        )
    });
    let name = name(&table, "as", verb, canonical, names);
    let kind = table.get("type").map(|node| node.choice("type", &TYPES));
    let kind = kind.unwrap_or(Some(RecordType::A));
    let within = table
        .get("within")
        .map_or(Some(DEFAULT_WITHIN), Node::duration);
    let on = lab.host(on?)?;
    let via = table.get("via").and_then(Node::word);
    let via = via.map(|word| lab.interface(&on, word));
    let asked = table.get("asked").and_then(Node::word);
    let asked = asked.map(|word| server_of(word, lab));
    let asked_for = self::asked_for(asked_for?)?;
    let kind = kind?;
    let ways = ways(&table, kind, lab.hosts[&on].resolver)?;
    let check = Resolves {
        on,
        name: asked_for,
        kind,
        to: wanted(&table, kind)?,
        by: ways,
        asked: all_or_none(asked)?,
        via: all_or_none(via)?,
        within: within?,
    };
    Some(Expectation {
        name: name?,
        check: Check::Resolves(check),
    })
}

/// What a key says; nothing where it is not there, and no more at all where it is wrong.
#[expect(clippy::option_option, reason = "there, wrong, or neither")]
fn all_or_none<T>(value: Option<Option<T>>) -> Option<Option<T>> {
    match value {
        Some(None) => None,
        Some(value) => Some(value),
        None => Some(None),
    }
}

/// The host of a word, which must have a server.
fn server_of(word: Word<'_>, lab: &Lab) -> Option<crate::scenario::HostName> {
    let host = lab.host(word)?;
    let has_server = lab.hosts[&host].dns.is_some();
    if has_server || lab.doubtful_hosts.contains(&host) {
        return Some(host);
    }
    let wrong = word.wrong(format!("`{host}` has no DNS server"));
    word.refuse(wrong.help(format!("add [host.{host}.dns.zone]")))
}

fn wanted(table: &Table<'_>, kind: RecordType) -> Option<Wanted> {
    let to = table.need("to", "\"192.0.2.80\"")?;
    let nodes = to.one_or_many();
    let mut data = std::collections::BTreeSet::new();
    let count = nodes.len();
    if count == 0 {
        return to.refuse(to.wrong("nothing is expected; for an empty answer write `no-data`"));
    }
    for word in nodes.into_iter().filter_map(Node::word) {
        let known = Wanted::WORDS.iter().find(|(known, _)| *known == word.text);
        if let Some((_, wanted)) = known.filter(|_| count == 1) {
            return Some(wanted.clone());
        }
        let datum = match kind {
            RecordType::A | RecordType::AAAA => {
                let address = word.address()?;
                if address.is_ipv4() != (kind == RecordType::A) {
                    let wrong = word.wrong(format!("`{}` is no address of type {kind}", word.text));
                    return word.refuse(wrong);
                }
                address.to_string()
            }
            _ => word.text.to_owned(),
        };
        if !data.insert(datum) {
            return word.refuse(word.wrong(format!("`{}` is there twice", word.text)));
        }
    }
    // A value that is no text has said so.
    (data.len() == count).then_some(Wanted::Data(data))
}

fn ways(table: &Table<'_>, kind: RecordType, resolver: Resolver) -> Option<Vec<Way>> {
    let problem = |way| match way {
        Way::Nss if !matches!(kind, RecordType::A | RecordType::AAAA) => {
            Some(format!("`nss` knows no {kind} records"))
        }
        Way::Resolvectl if resolver != Resolver::SystemdResolved => {
            Some("the host has no systemd-resolved".to_owned())
        }
        _ => None,
    };
    let Some(node) = table.get("by") else {
        let all = Way::ALL.iter().map(|(_, way)| *way);
        return Some(all.filter(|way| problem(*way).is_none()).collect());
    };
    let nodes = node.one_or_many();
    let ways = nodes.iter().map(|node| {
        let way = node.choice("by", &Way::ALL)?;
        match problem(way) {
            None => Some(way),
            Some(problem) => node.refuse(node.wrong(problem)),
        }
    });
    ways.collect()
}

/// Reads `not-asked`.
pub(crate) fn not_asked(verb: Verb<'_>, lab: &Lab, names: &mut Names) -> Option<Expectation> {
    refuse_within(verb);
    let table = verb
        .node
        .table("`not-asked`", &["as", "on", "name", "for"])?;
    let on = table.need("on", "\"router\"").and_then(Node::word);
    let below = table.need("name", "\"fps.test\"").and_then(Node::word);
    let canonical = on
        .zip(below)
        .map(|(on, below)| format!("{} is not asked for {}", on.text, below.text));
    let name = name(&table, "as", verb, canonical, names);
    let hold = table
        .get("for")
        .map_or(Some(Duration::ZERO), Node::duration);
    let on = server_of(on?, lab)?;
    let below = asked_for(below?)?;
    Some(Expectation {
        name: name?,
        check: Check::NotAsked(NotAsked {
            on,
            name: below,
            hold: hold?,
        }),
    })
}
