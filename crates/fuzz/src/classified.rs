//! Records of a session among those of the application: in their order each opens to what was sealed;
//! repeated, changed or for the other direction none does.
//!
//! Input: one byte for the direction and for what both sides speak, version 5 or the extension with
//! either cipher; then what happens, a byte each and what that takes.

use fps_wire::classified::{
    Body, Channel, Invalid, Limits, Opened, Opener, Outgoing, Padding, Sealer,
};
use fps_wire::extension::{ALL, Extension, WHOLE_PACKETS};
use fps_wire::fragment::FragmentHeader;
use fps_wire::{Direction, FrameKind, HEADER_LEN, MAX_PAYLOAD, Record, SessionKeys, Transcript};

use crate::input::{Input, put};
use crate::seed::Seed;
use crate::vectors::{self, bytes, each};
use crate::world::{self, SESSION, WORLD, profile, somewhere, whole};

/// Hints, head and tag: the least that a record of ours has.
const LEAST: usize = 16 + 18 + 16;
/// More than so many things do not happen in one run.
const MOST: usize = 32;

/// One direction of a session, both of its ends.
struct Session {
    direction: Direction,
    extension: Option<Extension>,
    sealer: Sealer,
    opener: Opener,
    transcript: Transcript,
    /// The last of ours that went by.
    last: Option<Vec<u8>>,
}

/// A frame: its kind, flags, padding and payload.
type Known = (FrameKind, u8, u32, Vec<u8>);

/// What was found in a record.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    Carrier,
    Frames(u32, Vec<Known>),
    Invalid(Invalid),
}

fn open(opener: &mut Opener, before: &Transcript, record: &[u8]) -> Found {
    let (sequence, mut opened) = (opener.sequence(), record.to_vec());
    let found = match opener.open(before, &mut opened) {
        Ok(Opened::Carrier) => Found::Carrier,
        Ok(Opened::Frames(frames)) => {
            let known =
                |it: fps_wire::Frame<'_>| (it.kind, it.flags, it.padding, it.payload.into());
            Found::Frames(frames.record_padding(), frames.map(known).collect())
        }
        Err(invalid) => Found::Invalid(invalid),
    };
    if found == Found::Carrier {
        assert_eq!(opened, record, "the application's is left as it is");
    }
    let taken = matches!(found, Found::Frames(..));
    assert_eq!(opener.sequence(), sequence + u64::from(taken));
    found
}

/// See the module.
pub fn check(data: &[u8]) -> bool {
    let mut input = Input::new(data);
    let first = input.byte();
    let extension = match first / 2 % 3 {
        0 => None,
        1 => Extension::agreed(ALL, WHOLE_PACKETS),
        _ => Extension::agreed(ALL, ALL),
    };
    let direction = Direction::BOTH[usize::from(first % 2)];
    let mut session = Session::new(direction, extension);
    for _ in 0..MOST {
        if input.is_empty() {
            break;
        }
        match input.byte() % 4 {
            0 => session.pass(&mut input),
            1 => {
                if !session.application(&mut input) {
                    break;
                }
            }
            2 => session.repeat(),
            // Both ends differ from then on.
            _ => {
                session.change(&mut input);
                break;
            }
        }
    }
    session.last.is_some()
}

fn channel(direction: Direction, extension: Option<Extension>) -> Channel {
    let (keys, pair, profile) = (
        SessionKeys::from_bytes(SESSION),
        WORLD.client.pair(),
        profile(),
    );
    match extension {
        Some(extension) => Channel::extended(extension, &keys, direction, pair, &profile),
        None => Channel::new(
            keys.of_direction(direction),
            pair,
            &profile,
            Limits::default(),
        ),
    }
}

impl Session {
    fn new(direction: Direction, extension: Option<Extension>) -> Self {
        Self {
            sealer: Sealer::new(channel(direction, extension)),
            opener: Opener::new(channel(direction, extension)),
            transcript: somewhere(direction, 5),
            last: None,
            direction,
            extension,
        }
    }

