//! /proc/net/dev: sixteen numbers a link (`dev_seq_printf_stats` in net/core/net-procfs.c).

/// What is counted of each link. The file has sums in some columns, which are left out, so that a
/// name here means what it does in /sys/class/net/LINK/statistics.
pub const STATISTICS: [&str; 9] = [
    "rx_bytes",
    "rx_packets",
    "rx_errors",
    "rx_fifo_errors",
    "tx_bytes",
    "tx_packets",
    "tx_errors",
    "tx_dropped",
    "tx_fifo_errors",
];

/// The columns, in order. Those with a dash are sums of several statistics.
const COLUMNS: [&str; 16] = [
    "rx_bytes",
    "rx_packets",
    "rx_errors",
    "-",
    "rx_fifo_errors",
    "-",
    "rx_compressed",
    "multicast",
    "tx_bytes",
    "tx_packets",
    "tx_errors",
    "tx_dropped",
    "tx_fifo_errors",
    "collisions",
    "-",
    "tx_compressed",
];

/// Reads the file; gives the line that makes no sense.
pub(super) fn read(text: &str) -> Result<Vec<(String, u64)>, String> {
    let mut found = Vec::new();
    // Two lines are the heading.
    for line in text.lines().skip(2) {
        let wrong = || line.to_owned();
        let (link, values) = line.split_once(':').ok_or_else(wrong)?;
        let values: Result<Vec<u64>, _> = values.split_whitespace().map(str::parse).collect();
        let values = values.map_err(|_| wrong())?;
        if values.len() != COLUMNS.len() {
            return Err(wrong());
        }
        let named = COLUMNS.iter().zip(values);
        let wanted = named.filter(|(name, _)| STATISTICS.contains(name));
        found.extend(wanted.map(|(name, value)| (format!("{}.{name}", link.trim()), value)));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_column_has_its_name() {
        let text =
            "Inter-|   Receive\n face |bytes\n  eth0: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n";
        let found = read(text).unwrap();
        let value = |name: &str| found.iter().find(|(known, _)| known == name).unwrap().1;
        assert_eq!(value("eth0.rx_packets"), 2);
        assert_eq!(value("eth0.tx_bytes"), 9);
        assert_eq!(value("eth0.tx_fifo_errors"), 13);
        assert_eq!(found.len(), STATISTICS.len());
        assert!(read("a\nb\neth0: 1 2\n").is_err());
    }
}
