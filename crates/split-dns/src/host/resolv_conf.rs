//! The text of /etc/resolv.conf (resolv.conf(5)).

use std::net::IpAddr;

use crate::forward::Server;

/// The first line of ours, by which it is known.
const MARK: &str = "# fps-dns has this file until it ends. What was here before is behind `#=`.";
/// What is before each line of what was.
const WAS: &str = "#=";
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

/// Whether a text is ours.
pub fn is_ours(text: &str) -> bool {
    text.starts_with(MARK)
}

/// Ours: with this server alone, the domains that are searched behind those that were, and the options
/// that were.
pub fn ours(server: IpAddr, more: &[&str], was: &str) -> String {
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
    lines.extend(was.lines().map(|line| format!("{WAS}{line}")));
    lines.push(String::new());
    lines.join("\n")
}

/// What was there before ours.
pub fn what_was(ours: &str) -> String {
    let lines = ours.lines().filter_map(|line| line.strip_prefix(WAS));
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// What somebody has written behind ours, as scripts of DHCP clients do line by line.
pub fn appended<'a>(text: &'a str, ours: &str) -> Option<&'a str> {
    text.strip_prefix(ours).filter(|rest| !rest.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAN: &str = "# by DHCP\nsearch home.test lan\nnameserver 192.168.1.1\n nameserver 192.168.1.2\n\
                       nameserver fe80::1%eth0\nnameservers 192.168.1.3\nnameserver\noptions edns0\n";

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
        let text = ours("127.0.66.53".parse().unwrap(), &["fps.test", "lan"], LAN);
        assert!(is_ours(&text) && !is_ours(LAN));
        assert_eq!(texts(&servers(&text)), ["127.0.66.53:53"]);
        // What the LAN searches comes first (netbird#3731).
        assert_eq!(searched(&text), ["home.test", "lan", "fps.test"]);
        assert!(text.contains("\noptions edns0\n"), "{text}");
        assert_eq!(what_was(&text), LAN);
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
    fn what_is_behind_ours_was_appended() {
        let ours = ours("127.0.66.53".parse().unwrap(), &[], "");
        let more = format!("{ours}nameserver 10.0.0.1\n");
        assert_eq!(appended(&more, &ours), Some("nameserver 10.0.0.1\n"));
        assert_eq!(appended(&ours, &ours), None);
        assert_eq!(appended("nameserver 10.0.0.1\n", &ours), None);
    }
}
