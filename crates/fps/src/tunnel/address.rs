//! The addresses inside a packet of the tunnel.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::Flow;

/// Source and destination of one IP packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InnerAddresses {
    /// Who sent it.
    pub source: IpAddr,
    /// Whom it is for.
    pub destination: IpAddr,
    /// The flow that it belongs to.
    pub flow: Flow,
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
                    flow: Flow::of(packet),
                })
            }
            6 => {
                let (source, destination) = packet.first_chunk::<40>()?[8..].split_first_chunk()?;
                let destination: &[u8; 16] = destination.try_into().ok()?;
                Some(Self {
                    source: Ipv6Addr::from(*source).into(),
                    destination: Ipv6Addr::from(*destination).into(),
                    flow: Flow::of(packet),
                })
            }
            _ => None,
        }
    }
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
