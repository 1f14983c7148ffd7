//! What a carrier's records mean, as state machines that do no I/O.
//!
//! A session sees every record of its carrier in both directions and says of each whether it is
//! the application's (forward it byte for byte) or ours (consume it). It knows no socket and no
//! clock: the relay brings records and the time, and asks what to insert.

mod client;
mod server;

use std::time::Instant;

pub use client::ClientSession;
pub use server::ServerSession;

use crate::clear::{Message, PacketTooLarge};
use crate::record::Record;

/// A direction of the whole carrier, seen alike from both programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the application to the origin.
    ClientToServer,
    /// From the origin to the application.
    ServerToClient,
}

/// What to do with a record.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is the application's: pass it on unchanged.
    Forward,
    /// It is ours: take it out, and act on what it says.
    Consume(Vec<Event>),
}

/// What a consumed record says.
#[derive(Debug, PartialEq, Eq)]
pub enum Event {
    /// Server only: a client on the allow list has named itself.
    Authenticated,
    /// Packets may be sent on this carrier from now on.
    Registered,
    /// One IP packet out of the tunnel.
    Packet(Vec<u8>),
}

/// One end of a carrier's tunnel session.
pub trait Session {
    /// Judges one record. Call it for every record, in the order of its direction.
    fn on_record(&mut self, direction: Direction, record: &Record<'_>) -> Verdict;

    /// Appends a record that the session wants on the link now, if any. `at_boundary` says that no
    /// half record of the application waits to be forwarded.
    fn poll_transmit(&mut self, now: Instant, at_boundary: bool, out: &mut Vec<u8>);

    /// Appends a packet as a record.
    fn encode_packet(&mut self, packet: &[u8], out: &mut Vec<u8>) -> Result<(), PacketTooLarge> {
        Message::Packet(packet).encode(out)
    }

    /// Whether bytes that are no record must end the carrier: once ours are on the link, a lost
    /// boundary cannot be told from lost packets.
    fn needs_whole_records(&self) -> bool;
}

/// Consumes a packet record, once the session is open.
fn consume_packet(record: &Record<'_>) -> Verdict {
    match Message::decode(record.payload()) {
        Some(Message::Packet(packet)) => Verdict::Consume(vec![Event::Packet(packet.to_vec())]),
        _ => Verdict::Forward,
    }
}
