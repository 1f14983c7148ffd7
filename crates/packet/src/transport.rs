//! What stands behind an IP header.

use pnet::packet::icmp::{IcmpPacket, IcmpTypes};
use pnet::packet::icmpv6::{Icmpv6Packet, Icmpv6Types};
use pnet::packet::ip::{IpNextHeaderProtocol, IpNextHeaderProtocols};
use pnet::packet::tcp::{TcpFlags as Bits, TcpPacket};
use pnet::packet::udp::UdpPacket;

/// A transport header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// ICMP or ICMPv6, told apart by the packet's addresses.
    Icmp(Icmp),
    /// TCP.
    Tcp {
        /// The sender's port.
        source_port: u16,
        /// The receiver's port.
        destination_port: u16,
        /// What the segment does.
        flags: TcpFlags,
    },
    /// UDP.
    Udp {
        /// The sender's port.
        source_port: u16,
        /// The receiver's port.
        destination_port: u16,
    },
    /// A fragment that is not the first, so it has no transport header.
    Fragment,
    /// Another protocol, by its number, or one of the above whose header is cut off.
    Other(u8),
}

/// An ICMP message (RFC 792) or an ICMPv6 one (RFC 4443).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Icmp {
    /// A ping.
    EchoRequest {
        /// Which ping program.
        id: u16,
        /// Which of its pings.
        seq: u16,
    },
    /// A ping's answer, with the numbers of its request.
    EchoReply {
        /// Which ping program.
        id: u16,
        /// Which of its pings.
        seq: u16,
    },
    /// The packet cannot be delivered.
    Unreachable {
        /// Why: ICMP and ICMPv6 number the reasons differently.
        code: u8,
    },
    /// The packet is larger than the next link takes: ICMP unreachable with code 4, or ICMPv6
    /// packet too big.
    TooBig {
        /// What the next link takes; 0 from a router older than RFC 1191.
        mtu: u32,
    },
    /// The packet went through too many routers, or its fragments came too late.
    TimeExceeded,
    /// Another message, such as a neighbour solicitation.
    Other {
        /// The message's type.
        kind: u8,
    },
}

impl Icmp {
    /// Whether the message quotes the packet that it is about. Of the others that do (parameter
    /// problem, redirect) a lab sees none.
    pub(crate) fn is_error(self) -> bool {
        matches!(
            self,
            Self::Unreachable { .. } | Self::TooBig { .. } | Self::TimeExceeded
        )
    }
}

/// The flags of a TCP segment that open and close a connection (RFC 9293, 3.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TcpFlags {
    /// Opens.
    pub syn: bool,
    /// Acknowledges.
    pub ack: bool,
    /// Closes.
    pub fin: bool,
    /// Refuses or breaks off.
    pub rst: bool,
}

/// Reads the header of `protocol`, and gives what it carries.
pub(crate) fn read_transport(protocol: IpNextHeaderProtocol, bytes: &[u8]) -> (Transport, &[u8]) {
    let read = match protocol {
        IpNextHeaderProtocols::Tcp => read_tcp(bytes),
        IpNextHeaderProtocols::Udp => read_udp(bytes),
        IpNextHeaderProtocols::Icmp => read_icmp(bytes),
        IpNextHeaderProtocols::Icmpv6 => read_icmpv6(bytes),
        _ => None,
    };
    read.unwrap_or((Transport::Other(protocol.0), bytes))
}

fn read_tcp(bytes: &[u8]) -> Option<(Transport, &[u8])> {
    let tcp = TcpPacket::new(bytes)?;
    let bits = tcp.get_flags();
    let flags = TcpFlags {
        syn: bits & Bits::SYN != 0,
        ack: bits & Bits::ACK != 0,
        fin: bits & Bits::FIN != 0,
        rst: bits & Bits::RST != 0,
    };
    let transport = Transport::Tcp {
        source_port: tcp.get_source(),
        destination_port: tcp.get_destination(),
        flags,
    };
    // Counted in words of 4 bytes, options and all.
    let header = usize::from(tcp.get_data_offset()) * 4;
    Some((transport, bytes.get(header..).unwrap_or_default()))
}

fn read_udp(bytes: &[u8]) -> Option<(Transport, &[u8])> {
    let udp = UdpPacket::new(bytes)?;
    let transport = Transport::Udp {
        source_port: udp.get_source(),
        destination_port: udp.get_destination(),
    };
    Some((transport, &bytes[UdpPacket::minimum_packet_size()..]))
}

fn read_icmp(bytes: &[u8]) -> Option<(Transport, &[u8])> {
    /// "Fragmentation needed and DF set" (RFC 792).
    const FRAGMENTATION_NEEDED: u8 = 4;

    let head = IcmpPacket::new(bytes)?;
    let (rest, payload) = rest_of_header(bytes)?;
    let icmp = match (head.get_icmp_type(), head.get_icmp_code().0) {
        (IcmpTypes::EchoRequest, _) => Icmp::EchoRequest {
            id: upper(rest),
            seq: lower(rest),
        },
        (IcmpTypes::EchoReply, _) => Icmp::EchoReply {
            id: upper(rest),
            seq: lower(rest),
        },
        (IcmpTypes::DestinationUnreachable, FRAGMENTATION_NEEDED) => Icmp::TooBig {
            mtu: u32::from(lower(rest)),
        },
        (IcmpTypes::DestinationUnreachable, code) => Icmp::Unreachable { code },
        (IcmpTypes::TimeExceeded, _) => Icmp::TimeExceeded,
        (other, _) => Icmp::Other { kind: other.0 },
    };
    Some((Transport::Icmp(icmp), payload))
}

fn read_icmpv6(bytes: &[u8]) -> Option<(Transport, &[u8])> {
    let head = Icmpv6Packet::new(bytes)?;
    let (rest, payload) = rest_of_header(bytes)?;
    let icmp = match (head.get_icmpv6_type(), head.get_icmpv6_code().0) {
        (Icmpv6Types::EchoRequest, _) => Icmp::EchoRequest {
            id: upper(rest),
            seq: lower(rest),
        },
        (Icmpv6Types::EchoReply, _) => Icmp::EchoReply {
            id: upper(rest),
            seq: lower(rest),
        },
        (Icmpv6Types::DestinationUnreachable, code) => Icmp::Unreachable { code },
        (Icmpv6Types::PacketTooBig, _) => Icmp::TooBig {
            mtu: u32::from_be_bytes(rest),
        },
        (Icmpv6Types::TimeExceeded, _) => Icmp::TimeExceeded,
        (other, _) => Icmp::Other { kind: other.0 },
    };
    Some((Transport::Icmp(icmp), payload))
}

/// The four bytes behind type, code and checksum, which each ICMP message uses its own way, and
/// what follows them. pnet counts them to the payload.
fn rest_of_header(bytes: &[u8]) -> Option<([u8; 4], &[u8])> {
    let (rest, payload) = bytes.get(4..)?.split_first_chunk()?;
    Some((*rest, payload))
}

fn upper([high, low, _, _]: [u8; 4]) -> u16 {
    u16::from_be_bytes([high, low])
}

fn lower([_, _, high, low]: [u8; 4]) -> u16 {
    u16::from_be_bytes([high, low])
}
