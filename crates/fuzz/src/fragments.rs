//! Packets in parts: what one side splits the other puts together, and parts that do not fit come to
//! nothing and hold on to little.
//!
//! Input: one byte for either, the limits, and packets or frames.

use std::collections::BTreeMap;

use fps_wire::classified::{Body, Outgoing};
use fps_wire::fragment::{Dropped, FragmentHeader, Reassembler, Splitter, Unsplittable};
use fps_wire::{Frame, FrameKind};

use crate::input::{Input, put};
use crate::seed::Seed;
use crate::vectors::{self, bytes, each};

/// More packets are not on their way at once.
const PACKETS: usize = 8;

/// See the module.
pub fn check(data: &[u8]) -> bool {
    let mut input = Input::new(data);
    match input.byte() % 2 {
        0 => there_and_back(&mut input),
        _ => from_a_stranger(&mut input),
    }
}

/// Packets whose parts come in turns arrive as they were.
fn there_and_back(input: &mut Input<'_>) -> bool {
    let (payload, most) = (usize::from(input.short()), usize::from(input.short()));
    let splits = input.byte() & 3 != 0;
    let mut splitter = Splitter::new(payload, most, splits);
    let mut ways = Vec::new();
    while !input.is_empty() && ways.len() < PACKETS {
        let packet = input.some();
        let found = splitter.split(packet).map(Vec::from_iter);
        let room = match splits {
            true => payload.saturating_sub(FragmentHeader::LEN),
            false => 0,
        };
        let whole = packet.len() <= payload;
        let parts = if whole {
            1
        } else {
            packet.len().div_ceil(room.max(1))
        };
        let expected = if packet.is_empty() {
            Err(Unsplittable::Empty)
        } else if packet.len() > most || !whole && room == 0 || parts > usize::from(u16::MAX) {
            Err(Unsplittable::TooLong)
        } else {
            Ok(parts)
        };
        assert_eq!(
            found.as_ref().map(Vec::len).map_err(|error| *error),
            expected
        );
        if let Ok(frames) = found {
            ways.push((packet, frames.into_iter()));
        }
    }
    let mut reassembler = Reassembler::new(most, PACKETS);
    let (mut left, sent) = (ways.len(), ways.len());
    while left > 0 {
        for (packet, frames) in &mut ways {
            let Some(frame) = frames.next() else { continue };
            let (kind, bytes) = on_the_wire(&frame);
            assert!(
                bytes.len() <= payload,
                "a frame is no longer than it may be"
            );
            let taken = reassembler.take(frame_of(kind, &bytes)).expect("it fits");
            assert_eq!(taken.is_some(), frames.len() == 0, "with its last part");
            if let Some(taken) = taken {
                assert_eq!(taken, *packet);
                left -= 1;
            }
        }
    }
    sent > 0
}

fn on_the_wire(frame: &Outgoing<'_>) -> (FrameKind, Vec<u8>) {
    match frame.body {
        Body::Whole(kind, payload) => (kind, payload.to_vec()),
        Body::Fragment(header, part) => (FrameKind::Fragment, [&header.to_bytes(), part].concat()),
    }
}

fn frame_of(kind: FrameKind, payload: &[u8]) -> Frame<'_> {
    Frame {
        kind,
        flags: 0,
        padding: 0,
        payload,
    }
}

/// A packet that has begun, as somebody would note it down who looks on.
#[derive(Debug, Default)]
struct Noted {
    parts: u16,
    bytes: Vec<u8>,
}

/// Whatever parts there are, a packet is what its parts were, as long as it said, and not too long.
fn from_a_stranger(input: &mut Input<'_>) -> bool {
    let (most, states) = (usize::from(input.short()), usize::from(input.byte()));
    let mut reassembler = Reassembler::new(most, states);
    let mut noted: BTreeMap<u32, Noted> = BTreeMap::new();
    let mut complete = false;
    while !input.is_empty() {
        let payload = match input.byte() % 8 {
            0 => input.some().to_vec(),
            1 => {
                passes_by(&mut reassembler, input);
                continue;
            }
            _ => part(input),
        };
        let taken = reassembler.take(frame_of(FrameKind::Fragment, &payload));
        let Some((head, part)) = payload.split_first_chunk::<{ FragmentHeader::LEN }>() else {
            assert_eq!(taken, Err(Dropped::Malformed));
            continue;
        };
        let mut head = Input::new(head);
        let (id, index, count, total) = (head.long(), head.short(), head.short(), head.long());
        let before = noted.remove(&id);
        let Ok(taken) = taken else { continue };
        assert!(!part.is_empty() && index < count && total as usize <= most);
        let mut known = before.unwrap_or_default();
        assert_eq!(index, known.parts, "in their order");
        known.parts += 1;
        known.bytes.extend(part);
        assert!(known.bytes.len() <= total as usize);
        match taken {
            None => {
                noted.insert(id, known);
                assert!(noted.len() <= states, "no more than may have begun");
            }
            Some(packet) => {
                assert_eq!((packet.len(), known.parts), (total as usize, count));
                assert_eq!(*packet, known.bytes);
                complete = true;
            }
        }
    }
    complete
}

/// A part with small numbers, so that some fit to each other.
fn part(input: &mut Input<'_>) -> Vec<u8> {
    let header = FragmentHeader {
        id: (input.byte() % 10).into(),
        index: (input.byte() % 5).into(),
        count: (input.byte() % 5).into(),
        total: input.short().into(),
    };
    [&header.to_bytes(), input.some()].concat()
}

/// A whole packet is passed on, and what is no packet is not.
fn passes_by(reassembler: &mut Reassembler, input: &mut Input<'_>) {
    let (kind, payload) = (input.byte(), input.some());
    let kind = match kind % 3 {
        0 => FrameKind::Datagram,
        1 => FrameKind::Control,
        _ => FrameKind::Ping,
    };
    let taken = reassembler.take(frame_of(kind, payload));
    match kind {
        FrameKind::Datagram => assert_eq!(taken, Ok(Some(payload.into()))),
        _ => assert_eq!(taken, Err(Dropped::NotAPacket)),
    }
}

/// Two packets in turns, one that a stranger sends, and recorded parts.
pub fn seeds() -> Vec<Seed> {
    let begin = [0, 0, 20, 4, 0, 1];
    let two = [put(&[1; 30]), put(&[2; 20]), put(&[3; 9])].concat();
    let mut seeds = vec![
        Seed::deep([&begin[..], &two].concat()),
        Seed::any([&[0, 0, 12, 4, 0, 1][..], &two].concat()),
        Seed::any([&[0, 0, 20, 4, 0, 0][..], &two].concat()),
    ];
    let part = |index| [&[2, 1, index, 2, 0, 6][..], &put(b"abc")].concat();
    let begin = [1, 0, 9, 2];
    seeds.push(Seed::deep([&begin[..], &part(0), &part(1)].concat()));
    seeds.push(Seed::any(
        [&begin[..], &part(1), &part(0), &part(0)].concat(),
    ));
    for given in each(&vectors::fragments(), "reassembly") {
        let number = |name: &str| given[name].as_u64().expect("a number");
        let most = u16::try_from(number("max_datagram_size")).unwrap_or(u16::MAX);
        let mut seed = vec![1];
        seed.extend(most.to_be_bytes());
        seed.push(number("max_states") as u8);
        let steps = each(given, "steps").iter();
        for step in steps.filter(|step| step["payload"].is_string()) {
            seed.push(0);
            seed.extend(put(&bytes(step, "payload")));
        }
        if seed.len() < 4000 {
            seeds.push(Seed::any(seed));
        }
    }
    seeds
}
