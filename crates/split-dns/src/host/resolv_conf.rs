//! The text of /etc/resolv.conf (resolv.conf(5)).

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use crate::forward::Server;

/// The first line of ours, by which it is known.
const MARK: &str = "# fps-dns has this file until it ends. What was here before is behind `#=`.";
/// What is before each line of what was.
const WAS: &str = "#=";
/// What is before the place where a link led.
const LINK: &str = "#>";
/// The last line of ours.
const END: &str = "#.";
/// How many servers the C library asks (MAXNS in resolv.h).
const MOST: usize = 3;

/// The servers that a text names; those that the C library would not ask are left out.
pub fn servers(text: &str) -> Vec<Server> {
    let named = values(text, "nameserver").filter_map(|value| value.parse().ok());
    named.take(MOST).collect()
}

/// The domains that it has searched: of several lines the last one counts.
fn searched(text: &str) -> Vec<&str> {
    let mut lines = text.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        let is_one = line.starts_with("search") || line.starts_with("domain");
        (is_one && matches!(words.next(), Some("search" | "domain"))).then(|| words.collect())
    });
    lines.next_back().unwrap_or_default()
}

/// The first words behind a keyword, which begins its line.
fn values<'a>(text: &'a str, keyword: &'a str) -> impl Iterator<Item = &'a str> {
    let of_line = move |line: &'a str| {
        let rest = line.strip_prefix(keyword)?;
        let is_whole = rest.starts_with(char::is_whitespace);
        rest.split_whitespace().next().filter(|_| is_whole)
    };
    text.lines().filter_map(of_line)
}

