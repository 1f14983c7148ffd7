//! The kernel's integers, each with a type of its own, so that swapping two does not compile.

use std::fmt;
use std::num::{NonZeroU32, ParseIntError};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An interface index: unique within one network namespace, never zero (netdevice(7)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IfIndex(NonZeroU32);

impl IfIndex {
    /// The loopback device, which every network namespace creates first.
    pub const LOOPBACK: Self = Self(NonZeroU32::MIN);

    /// Wraps an index as the kernel gives it; zero means "no interface".
    pub fn new(index: u32) -> Option<Self> {
        NonZeroU32::new(index).map(Self)
    }

    /// The index as the kernel takes it.
    pub fn get(self) -> u32 {
        self.0.get()
    }
}

impl fmt::Display for IfIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The number of a netlink socket within its network namespace (`nl_pid` in netlink(7)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Port(pub u32);

/// A routing table's number (ip-route(8)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TableId(pub u32);

impl TableId {
    /// `RT_TABLE_MAIN`, where routes go that name no table.
    pub const MAIN: Self = Self(254);
    /// `RT_TABLE_LOCAL`, which the kernel fills with the machine's own addresses.
    pub const LOCAL: Self = Self(255);
}

impl fmt::Display for TableId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::MAIN => f.write_str("main"),
            Self::LOCAL => f.write_str("local"),
            Self(number) => number.fmt(f),
        }
    }
}

/// A firewall mark: `SO_MARK` on a socket, `fwmark` in a rule (socket(7)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fwmark(pub u32);

impl fmt::Display for Fwmark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

impl FromStr for Fwmark {
    type Err = ParseIntError;

    /// Reads decimal, or hexadecimal behind `0x`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
            Some(hex) => u32::from_str_radix(hex, 16).map(Self),
            None => text.parse().map(Self),
        }
    }
}

/// A routing rule's priority: the lowest number is looked at first (ip-rule(8)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RulePriority(pub u32);

impl fmt::Display for RulePriority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interface_index_is_never_zero() {
        assert_eq!(IfIndex::new(0), None);
        assert_eq!(IfIndex::LOOPBACK.get(), 1);
    }

    #[test]
    fn a_mark_reads_as_it_prints() {
        assert_eq!("0x465053".parse(), Ok(Fwmark(0x0046_5053)));
        assert_eq!("17".parse(), Ok(Fwmark(17)));
        assert_eq!(Fwmark(0x0046_5053).to_string(), "0x465053");
        assert!("0xzz".parse::<Fwmark>().is_err());
    }
}
