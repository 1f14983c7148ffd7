//! Objects of nftables as lines, without what changes by itself.
//!
//! Left out are handles, which say in which order things were made; how often an object is used;
//! counters, what is left of a quota, when a rule was last used and when an element expires.

use std::collections::BTreeMap;
use std::io;

use super::attribute::{Attribute, find, push};
use super::dump::{About, Kind, Told};

/// Numbers of attributes, by the names of linux/netfilter/nf_tables.h.
const NFTA_SET_TABLE: u16 = 1;
const NFTA_SET_NAME: u16 = 2;
const NFTA_RULE_EXPRESSIONS: u16 = 4;
const NFTA_SET_ELEM_LIST_ELEMENTS: u16 = 3;
const NFTA_SET_EXPR: u16 = 17;
const NFTA_SET_EXPRESSIONS: u16 = 18;
const NFTA_SET_ELEM_EXPR: u16 = 7;
const NFTA_SET_ELEM_EXPRESSIONS: u16 = 11;
const NFTA_OBJ_TYPE: u16 = 3;
const NFTA_OBJ_DATA: u16 = 4;
const NFTA_EXPR_NAME: u16 = 1;
const NFTA_EXPR_DATA: u16 = 2;
/// `NFTA_QUOTA_CONSUMED`.
const CONSUMED: u16 = 4;
/// `NFT_OBJECT_COUNTER` and `NFT_OBJECT_QUOTA`.
const COUNTER: u32 = 1;
const QUOTA: u32 = 2;

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Chain => "chain",
            Self::Rule => "rule",
            Self::Set => "set",
            Self::Element => "element",
            Self::Object => "object",
            Self::FlowTable => "flowtable",
        }
    }

    /// How many of its first names say what it is or where it belongs, by their numbers.
    fn names(self) -> &'static [u16] {
        match self {
            Self::Table => &[1],
            // NFTA_CHAIN_HANDLE stands between the two.
            Self::Chain => &[1, 3],
            Self::Rule | Self::Set | Self::Element | Self::Object | Self::FlowTable => &[1, 2],
        }
    }

    /// What is left out.
    fn volatile(self) -> &'static [u16] {
        match self {
            // USE, HANDLE, OWNER: the socket that holds it.
            Self::Table => &[3, 4, 7],
            // HANDLE, USE, COUNTERS, ID.
            Self::Chain => &[2, 6, 8, 11],
            // HANDLE, POSITION, ID.
            Self::Rule => &[3, 6, 9],
            // ID, HANDLE, COUNT: its elements are told.
            Self::Set => &[10, 16, 20],
            // EXPIRATION.
            Self::Element => &[5],
            // USE, HANDLE.
            Self::Object => &[5, 6],
            Self::FlowTable => &[4, 5],
        }
    }
}

/// `NFPROTO_…` as nft(8) calls it.
pub(super) fn family(number: u8) -> String {
    match number {
        1 => "inet".to_owned(),
        2 => "ip".to_owned(),
        3 => "arp".to_owned(),
        5 => "netdev".to_owned(),
        7 => "bridge".to_owned(),
        10 => "ip6".to_owned(),
        number => number.to_string(),
    }
}

/// What asks for the elements of a set.
pub(super) fn set_of(set: &Told) -> io::Result<About> {
    let mut attributes = Vec::new();
    let told = set.attributes()?;
    // NFTA_SET_ELEM_LIST_TABLE and _SET have the same numbers.
    for kind in [NFTA_SET_TABLE, NFTA_SET_NAME] {
        let value = find(&told, kind).map(|it| it.value).unwrap_or_default();
        push(&mut attributes, kind, value);
    }
    Ok(About {
        family: set.family,
        attributes,
    })
}

/// A line for each object. Rules have their number within their chain, since their order counts.
pub(super) fn lines(kind: Kind, objects: &[Told]) -> io::Result<Vec<String>> {
    let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
    let line = |object: &Told| {
        let attributes = object.attributes()?;
        let head = head(kind, object.family, &attributes);
        let place = match kind {
            Kind::Rule => {
                let number = numbers.entry(head.clone()).or_default();
                *number += 1;
                format!(" #{number}")
            }
            _ => String::new(),
        };
        Ok(format!("{head}{place}{}", rest(kind, &attributes)?))
    };
    objects.iter().map(line).collect()
}

