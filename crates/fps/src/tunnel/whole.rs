//! A packet as the device gives and takes it: up to 64 KiB of one flow behind a `virtio_net_hdr`, which
//! says how it is to be split into packets of the MTU, and which checksum is still to be made.
//!
//! The header comes from the other end of the tunnel as well, and the kernel does what it says. A
//! checksum it would write anywhere in the packet (`skb_checksum_help`, net/core/dev.c), so into the
//! source address too, behind the back of whoever has compared that with the client's lease. So a
//! header is looked at before anything else is.

use tun_rs::{VIRTIO_NET_HDR_LEN, VirtioNetHdr, checksum, gso_split};

/// `linux/virtio_net.h`.
const NEEDS_CSUM: u8 = 1;
const DATA_VALID: u8 = 2;
const GSO_NONE: u8 = 0;
const GSO_TCPV4: u8 = 1;
const GSO_TCPV6: u8 = 4;
const GSO_UDP_L4: u8 = 5;
const GSO_ECN: u8 = 0x80;

/// See the module.
#[derive(Clone, Copy, Debug)]
pub struct Whole<'a> {
    header: VirtioNetHdr,
    bytes: &'a [u8],
}

impl<'a> Whole<'a> {
    /// The longest, with its header.
    pub const LONGEST: usize = VIRTIO_NET_HDR_LEN + 65535;

    /// Header and packet; none if they do not fit to each other.
    pub fn read(bytes: &'a [u8]) -> Option<Self> {
        let header = VirtioNetHdr::decode(bytes).ok()?;
        let whole = Self { header, bytes };
        (bytes.len() <= Self::LONGEST && whole.is_sound()).then_some(whole)
    }

    /// The packet.
    pub fn packet(&self) -> &'a [u8] {
        &self.bytes[VIRTIO_NET_HDR_LEN..]
    }

    /// Header and packet.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    fn is_sound(&self) -> bool {
        let (header, packet) = (&self.header, self.packet());
        let Some(addresses_end) = addresses_end(packet) else {
            return false;
        };
        let asks = header.flags & NEEDS_CSUM != 0;
        let (start, offset) = (
            usize::from(header.csum_start),
            usize::from(header.csum_offset),
        );
        let checksum = start >= addresses_end && start + offset + 2 <= packet.len();
        let v6 = packet[0] >> 4 == 6;
        let split = match header.gso_type & !GSO_ECN {
            GSO_NONE => header.gso_type == GSO_NONE,
            GSO_TCPV4 => asks && header.gso_size > 0 && !v6,
            GSO_TCPV6 => asks && header.gso_size > 0 && v6,
            GSO_UDP_L4 => asks && header.gso_size > 0 && header.gso_type == GSO_UDP_L4,
            _ => false,
        };
        let known = header.flags & !(NEEDS_CSUM | DATA_VALID) == 0;
        known && split && (checksum || !asks) && usize::from(header.hdr_len) <= packet.len()
    }
}

/// Where a packet's first header ends, with both addresses before that.
fn addresses_end(packet: &[u8]) -> Option<usize> {
    let end = match packet.first()? >> 4 {
        4 => usize::from(packet[0] & 15) * 4,
        6 => 40,
        _ => return None,
    };
    (end >= 20 && end <= packet.len()).then_some(end)
}

