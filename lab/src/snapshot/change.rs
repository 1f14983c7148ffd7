//! What only one of two snapshots has.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Entry, Snapshot};

/// A line that only one of two snapshots has. What is other than it was is a line that went and
/// one that came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// What kind of thing it is: `link`, `address`, `route`, `rule`, `nft`, `sysctl`, `resolver`.
    pub kind: String,
    /// Which of the two has it.
    pub side: Side,
    /// What it is.
    pub line: String,
}

/// One of two snapshots.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// The earlier: it is gone.
    Earlier,
    /// The later: it is new.
    Later,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match self.side {
            Side::Earlier => '-',
            Side::Later => '+',
        };
        write!(f, "{sign} {} {}", self.kind, self.line)
    }
}

/// All changes, by kind, what went before what came.
pub(super) fn between(earlier: &Snapshot, later: &Snapshot) -> Vec<Change> {
    let kinds = [
        ("link", lines(&earlier.links), lines(&later.links)),
        (
            "address",
            lines(&earlier.addresses),
            lines(&later.addresses),
        ),
        ("route", lines(&earlier.routes), lines(&later.routes)),
        ("rule", lines(&earlier.rules), lines(&later.rules)),
        ("nft", earlier.nft.clone(), later.nft.clone()),
        ("sysctl", sysctls(earlier, later), sysctls(later, earlier)),
        ("resolver", earlier.resolver.lines(), later.resolver.lines()),
    ];
    let changes = kinds
        .into_iter()
        .flat_map(|(kind, before, after)| of_kind(kind, before, after));
    changes.collect()
}

fn lines(entries: &[Entry]) -> Vec<String> {
    entries.iter().map(Entry::to_string).collect()
}

/// The sysctls of one snapshot, but for those of links that the other has not.
fn sysctls(one: &Snapshot, other: &Snapshot) -> Vec<String> {
    let has = |snapshot: &Snapshot, name: &str| {
        let mut links = snapshot.links.iter();
        links.any(|link| link.get("dev").map(escaped).as_deref() == Some(name))
    };
    let both = |key: &str| link_of(key).is_none_or(|name| !has(one, name) || has(other, name));
    let kept = one.sysctls.iter().filter(|(key, _)| both(key));
    kept.map(|(key, value)| format!("{key} = {value}"))
        .collect()
}

/// The link that a sysctl is about, as its name has it.
fn link_of(key: &str) -> Option<&str> {
    let mut parts = key.split('.');
    let is_of_link = parts.next() == Some("net")
        && matches!(parts.next(), Some("ipv4" | "ipv6" | "mpls"))
        && matches!(parts.next(), Some("conf" | "neigh"));
    is_of_link.then(|| parts.next()).flatten()
}

/// Whether a sysctl is about a link.
pub(super) fn is_of_link(key: &str, link: &str) -> bool {
    link_of(key) == Some(escaped(link).as_str())
}

/// A link's name in the name of a sysctl, where a dot is a slash (sysctl(8)).
fn escaped(name: &str) -> String {
    name.replace('.', "/")
}

/// The difference of two lists in which a line may stand more than once.
fn of_kind(kind: &str, before: Vec<String>, after: Vec<String>) -> Vec<Change> {
    let mut counts: BTreeMap<String, i32> = BTreeMap::new();
    for line in before {
        *counts.entry(line).or_default() -= 1;
    }
    for line in after {
        *counts.entry(line).or_default() += 1;
    }
    let mut changes = Vec::new();
    for side in [Side::Earlier, Side::Later] {
        for (line, count) in &counts {
            let times = match side {
                Side::Earlier => -count,
                Side::Later => *count,
            };
            for _ in 0..times {
                changes.push(Change {
                    kind: kind.to_owned(),
                    side,
                    line: line.clone(),
                });
            }
        }
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(before: &[&str], after: &[&str]) -> Vec<String> {
        let owned = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect();
        let changes = of_kind("route", owned(before), owned(after));
        changes.iter().map(Change::to_string).collect()
    }

    #[test]
    fn what_both_have_is_no_change() {
        assert!(shown(&["a", "b"], &["b", "a"]).is_empty());
        assert_eq!(shown(&["a", "b"], &["b", "c"]), ["- route a", "+ route c"]);
    }

    #[test]
    fn a_second_one_of_the_same_is_a_change() {
        assert_eq!(shown(&["a"], &["a", "a"]), ["+ route a"]);
        assert_eq!(shown(&["a", "a", "a"], &["a"]), ["- route a", "- route a"]);
    }

    #[test]
    fn sysctls_go_with_their_link() {
        let mut entry = Entry::default();
        entry.set("dev", "eth0.1");
        let sysctls = ["net.ipv4.conf.eth0/1.rp_filter", "net.ipv4.ip_forward"];
        let with = Snapshot {
            links: vec![entry],
            sysctls: sysctls.map(|key| (key.to_owned(), "1".to_owned())).into(),
            ..Snapshot::default()
        };
        let changes: Vec<String> = between(&with, &Snapshot::default())
            .iter()
            .map(Change::to_string)
            .collect();
        let expected = ["- link dev eth0.1", "- sysctl net.ipv4.ip_forward = 1"];
        assert_eq!(changes, expected);
    }
}