    /// A record of frames that are drawn; nothing where they do not fit into one.
    fn seal(&mut self, input: &mut Input<'_>) -> Option<(Vec<u8>, Found)> {
        let frames: Vec<_> = (0..input.byte() % 66).map(|_| frame(input)).collect();
        let padding = Padding {
            least: (input.short() % 2100).into(),
            record_size: match input.byte() % 2 {
                0 => None,
                _ => Some(input.short().into()),
            },
        };
        let (mut record, sequence) = (vec![1, 2, 3], self.sealer.sequence());
        let sealed = self
            .sealer
            .seal(&self.transcript, &frames, padding, &mut record);
        assert!(record.starts_with(&[1, 2, 3]), "it is put behind");
        let record = record.split_off(3);
        assert_eq!(self.sealer.sequence(), sequence + u64::from(sealed.is_ok()));
        if sealed.is_err() {
            assert!(record.is_empty(), "nothing has changed");
            return None;
        }
        assert!(record.len() <= HEADER_LEN + MAX_PAYLOAD);
        assert!(padding.record_size.is_none_or(|size| size == record.len()));
        let bare = HEADER_LEN + LEAST + frames.iter().map(Outgoing::len).sum::<usize>();
        let rest = u32::try_from(record.len() - bare).expect("short");
        assert!(rest >= padding.least);
        Some((
            record,
            Found::Frames(rest, frames.iter().map(same).collect()),
        ))
    }

    fn pass(&mut self, input: &mut Input<'_>) {
        let Some((record, sealed)) = self.seal(input) else {
            return;
        };
        self.reflect(&record);
        assert!(self.opener.is_ours(&self.transcript, whole(&record)));
        assert_eq!(open(&mut self.opener, &self.transcript, &record), sealed);
        // With the extension it is no step.
        if self.extension.is_none() {
            self.transcript.count(whole(&record));
        }
        self.last = Some(record);
    }

    /// A record that is sent back is nothing to its sender, even where as much has gone the other way.
    fn reflect(&self, record: &[u8]) {
        let [one, other] = Direction::BOTH;
        let way = if self.direction == one { other } else { one };
        let sequence = self.opener.sequence();
        let mut opener = Opener::new(channel(way, self.extension).at(sequence));
        let here = &self.transcript;
        let before = Transcript::at(way, here.index(), here.bytes(), *here.hash());
        assert_eq!(open(&mut opener, &before, record), Found::Carrier);
    }

    /// Says whether both ends are still alike.
    fn application(&mut self, input: &mut Input<'_>) -> bool {
        let kind = 20 + input.byte() % 4;
        let Some(mut record) = world::record(input.some()) else {
            return true;
        };
        record[0] = kind;
        // The fuzzer sees what a hint and a tag are compared with, and may hit both: the keys are the
        // same in every run. Then it is what a sealer makes of those frames.
        if self.opener.is_ours(&self.transcript, whole(&record)) {
            let sequence = self.opener.sequence();
            match open(&mut self.opener, &self.transcript, &record) {
                Found::Frames(padding, frames) => {
                    assert_eq!(self.seal_again(sequence, padding, &frames), record);
                }
                found => assert!(matches!(found, Found::Invalid(_)), "{found:?}"),
            }
            return self.opener.sequence() == sequence;
        }
        self.forwarded(&record);
        true
    }

    fn seal_again(&self, sequence: u64, padding: u32, frames: &[Known]) -> Vec<u8> {
        let mut sealer = Sealer::new(channel(self.direction, self.extension).at(sequence));
        let frames: Vec<_> = frames
            .iter()
            .map(|(kind, flags, padding, payload)| Outgoing {
                body: Body::Whole(*kind, payload),
                flags: *flags,
                padding: *padding,
            })
            .collect();
        let padding = Padding {
            least: padding,
            record_size: None,
        };
        let mut record = Vec::new();
        let sealed = sealer.seal(&self.transcript, &frames, padding, &mut record);
        sealed.expect("they were in a record");
        record
    }

    fn repeat(&mut self) {
        if let Some(last) = self.last.clone() {
            self.forwarded(&last);
        }
    }

