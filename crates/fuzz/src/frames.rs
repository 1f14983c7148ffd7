//! Frames inside a record: whatever a peer seals, it is read as docs/wire.md says, or refused for the
//! reason that docs/wire.md gives.
//!
//! Input: a byte of switches, the limits if they are not the usual ones, a sequence, and the text that
//! is sealed, with or without its first bytes.

use fps_wire::classified::{
    Body, Channel, Invalid, Limits, Opened, Opener, Outgoing, Padding, Sealer,
};
use fps_wire::{Direction, FrameKind, SessionKeys};

use crate::forge;
use crate::input::Input;
use crate::seed::Seed;
use crate::vectors::{self, bytes, each};
use crate::world::{SESSION, WORLD, profile, somewhere};

/// Version, flags, sequence, frame count and record padding.
const HEAD: usize = 2 + 2 + 8 + 2 + 4;

/// A frame, as it is compared: type, flags, padding, payload.
type Known = (u8, u8, u32, Vec<u8>);

/// What a text says.
#[derive(Debug, PartialEq, Eq)]
struct Text {
    frames: Vec<Known>,
    padding: u32,
    /// Whether all that means nothing is zero, as in what our side seals.
    plain: bool,
}

/// See the module.
pub fn check(data: &[u8]) -> bool {
    let mut input = Input::new(data);
    let switches = input.byte();
    let limits = match switches & 1 {
        0 => Limits::default(),
        _ => custom(&mut input),
    };
    let sequence = u64::from(input.long()) << 24;
    let mut text = Vec::new();
    if switches & 2 == 0 {
        text.extend([0, 5, 0, 0]);
        text.extend(sequence.to_be_bytes());
    }
    text.extend(input.rest());

    let before = somewhere(Direction::ToServer, 3);
    let moment = forge::moment(sequence, &before, false);
    let Some(record) = forge::frames(&SESSION[..36], sequence, &moment, &text) else {
        return false;
    };
    let mut opener = Opener::new(channel(limits, sequence));
    let mut opened = record.clone();
    let found = opener.open(&before, &mut opened);
    if text.len() < HEAD {
        assert!(matches!(found, Ok(Opened::Carrier)), "it is too short");
        assert_eq!((opened, opener.sequence()), (record, sequence));
        return false;
    }
    let expected = read(&text, sequence, &limits);
    let found = match found {
        Ok(Opened::Carrier) => panic!("it has the hints"),
        Ok(Opened::Frames(frames)) => Ok((frames.record_padding(), frames.map(known).collect())),
        Err(invalid) => Err(invalid),
    };
    assert_eq!(opener.sequence(), sequence + u64::from(found.is_ok()));
    let same = expected
        .as_ref()
        .map(|text| (text.padding, text.frames.clone()));
    assert_eq!(found.as_ref(), same.as_ref().map_err(|invalid| *invalid));
    let Ok(expected) = expected else {
        return false;
    };
    sealed_again(&expected, limits, sequence, &record);
    true
}

/// What was opened can be sealed, and comes to the same bytes if there is one way alone to write it.
fn sealed_again(text: &Text, limits: Limits, sequence: u64, record: &[u8]) {
    let frames = text.frames.iter();
    let frames = frames.map(|(kind, flags, padding, payload)| Outgoing {
        body: Body::Whole(self::kind(*kind).expect("it was read"), payload),
        flags: *flags,
        padding: *padding,
    });
    let frames: Vec<_> = frames.collect();
    let padding = Padding {
        least: text.padding,
        record_size: None,
    };
    let before = somewhere(Direction::ToServer, 3);
    let mut sealer = Sealer::new(channel(limits, sequence));
    let mut again = Vec::new();
    let sealed = sealer.seal(&before, &frames, padding, &mut again);
    sealed.expect("all of it was within the limits");
    assert_eq!(again.len(), record.len());
    if text.plain {
        assert_eq!(again, record);
    }
}

fn channel(limits: Limits, sequence: u64) -> Channel {
    let key = SessionKeys::from_bytes(SESSION).of_direction(Direction::ToServer);
    Channel::new(key, WORLD.client.pair(), &profile(), limits).at(sequence)
}

