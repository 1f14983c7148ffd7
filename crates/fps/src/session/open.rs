//! A session after the accept: packets to records, and records to packets.

use fps_wire::classified::{Limits, Opened, Opener, Outgoing, Padding, Sealer};
use fps_wire::fragment::{Reassembler, Splitter};
use fps_wire::{Direction, FrameKind, Link, Pair, Record, SessionKeys, Transcript};

use super::{Ended, Event, Verdict};
use crate::tunnel::PacketQueue;

/// How packets become frames.
#[derive(Clone, Copy, Debug)]
pub struct Codec {
    /// How large the parts of a record may be.
    pub limits: Limits,
    /// Whether a packet may be in parts.
    pub splits: bool,
    /// How long a packet may be.
    pub packet: usize,
}

/// What became of packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sealed {
    /// So many records carry them.
    pub records: u64,
    /// So many could not be put into any.
    pub lost: u64,
}

/// How much a record of ours carries at most: as much as one of the application's (RFC 8446, 5.1).
/// Many packets go in one, since each record costs three hashes and an AEAD however short it is.
const RECORD: usize = 16 << 10;
/// How many frames a chunk of packets mostly has.
const FRAMES: usize = 64;
/// How many packets in parts may be begun on a carrier.
const STATES: usize = 64;

/// See the module.
#[derive(Debug)]
pub(super) struct Open {
    sealer: Sealer,
    opener: Opener,
    splitter: Splitter,
    reassembler: Reassembler,
    codec: Codec,
}

impl Open {
    /// With new keys, for the side whose records go this way.
    pub(super) fn new(
        keys: &SessionKeys,
        outbound: Direction,
        pair: Pair,
        link: &Link,
        codec: Codec,
    ) -> Self {
        let inbound = match outbound {
            Direction::ToServer => Direction::ToClient,
            Direction::ToClient => Direction::ToServer,
        };
        let (profile, limits) = (link.profile(), codec.limits);
        let payload = usize::try_from(limits.frame_payload).unwrap_or(usize::MAX);
        Self {
            sealer: Sealer::new(keys.of_direction(outbound), pair, profile, limits),
            opener: Opener::new(keys.of_direction(inbound), pair, profile, limits),
            splitter: Splitter::new(payload, codec.packet, codec.splits),
            reassembler: Reassembler::new(codec.packet, STATES),
            codec,
        }
    }

    /// Opens a record, if it is ours. `before` is the transcript of its direction without it.
    pub(super) fn take(
        &mut self,
        before: &Transcript,
        record: &mut [u8],
        tell: &mut dyn FnMut(Event<'_>),
    ) -> Result<Verdict, Ended> {
        let frames = match self.opener.open(before, record)? {
            Opened::Carrier => return Ok(Verdict::Forward),
            Opened::Frames(frames) => frames,
        };
        tell(Event::Opened);
        for frame in frames {
            if !matches!(frame.kind, FrameKind::Datagram | FrameKind::Fragment) {
                // Of the others none asks for anything that a side without a shaper could do.
                continue;
            }
            match self.reassembler.take(frame) {
                Ok(Some(packet)) => tell(Event::Packet(&packet)),
                Ok(None) => {}
                Err(dropped) => tell(Event::Dropped(dropped)),
            }
        }
        Ok(Verdict::Consume)
    }

    /// Puts packets that wait into records, until there are so many bytes. Each record is counted.
    pub(super) fn seal(
        &mut self,
        link: &mut Link,
        outbound: Direction,
        queue: &PacketQueue,
        most: usize,
        out: &mut Vec<u8>,
    ) -> Sealed {
        let mut sealed = Sealed::default();
        while out.len() < most {
            let Some(chunk) = queue.pop() else { break };
            let mut frames = Vec::with_capacity(FRAMES);
            for packet in chunk.iter() {
                match self.splitter.split(packet) {
                    Ok(parts) => frames.extend(parts),
                    Err(_) => sealed.lost += 1,
                }
            }
            let mut rest = &frames[..];
            while !rest.is_empty() {
                let (record, more) = rest.split_at(fitting(rest, self.codec.limits.frames));
                let begin = out.len();
                let before = link.transcript(outbound);
                match self.sealer.seal(before, record, Padding::default(), out) {
                    Ok(()) => {
                        let record = Record::of(&out[begin..]).expect("a record of ours");
                        link.count(outbound, record);
                        sealed.records += 1;
                    }
                    Err(error) => {
                        tracing::debug!(event = "encode_failed", error = %error);
                        sealed.lost += record.len() as u64;
                    }
                }
                rest = more;
            }
            drop(frames);
            queue.give_back(chunk);
        }
        sealed
    }
}

/// How many of some frames go into a record, one at least.
fn fitting(frames: &[Outgoing<'_>], most: u16) -> usize {
    let mut length = 0;
    let fit = frames.iter().take(most.into()).take_while(|frame| {
        length += frame.len();
        length <= RECORD
    });
    fit.count().max(1)
}