    fn forwarded(&mut self, record: &[u8]) {
        let found = open(&mut self.opener, &self.transcript, record);
        assert_eq!(found, Found::Carrier, "it is the application's");
        self.transcript.count(whole(record));
    }

    fn change(&mut self, input: &mut Input<'_>) {
        let Some((record, sealed)) = self.seal(input) else {
            return;
        };
        let mut payload = record[HEADER_LEN..].to_vec();
        for _ in 0..input.byte() % 4 {
            let at = usize::from(input.short()) % payload.len();
            payload[at] ^= input.byte();
        }
        payload.truncate(payload.len() - usize::from(input.byte()).min(payload.len()));
        payload.extend(input.rest());
        let Some(other) = world::record(&payload) else {
            return;
        };
        let old = &record[HEADER_LEN..];
        let sequence = self.opener.sequence();
        let expected = if payload == old {
            sealed
        } else if payload.len() < LEAST || payload[..8] != old[..8] {
            Found::Carrier
        } else if payload[8..16] != old[8..16] {
            Found::Invalid(Invalid::ClientHint)
        } else {
            Found::Invalid(Invalid::Forged)
        };
        let found = open(&mut self.opener, &self.transcript, &other);
        match &found {
            // It has seen what another record at this place is: see `application`.
            Found::Frames(padding, frames) if payload != old => {
                assert_eq!(self.seal_again(sequence, *padding, frames), other);
            }
            found => assert_eq!(*found, expected),
        }
        assert!(Record::of(&other).is_some());
    }
}

fn frame<'a>(input: &mut Input<'a>) -> Outgoing<'a> {
    use FrameKind::{Close, Control, Datagram, FlowControl, Ping, Pong};
    let kinds = [Datagram, Ping, Pong, FlowControl, Close, Control];
    let body = match usize::from(input.byte() % 7) {
        6 => {
            let header = FragmentHeader {
                id: input.long(),
                index: input.short(),
                count: input.short(),
                total: input.long(),
            };
            Body::Fragment(header, input.some())
        }
        kind => Body::Whole(kinds[kind], input.some()),
    };
    Outgoing {
        body,
        flags: input.byte(),
        padding: input.short().into(),
    }
}

fn same(frame: &Outgoing<'_>) -> Known {
    let (kind, payload) = match frame.body {
        Body::Whole(kind, payload) => (kind, payload.to_vec()),
        Body::Fragment(header, part) => (FrameKind::Fragment, [&header.to_bytes(), part].concat()),
    };
    (kind, frame.flags, frame.padding, payload)
}

/// A few frames that go by, are repeated and changed; and recorded records, of other keys.
pub fn seeds() -> Vec<Seed> {
    let datagram = [&[0][..], &put(b"packet"), &[0, 0, 3]].concat();
    let part = [
        &[6, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 9][..],
        &put(b"part"),
        &[7, 0, 0],
    ]
    .concat();
    let both = [&[2][..], &datagram, &part, &[0, 4, 0]].concat();
    let sized = [&[1][..], &datagram, &[0, 0, 1, 4, 0]].concat();
    let application = [&[1, 3][..], &put(b"the application's")].concat();
    let mut seeds = Vec::new();
    for way in 0..6 {
        let pass = [&[way, 0][..], &both, &[0], &sized, &application, &[2]].concat();
        seeds.push(Seed::deep(
            [&pass[..], &[3], &both, &[1, 0, 40, 1, 0]].concat(),
        ));
        seeds.push(Seed::deep(
            [&pass[..], &[3], &both, &[1, 0, 9, 1, 0]].concat(),
        ));
        seeds.push(Seed::deep([&pass[..], &[3], &both, &[0, 7]].concat()));
        seeds.push(Seed::deep(pass));
    }
    for given in each(&vectors::records(), "negative") {
        let record = bytes(given, "record");
        if record.len() < 1000 {
            let payload = put(record.get(HEADER_LEN..).unwrap_or_default());
            seeds.push(Seed::any([&[0, 1, 3][..], &payload].concat()));
        }
    }
    seeds
}
