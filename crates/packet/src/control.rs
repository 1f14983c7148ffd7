//! The positive control: a packet that a capture must see and no host may answer.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use pnet::packet::MutablePacket;
use pnet::packet::ip::IpNextHeaderProtocols;
use pnet::packet::ipv4::{self, MutableIpv4Packet};
use pnet::packet::ipv6::MutableIpv6Packet;
use pnet::packet::udp::{self, MutableUdpPacket};

use crate::Nonce;

/// The discard service's port (RFC 863), should a receiver after all look that far.
const DISCARD: u16 = 9;

const IPV4_HEADER: usize = MutableIpv4Packet::minimum_packet_size();
const IPV6_HEADER: usize = MutableIpv6Packet::minimum_packet_size();
const UDP_HEADER: usize = MutableUdpPacket::minimum_packet_size();

/// A packet needs two addresses of one family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no packet goes from {from} to {to}: both must be IPv4 or both IPv6")]
pub struct FamilyMismatch {
    /// The source asked for.
    pub from: IpAddr,
    /// The destination asked for.
    pub to: IpAddr,
}

/// A packet with the nonce that any receiver drops without a word.
///
/// IPv4: a wrong header checksum, at which `ip_rcv_core` (net/ipv4/ip_input.c) counts an error and
/// frees the packet. IPv6 has no such checksum: here the header claims more payload than there is,
/// at which `ip6_rcv_core` (net/ipv6/ip6_input.c) does likewise. Both come before any lookup of a
/// socket or route, so there is no ICMP error either. A TTL of 1 and, for IPv6, a wrong UDP
/// checksum bound what a laxer receiver could do.
pub fn injectable(from: IpAddr, to: IpAddr, nonce: Nonce) -> Result<Vec<u8>, FamilyMismatch> {
    match (from, to) {
        (IpAddr::V4(from), IpAddr::V4(to)) => Ok(injectable_v4(from, to, nonce)),
        (IpAddr::V6(from), IpAddr::V6(to)) => Ok(injectable_v6(from, to, nonce)),
        _ => Err(FamilyMismatch { from, to }),
    }
}

fn injectable_v4(from: Ipv4Addr, to: Ipv4Addr, nonce: Nonce) -> Vec<u8> {
    let payload = nonce.control_payload();
    let mut bytes = vec![0; IPV4_HEADER + UDP_HEADER + payload.len()];
    let length = bytes.len() as u16;
    let mut ip = MutableIpv4Packet::new(&mut bytes).expect("room for the header");
    ip.set_version(4);
    ip.set_header_length((IPV4_HEADER / 4) as u8);
    ip.set_total_length(length);
    ip.set_ttl(1);
    ip.set_next_level_protocol(IpNextHeaderProtocols::Udp);
    ip.set_source(from);
    ip.set_destination(to);
    let right = ipv4::checksum(&ip.to_immutable());
    // One bit off is always wrong: only 0 and 0xffff mean the same to a ones' complement sum.
    ip.set_checksum(right ^ 1);
    // A UDP checksum of 0 means "none" (RFC 768).
    write_udp(ip.payload_mut(), &payload);
    bytes
}

fn injectable_v6(from: Ipv6Addr, to: Ipv6Addr, nonce: Nonce) -> Vec<u8> {
    /// How much payload the header claims beyond what there is.
    const MISSING: usize = 8;

    let payload = nonce.control_payload();
    let mut bytes = vec![0; IPV6_HEADER + UDP_HEADER + payload.len()];
    let mut udp = write_udp(&mut bytes[IPV6_HEADER..], &payload);
    let right = udp::ipv6_checksum(&udp.to_immutable(), &from, &to);
    udp.set_checksum(right ^ 1);
    let mut ip = MutableIpv6Packet::new(&mut bytes).expect("room for the header");
    ip.set_version(6);
    ip.set_payload_length((UDP_HEADER + payload.len() + MISSING) as u16);
    ip.set_next_header(IpNextHeaderProtocols::Udp);
    ip.set_hop_limit(1);
    ip.set_source(from);
    ip.set_destination(to);
    bytes
}

/// Fills in a datagram without a checksum.
fn write_udp<'a>(bytes: &'a mut [u8], payload: &[u8]) -> MutableUdpPacket<'a> {
    let length = bytes.len() as u16;
    let mut udp = MutableUdpPacket::new(bytes).expect("room for the header");
    udp.set_source(DISCARD);
    udp.set_destination(DISCARD);
    udp.set_length(length);
    udp.set_payload(payload);
    udp
}

#[cfg(test)]
mod tests {
    use nix::libc;
    use pnet::packet::ipv4::Ipv4Packet;
    use pnet::packet::ipv6::Ipv6Packet;

    use super::*;
    use crate::Packet;

    #[test]
    fn the_ipv4_one_is_recognised_and_wrong_in_its_header_checksum_alone() {
        let nonce = Nonce::random().unwrap();
        let (from, to) = ("10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap());
        let bytes = injectable(from, to, nonce).unwrap();
        let packet = Packet::parse(libc::ETH_P_IP as u16, &bytes).unwrap();
        assert_eq!(packet.to_string(), "10.0.0.1:9 > 10.0.0.2:9 udp");
        assert_eq!((packet.control(), packet.nonce()), (Some(nonce), None));
        let ip = Ipv4Packet::new(&bytes).unwrap();
        assert_eq!(ip.get_checksum() ^ 1, ipv4::checksum(&ip));
        assert_eq!(usize::from(ip.get_total_length()), bytes.len());
        assert_eq!(ip.get_ttl(), 1);
    }

    #[test]
    fn the_ipv6_one_is_recognised_and_claims_more_than_it_has() {
        let nonce = Nonce::random().unwrap();
        let (from, to) = ("fd00::1".parse().unwrap(), "fd00::2".parse().unwrap());
        let bytes = injectable(from, to, nonce).unwrap();
        let packet = Packet::parse(libc::ETH_P_IPV6 as u16, &bytes).unwrap();
        assert_eq!(packet.to_string(), "[fd00::1]:9 > [fd00::2]:9 udp");
        assert_eq!((packet.control(), packet.nonce()), (Some(nonce), None));
        let ip = Ipv6Packet::new(&bytes).unwrap();
        assert_eq!(
            usize::from(ip.get_payload_length()),
            bytes.len() - IPV6_HEADER + 8
        );
        assert_eq!(ip.get_hop_limit(), 1);
    }

    #[test]
    fn refuses_two_families() {
        let (from, to) = ("10.0.0.1".parse().unwrap(), "fd00::2".parse().unwrap());
        let error = injectable(from, to, Nonce::random().unwrap()).unwrap_err();
        let text = "no packet goes from 10.0.0.1 to fd00::2: both must be IPv4 or both IPv6";
        assert_eq!(error.to_string(), text);
    }
}
