//! Set 4: records of frames.

use fps_wire::classified::{
    Body, Channel, Limits, Opened, Opener, Outgoing, Padding, SealError, Sealer,
};
use fps_wire::{Direction, FrameKind, Pair, Record, SessionKeys, Transcript};
use serde_json::Value;

use crate::data::{
    array, assert_transcript, bytes, direction, each, number, profile, public, set, short, size,
    text, transcript, whole,
};

const SET: &str = include_str!("data/4-classified.json");

/// Both ends of one direction of a session.
struct Ends {
    sealer: Sealer,
    opener: Opener,
}

impl Ends {
    fn new(of: &Value, direction: Direction, sequence: u64, limits: Limits) -> Self {
        let keys = SessionKeys::from_bytes(array(&of["session_keys"], "okm72"));
        let pair = Pair {
            client: public(of, "client_public_key"),
            server: public(of, "server_public_key"),
        };
        let profile = profile(of);
        let channel = || {
            let key = keys.of_direction(direction);
            Channel::new(key, pair, &profile, limits).at(sequence)
        };
        Self {
            sealer: Sealer::new(channel()),
            opener: Opener::new(channel()),
        }
    }

    /// Seals frames, compares the record, and opens it again.
    fn pass(&mut self, before: &Transcript, given: &Value, padding: Padding) -> Vec<u8> {
        let frames = Frames::of(given);
        let mut record = Vec::new();
        let sealed = self
            .sealer
            .seal(before, &frames.outgoing(), padding, &mut record);
        sealed.unwrap();
        assert_eq!(hex::encode(&record), text(given, "record"));
        let mut opened = record.clone();
        let Ok(Opened::Frames(found)) = self.opener.open(before, &mut opened) else {
            panic!("it does not open: {given}");
        };
        assert_eq!(
            u64::from(found.record_padding()),
            number(given, "record_padding")
        );
        frames.assert_same(found);
        record
    }
}

/// Frames as they are given.
struct Frames(Vec<(FrameKind, u8, u32, Vec<u8>)>);

impl Frames {
    fn of(given: &Value) -> Self {
        let frames = each(given, "frames").iter().map(|frame| {
            let flags = u8::try_from(number(frame, "flags")).unwrap();
            let padding = u32::try_from(number(frame, "padding")).unwrap();
            (kind(frame), flags, padding, bytes(frame, "payload"))
        });
        Self(frames.collect())
    }

    fn outgoing(&self) -> Vec<Outgoing<'_>> {
        let frames = self.0.iter();
        let frames = frames.map(|(kind, flags, padding, payload)| Outgoing {
            body: Body::Whole(*kind, payload),
            flags: *flags,
            padding: *padding,
        });
        frames.collect()
    }

    fn assert_same(&self, found: fps_wire::classified::Frames<'_>) {
        let found = found.map(|it| (it.kind, it.flags, it.padding, it.payload.to_vec()));
        assert_eq!(found.collect::<Vec<_>>(), self.0);
    }
}

fn kind(frame: &Value) -> FrameKind {
    match number(frame, "type") {
        1 => FrameKind::Datagram,
        2 => FrameKind::Ping,
        3 => FrameKind::Pong,
        4 => FrameKind::FlowControl,
        5 => FrameKind::Close,
        6 => FrameKind::Fragment,
        7 => FrameKind::Control,
        other => panic!("frame type {other}"),
    }
}

fn limits(of: &Value) -> Limits {
    let limit = |name| u32::try_from(number(of, name)).unwrap();
    Limits {
        frame_payload: limit("max_frame_payload"),
        frame_padding: limit("max_frame_padding"),
        record_padding: limit("max_record_padding"),
        frames: short(of, "max_frames"),
    }
}

#[test]
fn every_stream_has_the_same_records() {
    for stream in each(&set(SET), "streams") {
        let limits = Limits::default();
        let mut ends = Direction::BOTH.map(|way| Ends::new(stream, way, 0, limits));
        let initial = &stream["initial"];
        let mut transcripts = [
            transcript(&initial["c2s"], Direction::ToServer),
            transcript(&initial["s2c"], Direction::ToClient),
        ];
        for given in each(stream, "records") {
            let way = usize::from(direction(given) == Direction::ToClient);
            let (ends, transcript) = (&mut ends[way], &mut transcripts[way]);
            let record = match text(given, "kind") {
                "fps" => {
                    let least = number(given, "requested_record_padding");
                    let padding = Padding {
                        least: u32::try_from(least).unwrap(),
                        record_size: given["target_tls_record_size"]
                            .as_u64()
                            .map(|size| usize::try_from(size).unwrap()),
                    };
                    assert_eq!(ends.sealer.sequence(), number(given, "sequence"));
                    ends.pass(transcript, given, padding)
                }
                "carrier" => {
                    let mut record = bytes(given, "record");
                    let opened = ends.opener.open(transcript, &mut record);
                    assert!(matches!(opened, Ok(Opened::Carrier)), "{given}");
                    assert_eq!(record, bytes(given, "record"), "left as it is");
                    record
                }
                other => panic!("kind {other}"),
            };
            transcript.count(whole(&record));
            assert_transcript(transcript, &given["after"], &given.to_string());
        }
    }
}

