//! /proc/net/snmp6: `Ip6InNoRoutes 7`, the group without a mark of its own (net/ipv6/proc.c).

/// The groups, longest first where one begins like another.
const GROUPS: [&str; 4] = ["UdpLite6", "Udp6", "Icmp6", "Ip6"];

/// Reads the file; gives the line that makes no sense.
pub(super) fn read(text: &str) -> Result<Vec<(String, u64)>, String> {
    let pair = |line: &str| {
        let (name, value) = line.split_once(char::is_whitespace)?;
        let value = value.trim().parse().ok()?;
        let parts = GROUPS
            .iter()
            .find_map(|group| Some((group, name.strip_prefix(group)?)));
        let (group, rest) = parts?;
        Some((format!("{group}.{rest}"), value))
    };
    text.lines()
        .map(|line| pair(line).ok_or_else(|| line.to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_group_is_told_from_the_name() {
        let text = "Ip6InNoRoutes                   \t7\nUdpLite6InErrors\t1\n";
        let expected = [("Ip6.InNoRoutes", 7), ("UdpLite6.InErrors", 1)];
        assert_eq!(
            read(text).unwrap(),
            expected.map(|(name, value)| (name.to_owned(), value))
        );
        assert_eq!(read("Dccp6InErrors 1\n"), Err("Dccp6InErrors 1".to_owned()));
    }
}
