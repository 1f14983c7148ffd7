//! What an IP packet says.

use std::net::IpAddr;

use nix::libc;

use crate::ipv4::read_ipv4;
use crate::ipv6::read_ipv6;
use crate::{Icmp, Nonce, Transport};

/// An IP packet, as much of it as there is.
///
/// Reads are lenient: a packet may be cut off by a capture or by the ICMP error that quotes it,
/// and checksums are not looked at, because the kernel leaves those of its own packets to the
/// device (`CHECKSUM_PARTIAL` in include/linux/skbuff.h).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// Who sent it.
    pub source: IpAddr,
    /// Who shall get it.
    pub destination: IpAddr,
    /// What stands behind the IP header.
    pub transport: Transport,
    /// What the transport carries. For an ICMP error: the packet that it quotes.
    pub payload: &'a [u8],
}

impl<'a> Packet<'a> {
    /// Reads the packet behind an EtherType; `None` where it is not IP or has no whole header.
    pub fn parse(protocol: u16, bytes: &'a [u8]) -> Option<Self> {
        match i32::from(protocol) {
            libc::ETH_P_IP => read_ipv4(bytes),
            libc::ETH_P_IPV6 => read_ipv6(bytes),
            _ => None,
        }
    }

    /// The packet that an ICMP error is about (RFC 792; RFC 4443 section 3).
    pub fn quoted(&self) -> Option<Self> {
        let Transport::Icmp(icmp) = self.transport else {
            return None;
        };
        if !icmp.is_error() {
            return None;
        }
        match self.source {
            IpAddr::V4(_) => read_ipv4(self.payload),
            IpAddr::V6(_) => read_ipv6(self.payload),
        }
    }

    /// The nonce of the control packet that this is (see [`injectable`](crate::injectable)), or is
    /// an ICMP error about.
    pub fn control(&self) -> Option<Nonce> {
        match self.quoted().unwrap_or(*self) {
            Self {
                transport: Transport::Udp { .. },
                payload,
                ..
            } => Nonce::find_control(payload),
            _ => None,
        }
    }

    /// The nonce of the probe that this packet is, answers, or is an ICMP error about.
    pub fn nonce(&self) -> Option<Nonce> {
        match self.transport {
            Transport::Tcp { .. } => {
                Nonce::find(self.payload).or_else(|| Nonce::find_in_http(self.payload))
            }
            Transport::Udp { .. }
            | Transport::Icmp(Icmp::EchoRequest { .. } | Icmp::EchoReply { .. }) => {
                Nonce::find(self.payload)
            }
            // An error is never about another error (RFC 1122, 3.2.2), so this goes one deep,
            // whatever a forged packet says.
            Transport::Icmp(_) => {
                let quoted = self.quoted()?;
                if quoted.quoted().is_some() {
                    None
                } else {
                    quoted.nonce()
                }
            }
            Transport::Fragment | Transport::Other(_) => None,
        }
    }
}