/// A line for each element of what was told of a set.
pub(super) fn elements(told: &[Told]) -> io::Result<Vec<String>> {
    let mut lines = Vec::new();
    for part in told {
        let attributes = part.attributes()?;
        let head = head(Kind::Element, part.family, &attributes);
        let list = find(&attributes, NFTA_SET_ELEM_LIST_ELEMENTS);
        for element in Attribute::all(list.map(|it| it.value).unwrap_or_default())? {
            let attributes = Attribute::all(element.value)?;
            let words: io::Result<Vec<String>> = kept(Kind::Element, &attributes)
                .map(|it| word(Kind::Element, it, &attributes))
                .collect();
            lines.push(format!("{head} {}", words?.join(" ")));
        }
    }
    Ok(lines)
}

/// `chain inet fps-lab postrouting`.
fn head(kind: Kind, number: u8, attributes: &[Attribute<'_>]) -> String {
    let names = kind
        .names()
        .iter()
        .filter_map(|name| find(attributes, *name));
    let names: Vec<String> = names.map(Attribute::text).collect();
    format!("{} {} {}", kind.word(), family(number), names.join(" "))
}

fn rest(kind: Kind, attributes: &[Attribute<'_>]) -> io::Result<String> {
    let unnamed = kept(kind, attributes).filter(|it| !kind.names().contains(&it.kind));
    let words: io::Result<Vec<String>> = unnamed.map(|it| word(kind, it, attributes)).collect();
    Ok(words?.iter().map(|word| format!(" {word}")).collect())
}

fn kept<'a>(kind: Kind, attributes: &[Attribute<'a>]) -> impl Iterator<Item = Attribute<'a>> {
    let stays = move |it: &Attribute<'_>| !kind.volatile().contains(&it.kind);
    attributes.iter().copied().filter(stays)
}

/// An attribute, by its number; expressions by their names.
fn word(kind: Kind, it: Attribute<'_>, beside: &[Attribute<'_>]) -> io::Result<String> {
    match (kind, it.kind) {
        (Kind::Rule, NFTA_RULE_EXPRESSIONS)
        | (Kind::Set, NFTA_SET_EXPRESSIONS)
        | (Kind::Element, NFTA_SET_ELEM_EXPRESSIONS) => {
            let all = Attribute::all(it.value)?;
            let all: io::Result<Vec<String>> = all.iter().map(|it| expression(*it)).collect();
            Ok(all?.join(" "))
        }
        (Kind::Set, NFTA_SET_EXPR) | (Kind::Element, NFTA_SET_ELEM_EXPR) => expression(it),
        (Kind::Object, NFTA_OBJ_DATA) => {
            let data = match find(beside, NFTA_OBJ_TYPE).map(Attribute::number) {
                Some(COUNTER) => String::new(),
                Some(QUOTA) => without_consumed(it)?,
                _ => it.hex(),
            };
            Ok(format!("{}={data}", it.kind))
        }
        _ => Ok(format!("{}={}", it.kind, it.hex())),
    }
}

/// `cmp(…)`, with its bytes; those of a counter and of when it was last used change by themselves.
fn expression(list: Attribute<'_>) -> io::Result<String> {
    let parts = Attribute::all(list.value)?;
    let name = find(&parts, NFTA_EXPR_NAME)
        .map(Attribute::text)
        .unwrap_or_default();
    let Some(data) = find(&parts, NFTA_EXPR_DATA) else {
        return Ok(name);
    };
    let data = match name.as_str() {
        "counter" | "last" => String::new(),
        "quota" => without_consumed(data)?,
        _ => data.hex(),
    };
    Ok(format!("{name}({data})"))
}

fn without_consumed(quota: Attribute<'_>) -> io::Result<String> {
    let parts = Attribute::all(quota.value)?;
    let parts = parts.iter().filter(|it| it.kind != CONSUMED);
    let words: Vec<String> = parts
        .map(|it| format!("{}={}", it.kind, it.hex()))
        .collect();
    Ok(words.join(","))
}
