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
/// And before `set`.
const SET: [&str; 4] = ["helper", "timeout", "expectation", "secmark"];
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
        let mut sets = false;
        let defines = given(line).map(|(_, name)| name);
        while let Some(start) = rest.find(is_part) {
            let (between, tail) = rest.split_at(start);
            let end = tail.find(|c| !is_part(c)).unwrap_or(tail.len());
            let (word, behind) = tail.split_at(end);
            let meant =
                between.ends_with('@') || MEANT.contains(&before) || sets || defines == Some(word);
            sets = word == "set" && SET.contains(&before);
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

/// What stands before the name of a link.
const BEFORE: [&str; 8] = [
    "iif", "oif", "iifname", "oifname", "ibrname", "obrname", "sdif", "sdifname",
];
/// What stands before a text that is no link's name.
const OTHERS: [&str; 4] = ["comment", "prefix", "name", "set"];

/// The links that a ruleset names, and the patterns for them with a star at their end: behind `iifname` and the
/// like, and in sets and maps of such names.
pub(super) fn links(ruleset: &str) -> Vec<&str> {
    let mut links = Vec::new();
    let mut of_names = false;
    for line in ruleset.lines() {
        let line = line.trim();
        match line.split_whitespace().next() {
            Some("type" | "typeof") => {
                let is = |word: &str| word == "ifname" || BEFORE.contains(&word);
                of_names = line.split(|c: char| !c.is_ascii_alphanumeric()).any(is);
            }
            Some("}" | "chain" | "set" | "map" | "table") => of_names = false,
            _ => {}
        }
        links.extend(links_of(line, of_names));
    }
    links
}

/// Those of a line; of a set of such names all that is in quotes.
fn links_of(line: &str, of_names: bool) -> Vec<&str> {
    let mut links = Vec::new();
    let (mut meant, mut within, mut last) = (of_names, false, "");
    for (at, piece) in line.split('"').enumerate() {
        // Every second piece is in quotes.
        let quoted = at % 2 == 1;
        if quoted && !OTHERS.contains(&last) {
            links.extend(Some(piece).filter(|it| meant && !it.is_empty()));
            meant &= within || of_names;
        }
        for word in piece.split_whitespace().filter(|_| !quoted) {
            match word {
                "{" => within = true,
                word if word.starts_with('}') => (meant, within) = (of_names, false),
                // It is compared with a set, whose elements stand there.
                word if word.starts_with('@') => meant = of_names,
                // What is between may be a map, or more that is compared.
                word => meant |= BEFORE.contains(&word),
            }
            last = word;
        }
    }
    links
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

    #[test]
    fn a_helper_is_meant_where_it_is_set() {
        let text = "table inet acme {
\tct helper acme-ftp {
\t}
\tchain acme-in {
\t\tct helper set \"acme-ftp\"
\t}
}";
        let names = Names::of(text);
        let lines: Vec<String> = text.lines().map(|line| names.line(line)).collect();
        assert!(!lines.join("\n").contains("acme"), "{lines:?}");
    }

    #[test]
    fn links_are_those_that_are_compared() {
        let text = "table inet x {
\tset s {
\t\ttype ifname
\t\telements = { \"one\" comment \"no\", \"two\" }
\t}
\tchain c {
\t\tiifname { \"three\", \"four\" } oifname != \"five*\" counter name \"no\" log prefix \"no\"
\t\toif \"six\" iifname vmap { \"seven\" : jump c, \"eight\" : drop } ct helper set \"no\"
\t\tiifname . tcp dport vmap { \"nine\" . 22 : accept } meta mark set iifname map { \"ten\" : 0x1 }
\t\tmeta sdifname \"eleven\" drop
\t\tiifname @s log prefix \"no\" ct helper set \"no\"
\t}
}";
        let found = [
            "one", "two", "three", "four", "five*", "six", "seven", "eight", "nine", "ten",
            "eleven",
        ];
        assert_eq!(links(text), found);
    }
}
