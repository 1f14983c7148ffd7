//! Set 5: packets in parts.

use std::collections::HashMap;

use fps_wire::classified::{Body, Outgoing};
use fps_wire::fragment::{Dropped, Reassembler, Splitter, Unsplittable};
use fps_wire::{Frame, FrameKind};

use crate::data::{bytes, each, number, set, size, text};

const SET: &str = include_str!("data/5-fragmentation.json");

fn payload(frame: &Outgoing<'_>) -> (u64, Vec<u8>) {
    match frame.body {
        Body::Whole(kind, payload) => (kind as u64, payload.to_vec()),
        Body::Fragment(header, part) => (6, [&header.to_bytes(), part].concat()),
    }
}

/// The peer counts a packet that does not fit one record among those that it can split.
#[test]
fn every_packet_has_the_same_frames() {
    for given in each(&set(SET), "encode") {
        let name = text(given, "name");
        let most = size(given, "max_datagram_size");
        let splits = given["allow_fragmentation"] == true;
        let mut splitter = Splitter::new(size(given, "max_frame_payload"), most, splits);
        // Ids begin with 1, and only what is in parts takes one.
        for _ in 1..number(given, "packet_id") {
            drop(Splitter::split(&mut splitter, &vec![0; most.min(30_000)]));
        }
        let packet = match given["datagram"].is_string() {
            true => bytes(given, "datagram"),
            false => vec![0; size(given, "size")],
        };
        let found = splitter.split(&packet);
        match given["error"].as_str() {
            Some(error) => {
                let found = found.err().map(|error| match error {
                    Unsplittable::Empty => "empty_datagram",
                    Unsplittable::TooLong => "datagram_too_large",
                });
                assert_eq!(found, Some(error), "{name}");
            }
            None => {
                let found: Vec<_> = found.unwrap().map(|frame| payload(&frame)).collect();
                let frames = each(given, "frames").iter();
                let frames = frames.map(|frame| (number(frame, "type"), bytes(frame, "payload")));
                assert_eq!(found, frames.collect::<Vec<_>>(), "{name}");
            }
        }
    }
}

/// With us each direction of each carrier has its own: a frame cannot come to the other's.
const NOT_APPLICABLE: &str = "wrong direction is ignored";

#[test]
fn every_order_of_parts_comes_to_the_same() {
    let mut left_out = Vec::new();
    for given in each(&set(SET), "reassembly") {
        let name = text(given, "name");
        if name == NOT_APPLICABLE {
            left_out.push(name.to_owned());
            continue;
        }
        let (most, states) = (size(given, "max_datagram_size"), size(given, "max_states"));
        let mut carriers: HashMap<u64, Reassembler> = HashMap::new();
        for (at, step) in each(given, "steps").iter().enumerate() {
            let carrier = number(step, "carrier");
            if step["op"] == "carrier_removed" {
                carriers.remove(&carrier);
                continue;
            }
            let reassembler = carriers
                .entry(carrier)
                .or_insert_with(|| Reassembler::new(most, states));
            let payload = bytes(step, "payload");
            let frame = Frame {
                kind: match number(step, "type") {
                    1 => FrameKind::Datagram,
                    6 => FrameKind::Fragment,
                    7 => FrameKind::Control,
                    2 => FrameKind::Ping,
                    3 => FrameKind::Pong,
                    4 => FrameKind::FlowControl,
                    _ => FrameKind::Close,
                },
                flags: 0,
                padding: 0,
                payload: &payload,
            };
            let taken = reassembler.take(frame);
            let event = taken.as_ref().err().map(|dropped| match dropped {
                Dropped::NotAPacket => "ignored_non_datagram_frame",
                Dropped::Malformed => "ignored_malformed_fragment",
                Dropped::Oversized => "ignored_oversized_fragment",
                Dropped::OutOfOrder => "ignored_out_of_order_fragment",
                Dropped::Mismatched => "ignored_mismatched_fragment",
                Dropped::TooMany => "ignored_reassembly_limit",
            });
            assert_eq!(event, step["event"].as_str(), "{name}, step {at}");
            let delivered = taken.ok().flatten().map(hex::encode);
            assert_eq!(
                delivered.as_deref(),
                step["delivered"].as_str(),
                "{name}, step {at}"
            );
        }
    }
    assert_eq!(left_out, [NOT_APPLICABLE]);
}