#[test]
fn every_single_record_is_the_same() {
    let set = set(SET);
    for given in each(&set, "single") {
        let way = direction(&given["transcript"]);
        let (before, sequence) = (
            transcript(&given["transcript"], way),
            number(given, "sequence"),
        );
        let mut ends = Ends::new(&set["single_context"], way, sequence, Limits::default());
        let padding = Padding {
            least: u32::try_from(number(given, "record_padding")).unwrap(),
            record_size: None,
        };
        ends.pass(&before, given, padding);
    }
}

#[test]
fn every_wrong_record_is_forwarded_or_ends_the_session() {
    let set = set(SET);
    for given in each(&set, "negative") {
        let name = text(given, "name");
        let mut record = bytes(given, "record");
        if given["classification"] == "tls_parse_error" {
            assert_eq!(Record::of(&record), None, "{name}");
            continue;
        }
        let way = direction(given);
        let before = transcript(&given["transcript"], way);
        let sequence = number(given, "receive_sequence");
        let mut ends = Ends::new(
            &set["single_context"],
            way,
            sequence,
            limits(&given["limits"]),
        );
        let (found, error) = match ends.opener.open(&before, &mut record) {
            Ok(Opened::Carrier) => ("carrier", None),
            Ok(Opened::Frames(frames)) => {
                if given["frames"].is_array() {
                    Frames::of(given).assert_same(frames);
                }
                ("fps_record", None)
            }
            Err(invalid) => ("invalid_fps_record", Some(invalid.word())),
        };
        assert_eq!(found, text(given, "classification"), "{name}");
        assert_eq!(error, given["error"].as_str(), "{name}");
        let next = number(given, "receive_sequence_after");
        assert_eq!(ends.opener.sequence(), next, "{name}");
    }
}

/// Here our sequence stays where it is, while the peer's goes on without a record, so that all
/// records behind it are lost: a defect that is not for us to copy.
const SEQUENCE_STAYS: [&str; 2] = [
    "payload 16384 and record padding 1989: 18433 visible bytes",
    "two frames of 10000",
];

fn peers_name_for(error: SealError) -> &'static str {
    match error {
        SealError::FramePayload => "oversized_payload",
        SealError::Padding => "oversized_padding",
        SealError::TooManyFrames => "too_many_frames",
        SealError::TooLong => "payload_too_large",
        SealError::TargetTooSmall => "target_record_too_small",
        SealError::SequenceOverflow => "sequence_overflow",
    }
}

#[test]
fn what_is_too_large_is_not_sealed() {
    let set = set(SET);
    let mut stays = Vec::new();
    for given in each(&set, "encode_limits") {
        let name = text(given, "name");
        let sequence = number(given, "sequence");
        let way = Direction::ToServer;
        let ends = Ends::new(
            &set["single_context"],
            way,
            sequence,
            limits(&given["limits"]),
        );
        let mut sealer = ends.sealer;
        let payloads = each(given, "frames").iter();
        let payloads: Vec<_> = payloads
            .map(|frame| vec![0; size(frame, "payload_length")])
            .collect();
        let frames = each(given, "frames").iter().zip(&payloads);
        let frames = frames.map(|(frame, payload)| Outgoing {
            body: Body::Whole(kind(frame), payload),
            flags: 0,
            padding: u32::try_from(number(frame, "padding")).unwrap(),
        });
        let frames: Vec<_> = frames.collect();
        let record_size = given["target_tls_record_size"].as_u64();
        let padding = Padding {
            least: u32::try_from(number(given, "record_padding")).unwrap(),
            record_size: record_size.map(|size| usize::try_from(size).unwrap()),
        };
        let before = Transcript::at(way, 9, 900, [7; 32]);
        let mut record = Vec::new();
        let sealed = sealer.seal(&before, &frames, padding, &mut record);
        let error = sealed.err().map(peers_name_for);
        assert_eq!(error, given["error"].as_str(), "{name}");
        assert_eq!(error.is_none(), given["accepted"] == true, "{name}");
        match error {
            None => assert_eq!(record.len(), size(given, "record_length"), "{name}"),
            Some(_) => assert_eq!((record.len(), sealer.sequence()), (0, sequence), "{name}"),
        }
        if given["next_sequence_after"].as_u64() != Some(sealer.sequence()) && sequence != u64::MAX
        {
            stays.push(name.to_owned());
        }
    }
    assert_eq!(stays, SEQUENCE_STAYS);
}
