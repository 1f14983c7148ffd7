//! Other names in place of those that somebody gave the tables, chains and sets of a ruleset.

use std::collections::HashMap;

/// What stands before a name where it is given: nft(8) lists each on a line of its own.
const GIVEN: [&str; 12] = [
    "chain",
    "set",
    "map",
    "flowtable",
    "counter",
    "quota",
    "limit",
    "secmark",
    "synproxy",
    "helper",
    "timeout",
    "expectation",
];
/// What stands before one where it is meant.
const MEANT: [&str; 3] = ["jump", "goto", "name"];
/// What a name begins with, in small letters, that a program gives or that says what it is for.
const TELLING: [&str; 26] = [
    "filter",
    "nat",
    "mangle",
    "raw",
    "security",
    "input",
    "output",
    "forward",
    "prerouting",
    "postrouting",
    "ingress",
    "egress",
    "docker",
    "ts-",
    "wg-quick",
    "mullvad",
    "fps",
    "libvirt",
    "firewalld",
    "kube-",
    "cali-",
    "f2b-",
    "ufw",
    "lxd",
    "nm-shared",
    "netavark",
];

/// The names that are given in a ruleset, and others in their places.
#[derive(Debug, Default)]
pub(super) struct Names<'a>(HashMap<&'a str, String>);

impl<'a> Names<'a> {
    /// Those of a listing.
    pub(super) fn of(ruleset: &'a str) -> Self {
        let mut names = Self::default();
        for line in ruleset.lines() {
            if let Some((kind, name)) = given(line)
                && !tells(name)
            {
                let number = names.0.len() + 1;
                names
                    .0
                    .entry(name)
                    .or_insert_with(|| format!("{kind}{number}"));
            }
        }
        names
    }

    /// A line with the other names.
    pub(super) fn line(&self, line: &str) -> String {
        let mut new = String::with_capacity(line.len());
        let (mut rest, mut before) = (line, "");
        let defines = given(line).map(|(_, name)| name);
        while let Some(start) = rest.find(is_part) {
            let (between, tail) = rest.split_at(start);
            let end = tail.find(|c| !is_part(c)).unwrap_or(tail.len());
            let (word, behind) = tail.split_at(end);
            let meant = between.ends_with('@') || MEANT.contains(&before) || defines == Some(word);
            new.push_str(between);
            new.push_str(match self.0.get(word).filter(|_| meant) {
                Some(other) => other,
                None => word,
            });
            (rest, before) = (behind, word);
        }
        new + rest
    }
}

fn is_part(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_-.\\/".contains(c)
}

/// The name that a line gives, and what it is of.
fn given(line: &str) -> Option<(&str, &str)> {
    let mut words = line.strip_suffix('{')?.split_whitespace();
    let (kind, name) = match (words.next()?, words.next()?, words.next()) {
        ("table", _, Some(name)) => ("table", name),
        ("ct", kind, Some(name)) if GIVEN.contains(&kind) => (kind, name),
        (kind, name, None) if GIVEN.contains(&kind) => (kind, name),
        _ => return None,
    };
    let name = name.trim_matches('"');
    (words.next().is_none() && name.chars().all(is_part)).then_some((kind, name))
}

fn tells(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    TELLING.iter().any(|start| name.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_another_wherever_it_is_meant() {
        let text = "table inet acme {
\tset acme_peers {
\t\ttype ipv4_addr
\t}
\tchain acme-in {
\t\ttype filter hook input priority filter; policy accept;
\t\tip saddr @acme_peers counter name \"acme_count\" jump acme-out
\t\toifname \"acme_peers\" meta mark vmap { 0x1 : goto acme-out, 0x2 : accept }
\t}
\tchain acme-out {
\t\tip saddr != @acme_peers drop
\t}
\tcounter acme_count {
\t\tpackets 0 bytes 0
\t}
}
table ip filter {
\tchain DOCKER-USER {
\t}
}";
        let names = Names::of(text);
        let lines: Vec<String> = text.lines().map(|line| names.line(line)).collect();
        let new = lines.join("\n");
        // Only what is no name of the ruleset is left, as a link's.
        assert_eq!(new.matches("acme").count(), 1, "{new}");
        for line in [
            "table inet table1 {",
            "\tset set2 {",
            "\tchain chain3 {",
            "\t\ttype filter hook input priority filter; policy accept;",
            "\t\tip saddr @set2 counter name \"counter5\" jump chain4",
            "\t\toifname \"acme_peers\" meta mark vmap { 0x1 : goto chain4, 0x2 : accept }",
            "\tcounter counter5 {",
            "table ip filter {",
            "\tchain DOCKER-USER {",
        ] {
            assert!(lines.iter().any(|it| it == line), "{line}: {new}");
        }
    }
}
