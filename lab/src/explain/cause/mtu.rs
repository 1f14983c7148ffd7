//! A packet that is larger than a link on its way takes.

use super::Case;

/// A packet that does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TooBig {
    /// Its length in bytes.
    pub length: usize,
    /// Where it did not fit: `host:link`.
    pub place: String,
    /// What that takes, in bytes.
    pub mtu: u32,
    /// Whether the sender has been told (ICMP "fragmentation needed", ICMPv6 "packet too big").
    pub told: bool,
}

pub(super) fn cause(case: &Case<'_>) -> Option<String> {
    let TooBig {
        length,
        place,
        mtu,
        told,
    } = case.too_big.as_ref()?;
    let told = match told {
        true => "the message that says so came in at its sender, who sent no smaller one in time",
        false => "no such message came in at its sender, so it is an MTU black hole",
    };
    Some(format!(
        "a packet of {length} bytes does not fit through {place} (MTU {mtu}); {told}"
    ))
}
