//! Which counters of the kernel tell of packets that went astray.

/// Of any group: datagrams that IP, ICMP, TCP or UDP dropped, refused or could not send (RFC 4293,
/// 4022, 4113; net/ipv4/proc.c, net/ipv6/proc.c).
const NAMES: [&str; 27] = [
    "InHdrErrors",
    "InAddrErrors",
    "InUnknownProtos",
    "InDiscards",
    "InNoRoutes",
    "InTruncatedPkts",
    "InCsumErrors",
    "InErrors",
    "InTooBigErrors",
    "InDestUnreachs",
    "InPktTooBigs",
    "OutDiscards",
    "OutNoRoutes",
    "OutDestUnreachs",
    "OutPktTooBigs",
    "OutRsts",
    "FragFails",
    "ReasmFails",
    "ReasmTimeout",
    "NoPorts",
    "RcvbufErrors",
    "SndbufErrors",
    "AttemptFails",
    "RetransSegs",
    "IPReversePathFilter",
    "ListenDrops",
    "ListenOverflows",
];

/// Of links.
const STATISTICS: [&str; 4] = ["rx_errors", "tx_errors", "tx_dropped", "rx_fifo_errors"];

/// Those changes that tell of packets that went astray.
pub fn telling(changes: &[(String, i64)]) -> Vec<(String, i64)> {
    let bears = |name: &str| {
        let counter = name.rsplit('.').next().unwrap_or(name);
        NAMES.contains(&counter) || STATISTICS.contains(&counter)
    };
    let changes = changes.iter().filter(|(name, _)| bears(name));
    changes.cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_went_astray_is_told() {
        let changes = [
            ("Ip.InReceives".to_owned(), 7),
            ("TcpExt.IPReversePathFilter".to_owned(), 3),
            ("eth0.tx_dropped".to_owned(), 1),
            ("eth0.tx_packets".to_owned(), 9),
        ];
        let told = telling(&changes);
        assert_eq!(told, [changes[1].clone(), changes[2].clone()]);
    }
}
