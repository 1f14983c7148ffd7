//! The IPv4 header (RFC 791).

use std::net::IpAddr;

use pnet::packet::ipv4::Ipv4Packet;

use crate::transport::read_transport;
use crate::{Packet, Transport};

/// Reads an IPv4 packet; `None` without a whole header.
pub(crate) fn read_ipv4(bytes: &[u8]) -> Option<Packet<'_>> {
    let ip = Ipv4Packet::new(bytes)?;
    if ip.get_version() != 4 {
        return None;
    }
    // Counted in words of 4 bytes, options and all.
    let header = usize::from(ip.get_header_length()) * 4;
    if header < Ipv4Packet::minimum_packet_size() {
        return None;
    }
    let total = match usize::from(ip.get_total_length()) {
        // Several segments passed as one that is longer than the field holds ("BIG TCP":
        // `iph_totlen` in include/linux/ip.h).
        0 => bytes.len(),
        total => total.min(bytes.len()),
    };
    let behind = bytes.get(header..total)?;
    let (transport, payload) = match ip.get_fragment_offset() {
        0 => read_transport(ip.get_next_level_protocol(), behind),
        _ => (Transport::Fragment, behind),
    };
    Some(Packet {
        source: IpAddr::V4(ip.get_source()),
        destination: IpAddr::V4(ip.get_destination()),
        transport,
        payload,
    })
}
