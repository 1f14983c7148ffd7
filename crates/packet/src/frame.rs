//! One packet as the kernel showed it.

use std::fmt;
use std::time::Instant;

use nix::libc;

use crate::Packet;

/// How many bytes of a packet a capture keeps, from the network header on.
pub const SNAP: usize = 2048;

/// One packet that passed an interface, from its network header on.
#[derive(Clone, PartialEq, Eq)]
pub struct Frame {
    /// When it passed: the kernel's stamp, not the time of reading.
    pub at: Instant,
    /// The interface that it passed, as a number of the capture's namespace.
    pub ifindex: u32,
    /// Which way it passed.
    pub direction: Direction,
    /// The EtherType in host order, such as 0x0800 for IPv4 (`<linux/if_ether.h>`).
    pub protocol: u16,
    /// The first [`SNAP`] bytes.
    pub bytes: Vec<u8>,
    /// The full length, of which `bytes` may be a part. Above the MTU where the kernel passes
    /// several segments as one (TSO, GRO).
    pub length: usize,
}

impl Frame {
    /// The IP packet inside, or `None` where there is none (ARP, rubbish).
    pub fn packet(&self) -> Option<Packet<'_>> {
        Packet::parse(self.protocol, &self.bytes)
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Frame(if{} {:?} ", self.ifindex, self.direction)?;
        match self.packet() {
            Some(packet) => write!(f, "{packet}, {} bytes)", self.length),
            None => write!(f, "protocol {:#06x}, {} bytes)", self.protocol, self.length),
        }
    }
}

/// Which way a packet passed an interface: `sll_pkttype` of packet(7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Sent out by this host (`PACKET_OUTGOING`).
    Sent,
    /// Came in for this host (`PACKET_HOST`). Everything that comes out of a TUN device is this.
    Received,
    /// Came in for all on the link (`PACKET_BROADCAST`).
    Broadcast,
    /// Came in for a group on the link (`PACKET_MULTICAST`).
    Multicast,
    /// Came in for another host's link address: seen here, and dropped (`PACKET_OTHERHOST`).
    OtherHost,
    /// A type that packet(7) does not name.
    Other(u8),
}

impl Direction {
    /// Reads `sll_pkttype`.
    pub fn from_pkttype(pkttype: u8) -> Self {
        match pkttype {
            libc::PACKET_HOST => Self::Received,
            libc::PACKET_BROADCAST => Self::Broadcast,
            libc::PACKET_MULTICAST => Self::Multicast,
            libc::PACKET_OTHERHOST => Self::OtherHost,
            libc::PACKET_OUTGOING => Self::Sent,
            other => Self::Other(other),
        }
    }
}