/// The text without this server.
pub fn without(text: &str, server: IpAddr) -> String {
    let is_it = |line: &&str| {
        let named = values(line, "nameserver").next();
        named.and_then(|value| value.parse::<IpAddr>().ok()) == Some(server)
    };
    let lines = text.lines().filter(|line| !is_it(line));
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// A text to which somebody has added more, each line once. Of more servers than the C library asks the
/// newest stay, or what a lease names after the third would never be asked.
pub fn added(before: &str, more: &str) -> String {
    let mut lines: Vec<&str> = before.lines().collect();
    for line in more.lines() {
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    let names_one = |line: &&str| !servers(line).is_empty();
    let mut surplus = lines
        .iter()
        .copied()
        .filter(names_one)
        .count()
        .saturating_sub(MOST);
    lines.retain(|line| {
        let goes = surplus > 0 && names_one(line);
        surplus -= usize::from(goes);
        !goes
    });
    lines.into_iter().flat_map(|line| [line, "\n"]).collect()
}

/// Ours: with this server alone, the domains that are searched behind those that were, and the options
/// that were; and what was, or where the link led that was.
pub fn ours(server: IpAddr, more: &[&str], was: &str, link: Option<&Path>) -> String {
    let mut lines = vec![MARK.to_owned(), format!("nameserver {server}")];
    let mut domains = searched(was);
    for domain in more {
        if !domains.contains(domain) {
            domains.push(domain);
        }
    }
    if !domains.is_empty() {
        lines.push(format!("search {}", domains.join(" ")));
    }
    let kept = |line: &&str| line.starts_with("options") || line.starts_with("sortlist");
    lines.extend(was.lines().filter(kept).map(str::to_owned));
    lines.extend(link.map(|to| format!("{LINK}{}", to.display())));
    lines.extend(was.lines().map(|line| format!("{WAS}{line}")));
    lines.extend([END.to_owned(), String::new()]);
    lines.join("\n")
}

/// A text of which a part is ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ours {
    /// The server that it names.
    pub server: Option<IpAddr>,
    /// What was there before, as text.
    pub was: String,
    /// Where it led, if it was a link.
    pub link: Option<PathBuf>,
    /// What somebody else has written before or behind it, as scripts of DHCP clients do line by line.
    pub others: String,
}

impl Ours {
    /// None where no part is.
    pub fn of(text: &str) -> Option<Self> {
        let lines: Vec<_> = text.lines().collect();
        let begin = lines.iter().position(|line| *line == MARK)?;
        let end = lines[begin..].iter().position(|line| *line == END);
        let end = end.map_or(lines.len(), |at| begin + at + 1);
        let part = &lines[begin..end];
        let behind =
            |mark: &'static str| part.iter().filter_map(move |line| line.strip_prefix(mark));
        let server = part
            .iter()
            .flat_map(|line| values(line, "nameserver"))
            .next();
        let joined = |lines: &mut dyn Iterator<Item = &str>| -> String {
            lines.flat_map(|line| [line, "\n"]).collect()
        };
        let mut others = lines[..begin].iter().chain(&lines[end..]).copied();
        let others = joined(&mut others);
        let server = server.and_then(|value| value.parse().ok());
        Some(Self {
            server,
            was: joined(&mut behind(WAS)),
            link: behind(LINK).next().map(PathBuf::from),
            others: match server {
                Some(server) => without(&others, server),
                None => others,
            },
        })
    }

    /// Whether nobody else has written anything.
    pub fn is_alone(&self) -> bool {
        self.others.trim().is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAN: &str = "# by DHCP\nsearch home.test lan\nnameserver 192.168.1.1\n nameserver 192.168.1.2\n\
                       nameserver fe80::1%eth0\nnameservers 192.168.1.3\nnameserver\noptions edns0\n";

    const SERVER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(127, 0, 66, 53));

    fn texts(servers: &[Server]) -> Vec<String> {
        servers.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn names_the_servers_that_the_c_library_would_ask() {
        assert_eq!(
            texts(&servers(LAN)),
            ["192.168.1.1:53", "[fe80::1]:53%eth0"]
        );
        let many: String = (1..=5)
            .map(|n| format!("nameserver\t10.0.0.{n}\n"))
            .collect();
        assert_eq!(servers(&many).len(), 3);
        assert_eq!(servers(""), []);
    }

    #[test]
    fn ours_names_one_server_and_keeps_the_rest() {
        let link = Path::new("../run/lan.conf");
        for link in [None, Some(link)] {
            let text = ours(SERVER, &["fps.test", "lan"], LAN, link);
            assert_eq!(texts(&servers(&text)), ["127.0.66.53:53"]);
            // What the LAN searches comes first (netbird#3731).
            assert_eq!(searched(&text), ["home.test", "lan", "fps.test"]);
            assert!(text.contains("\noptions edns0\n"), "{text}");
            let read = Ours::of(&text).unwrap();
            assert!(read.is_alone());
            assert_eq!((read.was.as_str(), read.link.as_deref()), (LAN, link));
            assert_eq!(read.server, Some(SERVER));
        }
        assert_eq!(Ours::of(LAN), None);
    }

    #[test]
    fn of_several_search_lines_the_last_one_counts() {
        for (text, expected) in [
            ("search a b\ndomain c\n", &["c"][..]),
            ("domain c\nsearch a b\n", &["a", "b"]),
            ("searching a\n search b\n", &[]),
        ] {
            assert_eq!(searched(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_before_or_behind_ours_is_others() {
        let ours = ours(SERVER, &[], LAN, None);
        for text in [
            format!("{ours}nameserver 10.0.0.1\n"),
            format!("nameserver 10.0.0.1\n{ours}"),
            format!("{ours}nameserver 127.0.66.53\nnameserver 10.0.0.1"),
        ] {
            let read = Ours::of(&text).unwrap();
            assert_eq!(read.others, "nameserver 10.0.0.1\n");
            assert_eq!(read.was, LAN);
            assert!(!read.is_alone());
        }
    }

    #[test]
    fn what_is_added_is_there_once_and_the_newest_servers_stay() {
        let mut text = "search lan\nnameserver 10.0.0.1\n".to_owned();
        for n in [1, 2, 2, 3] {
            text = added(&text, &format!("nameserver 10.0.0.{n}\n"));
        }
        let all = "search lan\nnameserver 10.0.0.1\nnameserver 10.0.0.2\nnameserver 10.0.0.3\n";
        assert_eq!(text, all);
        let text = added(&text, "nameserver 10.0.0.4\noptions edns0\n");
        let named = ["10.0.0.2:53", "10.0.0.3:53", "10.0.0.4:53"];
        assert_eq!(texts(&servers(&text)), named);
        assert!(text.starts_with("search lan\n") && text.ends_with("\noptions edns0\n"));
    }

    #[test]
    fn a_server_can_be_left_out() {
        let text = "search a\nnameserver 127.0.66.53\nnameserver 127.0.66.5\n";
        assert_eq!(without(text, SERVER), "search a\nnameserver 127.0.66.5\n");
    }
}