/// Splits what is in a buffer, header and packet, into packets with their checksums; says how many. What
/// the kernel has given fits, but for a device whose MTU has been raised: then it is none.
pub(super) fn split(whole: &mut [u8], packets: &mut [Vec<u8>], sizes: &mut [usize]) -> usize {
    let Some(Whole { mut header, .. }) = Whole::read(whole) else {
        return 0;
    };
    let packet = &mut whole[VIRTIO_NET_HDR_LEN..];
    let start = usize::from(header.csum_start);
    if header.gso_type == GSO_NONE {
        if header.flags & NEEDS_CSUM != 0 {
            // The field holds the sum of the pseudo-header.
            let sum = !checksum(&packet[start..], 0);
            let at = start + usize::from(header.csum_offset);
            packet[at..at + 2].copy_from_slice(&sum.to_be_bytes());
        }
        let Some(room) = packets[0].get_mut(..packet.len()) else {
            return 0;
        };
        room.copy_from_slice(packet);
        sizes[0] = packet.len();
        return 1;
    }
    // The kernel's own word for it is the length of the whole first packet where it forwards.
    let transport = match header.gso_type & !GSO_ECN {
        GSO_UDP_L4 => 8,
        _ => packet.get(start + 12).map_or(0, |byte| byte >> 4) * 4,
    };
    header.hdr_len = header.csum_start.saturating_add(transport.into());
    let v6 = packet[0] >> 4 == 6;
    gso_split(packet, header, packets, sizes, 0, v6).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::super::address::tests::packet;
    use super::*;

    fn with(header: VirtioNetHdr, packet: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; VIRTIO_NET_HDR_LEN];
        header.encode(&mut bytes).unwrap();
        bytes.extend(packet);
        bytes
    }

    fn tcp() -> (VirtioNetHdr, Vec<u8>) {
        let mut packet = packet("10.0.0.1", "10.0.0.2");
        packet.resize(20 + 20 + 3000, 7);
        packet[9] = 6;
        packet[20 + 12] = 5 << 4;
        let header = VirtioNetHdr {
            flags: NEEDS_CSUM,
            gso_type: GSO_TCPV4,
            hdr_len: 40,
            gso_size: 1400,
            csum_start: 20,
            csum_offset: 16,
        };
        (header, packet)
    }

    #[test]
    fn a_header_says_nothing_that_the_packet_is_not() {
        let (good, packet) = tcp();
        let sound = |header| Whole::read(&with(header, &packet)).is_some();
        assert!(sound(good));
        let bad: [fn(&mut VirtioNetHdr); 9] = [
            // The source address.
            |it| (it.csum_start, it.csum_offset) = (0, 12),
            |it| it.csum_start = 19,
            |it| it.csum_offset = 3020,
            |it| it.gso_size = 0,
            |it| it.gso_type = GSO_TCPV6,
            |it| it.gso_type = 3,
            |it| it.flags = 0,
            |it| it.flags |= 4,
            |it| it.hdr_len = 4000,
        ];
        for (number, change) in bad.iter().enumerate() {
            let mut header = good;
            change(&mut header);
            assert!(!sound(header), "{number}");
        }
        assert!(Whole::read(&with(VirtioNetHdr::default(), &[])).is_none());
        assert!(Whole::read(&with(VirtioNetHdr::default(), &[0x4f; 30])).is_none());
        assert!(Whole::read(&[0; 5]).is_none());
    }

    #[test]
    fn a_whole_packet_is_split_into_packets_with_their_checksums() {
        let (header, packet) = tcp();
        let mut packets = vec![vec![0; 1440]; 8];
        let mut sizes = [0; 8];
        let count = split(&mut with(header, &packet), &mut packets, &mut sizes);
        assert_eq!(sizes[..count], [1440, 1440, 240]);
        for (packet, size) in packets.iter().zip(&sizes[..count]) {
            assert_eq!(checksum(&packet[..20], 0), 0xffff, "the IPv4 header");
            let tcp = &packet[20..*size];
            let pseudo = [&packet[12..20], &[0, 6], &(tcp.len() as u16).to_be_bytes()].concat();
            assert_eq!(checksum(&[&pseudo[..], tcp].concat(), 0), 0xffff, "TCP");
        }
    }

    #[test]
    fn a_checksum_that_is_still_to_be_made_is_made() {
        let mut udp = packet("10.0.0.1", "10.0.0.2");
        udp[9] = 17;
        udp.extend([0, 7, 0, 7, 0, 12, 0, 0, 1, 2, 3, 4]);
        let pseudo = [&udp[12..20], &[0, 17, 0, 12]].concat();
        let sum = checksum(&pseudo, 0);
        udp[26..28].copy_from_slice(&sum.to_be_bytes());
        let header = VirtioNetHdr {
            flags: NEEDS_CSUM,
            csum_start: 20,
            csum_offset: 6,
            ..VirtioNetHdr::default()
        };
        let (mut packets, mut sizes) = (vec![vec![0; 100]], [0]);
        assert_eq!(split(&mut with(header, &udp), &mut packets, &mut sizes), 1);
        let made = &packets[0][..sizes[0]];
        assert_eq!(checksum(&[&pseudo[..], &made[20..]].concat(), 0), 0xffff);
    }
}
