//! Files of two lines a group: names, then numbers, each behind `Group:` (net/ipv4/proc.c).

/// The groups of protocols that the kernel counts by, those of IPv6 among them.
pub const GROUPS: [&str; 13] = [
    "Ip", "Icmp", "IcmpMsg", "Tcp", "Udp", "UdpLite", "TcpExt", "IpExt", "MPTcpExt", "Ip6",
    "Icmp6", "Udp6", "UdpLite6",
];

/// Reads such a file; gives the line that makes no sense.
pub(super) fn read(text: &str) -> Result<Vec<(String, u64)>, String> {
    let mut found = Vec::new();
    let mut lines = text.lines();
    while let Some(names) = lines.next() {
        let wrong = || names.to_owned();
        let values = lines.next().ok_or_else(wrong)?;
        let (group, names) = names.split_once(':').ok_or_else(wrong)?;
        let (same, values) = values.split_once(':').ok_or_else(wrong)?;
        let names: Vec<&str> = names.split_whitespace().collect();
        let values: Vec<&str> = values.split_whitespace().collect();
        if group != same || names.len() != values.len() {
            return Err(wrong());
        }
        for (name, value) in names.into_iter().zip(values) {
            // Tcp.MaxConn is -1, and no count.
            let value = value.parse::<i128>().map_err(|_| wrong())?;
            if let Ok(value) = u64::try_from(value) {
                found.push((format!("{group}.{name}"), value));
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_belong_together() {
        let text = "Ip: Forwarding OutNoRoutes\nIp: 1 7\nTcp: MaxConn OutRsts\nTcp: -1 2\n";
        let expected = [
            ("Ip.Forwarding", 1),
            ("Ip.OutNoRoutes", 7),
            ("Tcp.OutRsts", 2),
        ];
        assert_eq!(
            read(text).unwrap(),
            expected.map(|(name, value)| (name.to_owned(), value))
        );
    }

    #[test]
    fn a_line_too_few_is_no_zero() {
        assert!(read("Ip: InNoRoutes\n").is_err());
        assert!(read("Ip: InNoRoutes InDiscards\nIp: 7\n").is_err());
        assert!(read("Ip: InNoRoutes\nTcp: 7\n").is_err());
    }
}
