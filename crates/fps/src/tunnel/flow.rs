//! Which flow a packet belongs to.

use std::hash::Hasher;

use rustc_hash::FxHasher;

/// How many flows are told apart. Two may be taken for one.
pub(super) const FLOWS: usize = 256;

/// A number for a flow: addresses, protocol, and ports where there are any. Both directions of a
/// connection have the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Flow(u8);

impl Flow {
    /// Its place among [`FLOWS`].
    pub(super) fn place(self) -> usize {
        self.0.into()
    }

    /// That of a packet.
    pub fn of(packet: &[u8]) -> Self {
        let parts = match packet.first().map(|byte| byte >> 4) {
            Some(4) => v4(packet),
            Some(6) => v6(packet),
            _ => None,
        };
        let Some(Parts {
            ends,
            protocol,
            ports,
        }) = parts
        else {
            return Self::default();
        };
        let end = |at: usize| {
            let mut hasher = FxHasher::default();
            hasher.write(ends[at]);
            hasher.write_u8(protocol);
            if let Some(ports) = ports {
                hasher.write(&ports[2 * at..2 * at + 2]);
            }
            hasher.finish()
        };
        // It is the same whichever end is first. The hasher's upper bits are its good ones.
        let both = end(0)
            .wrapping_add(end(1))
            .wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Self(both.to_be_bytes()[0])
    }
}

struct Parts<'a> {
    /// Source and destination.
    ends: [&'a [u8]; 2],
    protocol: u8,
    /// Of TCP and UDP, which begin with them.
    ports: Option<&'a [u8]>,
}

fn v4(packet: &[u8]) -> Option<Parts<'_>> {
    let header = usize::from(packet[0] & 15) * 4;
    let protocol = *packet.get(9)?;
    // Of fragments only the first has ports, so none is told by them.
    let whole = packet.get(6..8)? == [packet[6] & 0x40, 0];
    Some(Parts {
        ends: [packet.get(12..16)?, packet.get(16..20)?],
        protocol,
        ports: ports(packet, protocol, header).filter(|_| whole),
    })
}

fn v6(packet: &[u8]) -> Option<Parts<'_>> {
    let protocol = *packet.get(6)?;
    Some(Parts {
        ends: [packet.get(8..24)?, packet.get(24..40)?],
        protocol,
        ports: ports(packet, protocol, 40),
    })
}

fn ports(packet: &[u8], protocol: u8, at: usize) -> Option<&[u8]> {
    matches!(protocol, 6 | 17).then_some(())?;
    packet.get(at..at + 4)
}

#[cfg(test)]
mod tests {
    use super::super::address::tests::packet;
    use super::*;

    fn udp(source: (&str, u16), destination: (&str, u16)) -> Vec<u8> {
        let mut packet = packet(source.0, destination.0);
        let v6 = packet[0] >> 4 == 6;
        packet[if v6 { 6 } else { 9 }] = 17;
        if !v6 {
            packet[6..8].copy_from_slice(&[0x40, 0]);
        }
        packet.extend(source.1.to_be_bytes());
        packet.extend(destination.1.to_be_bytes());
        packet
    }

    #[test]
    fn both_directions_are_one_and_most_others_are_others() {
        for (one, other) in [("10.0.0.1", "192.0.2.7"), ("fd00::1", "2001:db8::2")] {
            let there = Flow::of(&udp((one, 1000), (other, 53)));
            assert_eq!(Flow::of(&udp((other, 53), (one, 1000))), there);
            let flows = (1000..1256).map(|port| Flow::of(&udp((one, port), (other, 53))).place());
            let different: std::collections::BTreeSet<_> = flows.collect();
            // Of as many balls in as many urns about 63 % have one.
            assert!(different.len() > 120, "{}", different.len());
        }
    }

    #[test]
    fn the_parts_of_a_packet_are_one_flow() {
        let mut first = udp(("10.0.0.1", 1000), ("192.0.2.7", 53));
        first[6] = 0x20;
        let mut second = udp(("10.0.0.1", 7), ("192.0.2.7", 7));
        second[7] = 9;
        assert_eq!(Flow::of(&first), Flow::of(&second));
        assert_eq!(Flow::of(&[]), Flow::default());
        assert_eq!(Flow::of(&[0x45; 10]), Flow::default());
    }
}
