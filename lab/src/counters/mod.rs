//! What the kernel has counted in a host since it was made: by protocol and by link.
//!
//! - [`Counters`]: all of them by name, and what has come since an earlier reading
//! - [`Meters`]: the same of one host again and again, since the last reset
//! - `tables`: /proc/net/snmp and netstat, which have their names in a line above the numbers
//! - `pairs`: /proc/net/snmp6, a name and a number a line
//! - `links`: /proc/net/dev
//!
//! The names are those of nstat(8) with a dot behind the group: `IpExt.InNoRoutes`, `Ip6.InNoRoutes`,
//! `TcpExt.ListenDrops`, `Icmp.OutDestUnreachs` (RFC 4293, 4022, 4113; net/ipv4/proc.c,
//! net/ipv6/proc.c), and of links those of /sys/class/net/LINK/statistics: `eth0.rx_packets`.

mod links;
mod meters;
mod pairs;
mod tables;

use std::collections::BTreeMap;
use std::io;

use crate::sandbox::{HostId, Sandbox, SandboxError};

pub use links::STATISTICS;
pub use meters::Meters;
pub use tables::GROUPS;

/// What the files say that is no count of events: settings and states (RFC 4293, 4022).
const GAUGES: [&str; 7] = [
    "Ip.Forwarding",
    "Ip.DefaultTTL",
    "Tcp.RtoAlgorithm",
    "Tcp.RtoMin",
    "Tcp.RtoMax",
    "Tcp.MaxConn",
    "Tcp.CurrEstab",
];

/// One reading of all counters of a host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    values: BTreeMap<String, u64>,
}

/// A reading that failed.
#[derive(Debug, thiserror::Error)]
pub enum CountersError {
    /// The sandbox gave no file.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// The kernel gave no text.
    #[error("read {path} of a host")]
    Read {
        /// The file.
        path: &'static str,
        /// Why.
        source: io::Error,
    },
    /// The text is not what it was since Linux 2.6.
    #[error("{path} of a host is not as expected: {line:?}")]
    Malformed {
        /// The file.
        path: &'static str,
        /// The line that makes no sense.
        line: String,
    },
}

/// One file, and what understands it: gives names and numbers, or the line that makes no sense.
type Source = (&'static str, fn(&str) -> Result<Vec<(String, u64)>, String>);

const SOURCES: [Source; 4] = [
    ("/proc/self/net/snmp", tables::read),
    ("/proc/self/net/netstat", tables::read),
    ("/proc/self/net/snmp6", pairs::read),
    ("/proc/self/net/dev", links::read),
];

impl Counters {
    /// Reads all counters of a host: four files of its network namespace, in about a millisecond.
    /// Where the kernel has no IPv6 there is no snmp6, and so no counter of IPv6.
    pub fn read(sandbox: &Sandbox, host: HostId) -> Result<Self, CountersError> {
        Meters::open(sandbox, host)?.now()
    }

    /// A counter's value; none where the kernel has no such counter, or does not show it before it
    /// has counted something, as those of `IcmpMsg`.
    pub fn get(&self, name: &str) -> Option<u64> {
        self.values.get(name).copied()
    }

    /// All names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }

    /// What has come since an earlier reading of the same host: each counter that changed, in the
    /// order of names. Counters of a link that is gone are left out. A negative number means that a
    /// link was made anew under the same name.
    pub fn since(&self, earlier: &Self) -> Vec<(String, i64)> {
        let changes = self.values.iter().map(|(name, now)| {
            let before = earlier.get(name).unwrap_or(0);
            // As the kernel's own: the difference is right also where a counter has gone round.
            (name.clone(), now.wrapping_sub(before).cast_signed())
        });
        changes.filter(|(_, change)| *change != 0).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counters(values: &[(&str, u64)]) -> Counters {
        let values = values
            .iter()
            .map(|(name, value)| ((*name).to_owned(), *value));
        Counters {
            values: values.collect(),
        }
    }

    #[test]
    fn only_what_changed_is_a_difference() {
        let before = counters(&[
            ("IpExt.InNoRoutes", 3),
            ("Udp.InErrors", 1),
            ("eth0.rx_bytes", 9),
        ]);
        let after = counters(&[
            ("IpExt.InNoRoutes", 5),
            ("Udp.InErrors", 1),
            ("IcmpMsg.OutType3", 2),
        ]);
        let changes = after.since(&before);
        let expected = [("IcmpMsg.OutType3", 2), ("IpExt.InNoRoutes", 2)];
        assert_eq!(changes, expected.map(|(name, by)| (name.to_owned(), by)));
    }

    #[test]
    fn a_link_that_was_made_anew_counts_backwards() {
        let before = counters(&[("eth0.rx_bytes", 900)]);
        let after = counters(&[("eth0.rx_bytes", 100)]);
        assert_eq!(after.since(&before), [("eth0.rx_bytes".to_owned(), -800)]);
    }
}
