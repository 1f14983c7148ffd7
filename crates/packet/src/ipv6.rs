//! The IPv6 header and its extensions (RFC 8200).

use std::net::IpAddr;

use pnet::packet::ip::{IpNextHeaderProtocol, IpNextHeaderProtocols};
use pnet::packet::ipv6::{FragmentPacket, Ipv6Packet};

use crate::transport::read_transport;
use crate::{Packet, Transport};

/// Reads an IPv6 packet; `None` without a whole header.
pub(crate) fn read_ipv6(bytes: &[u8]) -> Option<Packet<'_>> {
    let ip = Ipv6Packet::new(bytes)?;
    if ip.get_version() != 6 {
        return None;
    }
    let behind = &bytes[Ipv6Packet::minimum_packet_size()..];
    let behind = match usize::from(ip.get_payload_length()) {
        // A jumbogram, or several segments passed as one (RFC 2675).
        0 => behind,
        length => &behind[..length.min(behind.len())],
    };
    let (transport, payload) = read_chain(ip.get_next_header(), behind);
    Some(Packet {
        source: IpAddr::V6(ip.get_source()),
        destination: IpAddr::V6(ip.get_destination()),
        transport,
        payload,
    })
}

/// Goes past the extension headers to the transport (RFC 8200, 4.1). Ends because each header
/// takes at least 8 bytes.
fn read_chain(mut next: IpNextHeaderProtocol, mut bytes: &[u8]) -> (Transport, &[u8]) {
    loop {
        let length = match next {
            IpNextHeaderProtocols::Hopopt
            | IpNextHeaderProtocols::Ipv6Route
            | IpNextHeaderProtocols::Ipv6Opts => extension_length(bytes, 1, 8),
            // In words of 4 bytes, less two (RFC 4302, 2.2).
            IpNextHeaderProtocols::Ah => extension_length(bytes, 2, 4),
            IpNextHeaderProtocols::Ipv6Frag => match FragmentPacket::new(bytes) {
                Some(fragment) if fragment.get_fragment_offset() != 0 => {
                    let behind = &bytes[FragmentPacket::minimum_packet_size()..];
                    return (Transport::Fragment, behind);
                }
                Some(_) => Some(FragmentPacket::minimum_packet_size()),
                None => None,
            },
            _ => return read_transport(next, bytes),
        };
        let header = length.and_then(|length| bytes.split_at_checked(length));
        let Some((&[after, ..], behind)) = header else {
            return (Transport::Other(next.0), bytes);
        };
        next = IpNextHeaderProtocol::new(after);
        bytes = behind;
    }
}

/// How long an extension header is, by its second byte: `unit` bytes each, and `more` of them.
fn extension_length(bytes: &[u8], more: usize, unit: usize) -> Option<usize> {
    bytes
        .get(1)
        .map(|&count| (usize::from(count) + more) * unit)
}