fn custom(input: &mut Input<'_>) -> Limits {
    Limits {
        frame_payload: input.short().into(),
        frame_padding: input.short().into(),
        record_padding: input.short().into(),
        frames: input.short(),
    }
}

fn known(frame: fps_wire::Frame<'_>) -> Known {
    let payload = frame.payload.to_vec();
    (frame.kind as u8, frame.flags, frame.padding, payload)
}

fn kind(byte: u8) -> Option<FrameKind> {
    use FrameKind::{Close, Control, Datagram, FlowControl, Fragment, Ping, Pong};
    let all = [Datagram, Ping, Pong, FlowControl, Close, Fragment, Control];
    all.into_iter().find(|kind| *kind as u8 == byte)
}

/// Reads a text, which has a whole head.
fn read(text: &[u8], sequence: u64, limits: &Limits) -> Result<Text, Invalid> {
    let mut at = Input::new(text);
    let (version, flags, inner) = (at.short(), at.short(), at.array::<8>());
    let (count, padding) = (at.short(), at.long());
    if version != 5 {
        return Err(Invalid::Version);
    }
    if u64::from_be_bytes(inner) != sequence {
        return Err(Invalid::Sequence);
    }
    if count > limits.frames || padding > limits.record_padding {
        return Err(Invalid::Layout);
    }
    let (mut rest, mut frames, mut plain) = (&text[HEAD..], Vec::new(), flags == 0);
    for _ in 0..count {
        if rest.len() < 10 {
            return Err(Invalid::Layout);
        }
        let mut head = Input::new(rest);
        let (byte, flags, length, pad) = (head.byte(), head.byte(), head.long(), head.long());
        let _ = kind(byte).ok_or(Invalid::FrameKind)?;
        let end = 10 + u64::from(length) + u64::from(pad);
        let fits = length <= limits.frame_payload && pad <= limits.frame_padding;
        if !fits || end > rest.len() as u64 {
            return Err(Invalid::Layout);
        }
        let payload = head.take(length as usize).to_vec();
        plain &= head.take(pad as usize).iter().all(|byte| *byte == 0);
        rest = head.rest();
        frames.push((byte, flags, pad, payload));
    }
    plain &= rest.iter().all(|byte| *byte == 0);
    match rest.len() as u64 == u64::from(padding) {
        true => Ok(Text {
            frames,
            padding,
            plain,
        }),
        false => Err(Invalid::Layout),
    }
}

/// The frames of the recorded records, and some that are not in order.
pub fn seeds() -> Vec<Seed> {
    let begin = |switches: u8| vec![switches, 0, 0, 0, 0];
    let mut seeds = Vec::new();
    let set = vectors::records();
    for given in each(&set, "single") {
        let mut text = begin(0);
        let frames = each(given, "frames");
        let number = |of: &serde_json::Value, name| of[name].as_u64().expect("a number");
        text.extend((frames.len() as u16).to_be_bytes());
        text.extend((number(given, "record_padding") as u32).to_be_bytes());
        for frame in frames {
            let payload = bytes(frame, "payload");
            text.extend([number(frame, "type") as u8, number(frame, "flags") as u8]);
            text.extend((payload.len() as u32).to_be_bytes());
            text.extend((number(frame, "padding") as u32).to_be_bytes());
            text.extend(payload);
            text.resize(text.len() + number(frame, "padding") as usize, 0);
        }
        text.resize(text.len() + number(given, "record_padding") as usize, 0);
        if text.len() < 4000 {
            seeds.push(Seed::deep(text));
        }
    }
    let two = [0, 2, 0, 0, 0, 1, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 69];
    let more = [9, 9, 0, 0, 0, 2, 0, 0, 0, 1, 1, 1, 7, 7];
    seeds.push(Seed::any([&begin(0)[..], &two, &more].concat()));
    seeds.push(Seed::any([&begin(2)[..], &[0, 5, 0, 0], &[0; 14]].concat()));
    seeds.push(Seed::any(
        [&[1, 0, 9, 0, 9, 0, 9, 0, 9, 0, 0, 0, 0][..], &two].concat(),
    ));
    seeds
}
