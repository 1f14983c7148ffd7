//! The packets of many questions, looked up at once.

use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr};

use fps_packet::{Frame, Nonce, Packet, Transport};

use super::Mark;

/// What many questions' packets are known by.
///
/// A step may ask thousands of questions and see thousands of packets, so that neither may cost the
/// other.
#[derive(Debug, Default)]
pub struct Known {
    nonces: HashSet<Nonce>,
    flows: HashSet<Flow>,
}

/// A TCP connection: the target, its port, and the sender's.
type Flow = (IpAddr, u16, u16);

impl Known {
    /// Adds a question.
    pub fn add(&mut self, mark: Mark) {
        self.nonces.insert(mark.nonce);
        if let Some((port, own)) = mark.ports {
            self.flows.insert((mark.target, port, own));
        }
    }

    /// Takes over all that another knows.
    pub fn append(&mut self, other: &mut Self) {
        self.nonces.extend(other.nonces.drain());
        self.flows.extend(other.flows.drain());
    }

    /// Whether a question has this connection, between a peer and a port of its sender.
    pub fn has_connection(&self, peer: SocketAddr, own: u16) -> bool {
        self.flows.contains(&(peer.ip(), peer.port(), own))
    }

    /// Whether a packet is one of the questions, its answer, or about either.
    pub fn concerns(&self, frame: &Frame) -> bool {
        let Some(packet) = frame.packet() else {
            return false;
        };
        if packet
            .nonce()
            .is_some_and(|nonce| self.nonces.contains(&nonce))
        {
            return true;
        }
        let packet = packet.quoted().unwrap_or(packet);
        flows(&packet).is_some_and(|ways| ways.iter().any(|flow| self.flows.contains(flow)))
    }
}

/// The connections that a packet may belong to: by its destination, as a question of one, or by its
/// source, as an answer.
fn flows(packet: &Packet<'_>) -> Option<[Flow; 2]> {
    let Transport::Tcp {
        source_port: source,
        destination_port: destination,
        ..
    } = packet.transport
    else {
        return None;
    };
    Some([
        (packet.destination, destination, source),
        (packet.source, source, destination),
    ])
}
