//! A session after the accept: packets to records, and records to packets.

use fps_wire::classified::{
    Channel, Limits, Opened, Opener, Outgoing, Padding, SealError, Sealer, Spread,
};
use fps_wire::extension::Extension;
use fps_wire::fragment::{Reassembler, Splitter};
use fps_wire::{Direction, FrameKind, Link, Pair, Record, SessionKeys};

use super::{Batch, Ended, Event, Verdict};
use crate::tunnel::{Chunk, Packed, PacketQueue, Whole};

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
    /// So many packets were taken for them.
    pub packets: u64,
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
    limits: Limits,
    outbound: Direction,
    inbound: Direction,
    extension: Option<Extension>,
}

impl Open {
    /// With new keys, for the side whose records go this way.
    pub(super) fn new(
        keys: &SessionKeys,
        outbound: Direction,
        pair: Pair,
        link: &Link,
        codec: Codec,
        extension: Option<Extension>,
    ) -> Self {
        let inbound = match outbound {
            Direction::ToServer => Direction::ToClient,
            Direction::ToClient => Direction::ToServer,
        };
        let (profile, limits) = (link.profile(), codec.limits);
        let Some(extension) = extension else {
            let channel = |way| Channel::new(keys.of_direction(way), pair, profile, limits);
            let payload = usize::try_from(limits.frame_payload).unwrap_or(usize::MAX);
            return Self {
                sealer: Sealer::new(channel(outbound)),
                opener: Opener::new(channel(inbound)),
                splitter: Splitter::new(payload, codec.packet, codec.splits),
                reassembler: Reassembler::new(codec.packet, STATES),
                limits,
                outbound,
                inbound,
                extension,
            };
        };
        let channel = |way| Channel::extended(extension, keys, way, pair, profile);
        Self {
            sealer: Sealer::new(channel(outbound)),
            opener: Opener::new(channel(inbound)),
            splitter: Splitter::new(Spread::PAYLOAD, Whole::LONGEST, true),
            // A sender finishes one before the next.
            reassembler: Reassembler::new(Whole::LONGEST, 1),
            limits: Limits::default(),
            outbound,
            inbound,
            extension: Some(extension),
        }
    }

    /// What both sides use beyond version 5.
    pub(super) fn extension(&self) -> Option<Extension> {
        self.extension
    }

    /// Opens a record, if it is ours, and counts it: all of them, or with the extension the
    /// application's alone.
    pub(super) fn take(
        &mut self,
        link: &mut Link,
        record: &mut [u8],
        tell: &mut dyn FnMut(Event<'_>),
    ) -> Result<Verdict, Ended> {
        let frames = if self.extension.is_some() {
            match self.opener.open(link.transcript(self.inbound), record)? {
                Opened::Frames(frames) => frames,
                Opened::Carrier => {
                    link.count(self.inbound, whole(record));
                    return Ok(Verdict::Forward);
                }
            }
        } else {
            let before = link.transcript(self.inbound).clone();
            link.count(self.inbound, whole(record));
            match self.opener.open(&before, record)? {
                Opened::Carrier => return Ok(Verdict::Forward),
                Opened::Frames(frames) => frames,
            }
        };
        tell(Event::Opened);
        for frame in frames {
            if !matches!(frame.kind, FrameKind::Datagram | FrameKind::Fragment) {
                // Of the others none asks for anything that a side without a shaper could do.
                continue;
            }
            match self.reassembler.take(frame) {
                Ok(Some(packet)) if self.extension.is_some() => tell(Event::Whole(&packet)),
                Ok(Some(packet)) => tell(Event::Packet(&packet)),
                Ok(None) => {}
                Err(dropped) => tell(Event::Dropped(dropped)),
            }
        }
        Ok(Verdict::Consume)
    }

    /// Puts packets that wait into records, until there are so many bytes, or one that is sealed where it
    /// lies.
    pub(super) fn seal(
        &mut self,
        link: &mut Link,
        queue: &PacketQueue,
        most: usize,
        out: &mut Batch,
    ) -> Sealed {
        let mut sealed = Sealed::default();
        while out.records.len() < most && out.packet.is_none() {
            match queue.pop() {
                None => break,
                Some(Chunk::Packed(packed)) => {
                    self.seal_packed(link, &packed, &mut out.records, &mut sealed);
                    queue.give_back(packed);
                }
                Some(Chunk::Spread(packet, _)) => {
                    out.packet = self.seal_spread(link, packet, &mut sealed);
                }
            }
        }
        sealed
    }

    fn seal_packed(
        &mut self,
        link: &mut Link,
        packed: &Packed,
        out: &mut Vec<u8>,
        sealed: &mut Sealed,
    ) {
        let mut frames = Vec::with_capacity(FRAMES);
        for packet in packed.iter() {
            sealed.packets += 1;
            match self.splitter.split(packet) {
                Ok(parts) => frames.extend(parts),
                Err(_) => sealed.lost += 1,
            }
        }
        let mut rest = &frames[..];
        while !rest.is_empty() {
            let (record, more) = rest.split_at(fitting(rest, self.limits.frames));
            let begin = out.len();
            let before = link.transcript(self.outbound);
            match self.sealer.seal(before, record, Padding::default(), out) {
                Ok(()) => {
                    if self.extension.is_none() {
                        link.count(self.outbound, whole(&out[begin..]));
                    }
                    sealed.records += 1;
                }
                Err(error) => not_sealed(error, record.len(), sealed),
            }
            rest = more;
        }
    }

    fn seal_spread(
        &mut self,
        link: &Link,
        mut packet: Spread,
        sealed: &mut Sealed,
    ) -> Option<Spread> {
        sealed.packets += 1;
        let (id, before) = (self.splitter.take_id(), link.transcript(self.outbound));
        match self.sealer.seal_spread(before, id, &mut packet) {
            Ok(records) => {
                sealed.records += records;
                Some(packet)
            }
            Err(error) => {
                not_sealed(error, 1, sealed);
                None
            }
        }
    }
}

fn not_sealed(error: SealError, lost: usize, sealed: &mut Sealed) {
    tracing::debug!(event = "encode_failed", error = %error);
    sealed.lost += lost as u64;
}

fn whole(record: &[u8]) -> Record<'_> {
    Record::of(record).expect("a whole record")
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
