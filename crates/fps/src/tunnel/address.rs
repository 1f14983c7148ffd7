//! The addresses inside a packet of the tunnel.

use std::hash::Hasher;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use rustc_hash::FxHasher;

/// Source and destination of one IP packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InnerAddresses {
    /// Who sent it.
    pub source: IpAddr,
    /// Whom it is for.
    pub destination: IpAddr,
}

impl InnerAddresses {
    /// Reads a packet's fixed header; `None` if it is neither IPv4 nor IPv6.
    pub fn of(packet: &[u8]) -> Option<Self> {
        match packet.first()? >> 4 {
            4 => {
                let header = packet.first_chunk::<20>()?;
                let at = |i: usize| {
                    IpAddr::from(Ipv4Addr::new(
                        header[i],
                        header[i + 1],
                        header[i + 2],
                        header[i + 3],
                    ))
                };
                Some(Self {
                    source: at(12),
                    destination: at(16),
                })
            }
            6 => {
                let (source, destination) = packet.first_chunk::<40>()?[8..].split_first_chunk()?;
                let destination: &[u8; 16] = destination.try_into().ok()?;
                Some(Self {
                    source: Ipv6Addr::from(*source).into(),
                    destination: Ipv6Addr::from(*destination).into(),
                })
            }
            _ => None,
        }
    }
}

/// A number for the flow that a packet belongs to: addresses, protocol, and ports where there are any.
/// Two flows may have one.
pub(super) fn flow(packet: &[u8]) -> u8 {
    let (addresses, protocol, rest) = match packet.first().map(|byte| byte >> 4) {
        Some(4) => {
            let header = usize::from(packet[0] & 15) * 4;
            (12..20, packet.get(9), header)
        }
        Some(6) => (8..40, packet.get(6), 40),
        _ => return 0,
    };
    let Some((addresses, protocol)) = packet.get(addresses).zip(protocol) else {
        return 0;
    };
    let mut hasher = FxHasher::default();
    hasher.write(addresses);
    hasher.write_u8(*protocol);
    // TCP and UDP begin with their ports, but for fragments: only the first has them, so none is told
    // by them.
    let whole = packet[0] >> 4 == 6 || packet.get(6..8).is_some_and(|it| it[0] & 0x3f | it[1] == 0);
    if let (6 | 17, true, Some(ports)) = (protocol, whole, packet.get(rest..rest + 4)) {
        hasher.write(ports);
    }
    (hasher.finish() >> 56) as u8
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The fixed header of a packet from one address to another of the same family.
    pub(crate) fn packet(source: &str, destination: &str) -> Vec<u8> {
        let parse = |text: &str| text.parse::<IpAddr>().expect("an address");
        match (parse(source), parse(destination)) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => {
                [&[0x45; 12][..], &source.octets(), &destination.octets()].concat()
            }
            (IpAddr::V6(source), IpAddr::V6(destination)) => {
                [&[0x60; 8][..], &source.octets(), &destination.octets()].concat()
            }
            _ => panic!("two families"),
        }
    }

    #[test]
    fn reads_both_families() {
        for (source, destination) in [("10.0.0.1", "192.0.2.7"), ("fd00::1", "2001:db8::2")] {
            let read = InnerAddresses::of(&packet(source, destination)).expect("an IP packet");
            assert_eq!(read.source.to_string(), source);
            assert_eq!(read.destination.to_string(), destination);
        }
    }

    #[test]
    fn refuses_what_is_no_whole_header() {
        let (four, six) = (packet("10.0.0.1", "10.0.0.2"), packet("fd00::1", "fd00::2"));
        for bytes in [&b""[..], &four[..19], &six[..39], &[0x10; 60]] {
            assert_eq!(InnerAddresses::of(bytes), None, "{bytes:02x?}");
        }
    }
}
