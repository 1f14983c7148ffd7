//! How much a carrier says on the underlay, beside how much it has to carry.

use std::collections::HashSet;
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use fps_netlink::IfIndex;
use fps_packet::{Direction, Frame, Packet, Transport};

use crate::scenario::{NoCarrierLoop, OuterProtocol};

/// The port at which applications come to a client of FPS.
const APPLICATIONS: u16 = 443;

/// How many bytes of the carrier there may be for each that it has to carry: one, and as many again
/// where all is sent twice.
const FACTOR: u64 = 2;
/// How many more for each packet that it has to carry. A record of TLS has a header of 5 bytes and a
/// tag of 16 (RFC 8446, 5.2), FPS adds its own header and up to 64 bytes of padding; IP and TCP have
/// 52 to 72, and so has the acknowledgement.
const PER_PACKET: u64 = 256;
/// How many more in each second that has begun: handshakes, keepalive, what is sent again.
///
/// Measured in the scenarios that expect this, the carrier has at most 2.5 times the bytes of its
/// payload, of which most packets are probes of some 80 bytes, and at most half of what all three
/// allow.
const BASE: u64 = 32 << 10;

/// What passed a host from the beginning of a step on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Volume {
    /// IP bytes and packets to and from the carrier's far end, on the links of the file.
    carrier: Sum,
    /// Those on other links, which are tunnels, and those of the applications that the carrier is of:
    /// what they say goes through it as well.
    payload: Sum,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sum {
    bytes: u64,
    packets: u64,
}

impl Sum {
    fn add(&mut self, frame: &Frame) {
        self.bytes += frame.length as u64;
        self.packets += 1;
    }
}

impl Volume {
    /// Adds up what is on a tape.
    pub(super) fn of(
        frames: &[Frame],
        wanted: &NoCarrierLoop,
        underlay: &HashSet<IfIndex>,
    ) -> Self {
        let mut volume = Self::default();
        for frame in frames {
            let Some(packet) = frame.packet() else {
                continue;
            };
            if packet.control().is_some() {
                continue;
            }
            let loopback = frame.ifindex == IfIndex::LOOPBACK.get();
            let plugged = underlay.iter().any(|index| index.get() == frame.ifindex);
            if loopback {
                // It passes twice, out and in.
                if frame.direction == Direction::Sent {
                    volume.payload.add(frame);
                }
            } else if !plugged || is_application(&packet, wanted.endpoint) {
                volume.payload.add(frame);
            } else if is_carrier(&packet, wanted) {
                volume.carrier.add(frame);
            }
        }
        volume
    }

    /// How many bytes of the carrier are too many, for so much payload in this time.
    fn bound(self, time: Duration) -> u64 {
        let seconds = time.as_secs() + 1;
        let Sum { bytes, packets } = self.payload;
        FACTOR * bytes + PER_PACKET * packets + BASE * seconds
    }

    /// Whether the carrier says more than what it carries explains.
    pub(super) fn is_excessive(self, time: Duration) -> bool {
        self.carrier.bytes > self.bound(time)
    }

    /// What is too much, in words.
    pub(super) fn excess(self, time: Duration) -> String {
        format!("{self}, which explains at most {} bytes", self.bound(time))
    }
}

impl fmt::Display for Volume {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { carrier, payload } = self;
        write!(
            f,
            "{} bytes of the carrier in {} packets on the underlay for {} bytes in {} packets to carry",
            carrier.bytes, carrier.packets, payload.bytes, payload.packets
        )
    }
}

/// Whether a packet is between an application and the client, and so is carried too.
fn is_application(packet: &Packet<'_>, endpoint: IpAddr) -> bool {
    let elsewhere = packet.source != endpoint && packet.destination != endpoint;
    let ports = ports(packet, OuterProtocol::Tcp);
    elsewhere && ports.is_some_and(|(from, to)| from == APPLICATIONS || to == APPLICATIONS)
}

fn is_carrier(packet: &Packet<'_>, wanted: &NoCarrierLoop) -> bool {
    let Some((from, to)) = ports(packet, wanted.outer.protocol) else {
        return false;
    };
    let port = wanted.outer.port;
    (packet.destination == wanted.endpoint && to == port)
        || (packet.source == wanted.endpoint && from == port)
}

/// The ports of a packet of that protocol, its sender's and its receiver's; none of another one.
pub(super) fn ports(packet: &Packet<'_>, protocol: OuterProtocol) -> Option<(u16, u16)> {
    match (packet.transport, protocol) {
        (
            Transport::Tcp {
                source_port,
                destination_port,
                ..
            },
            OuterProtocol::Tcp,
        )
        | (
            Transport::Udp {
                source_port,
                destination_port,
            },
            OuterProtocol::Udp,
        ) => Some((source_port, destination_port)),
        _ => None,
    }
}
