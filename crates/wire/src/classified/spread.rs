//! A packet that lies in the records that are to carry it.
//!
//! Each of its parts has room before it for the heads of a record, a frame and a part, and behind it for
//! a tag. So it can be read from a device to where it is sealed, and written from there: to copy a packet
//! of 64 KiB twice on that way costs two thirds of what its encryption does.

use super::HEAD_LEN;
use super::frame::FRAME_HEAD_LEN;
use crate::crypto::TAG_LEN;
use crate::fragment::FragmentHeader;
use crate::hint::HINTS_LEN;
use crate::record::HEADER_LEN;

/// What stands before a part.
pub(super) const FRONT: usize =
    HEADER_LEN + HINTS_LEN + HEAD_LEN + FRAME_HEAD_LEN + FragmentHeader::LEN;
/// From one record to the next.
const STRIDE: usize = FRONT + Spread::PART + TAG_LEN;

/// See the module.
#[derive(Debug)]
pub struct Spread {
    bytes: Vec<u8>,
    length: usize,
    /// Until they are [closed](Self::join).
    has_gaps: bool,
}

impl Spread {
    /// How much of a packet a record carries with the [extension](crate::extension), beside the heads: all
    /// of it is as long as a record of the application's may be (RFC 8446, 5.1).
    pub const PAYLOAD: usize = (16 << 10) - 64;
    /// The same of one that goes in parts.
    pub const PART: usize = Self::PAYLOAD - FragmentHeader::LEN;

    /// Room for packets of at most so many bytes, with none in it.
    pub fn new(most: usize) -> Self {
        Self {
            bytes: vec![0; most.div_ceil(Self::PART) * STRIDE],
            length: 0,
            has_gaps: true,
        }
    }

    /// Where a packet is to be put, one part behind the other; [`set_len`](Self::set_len) says how long
    /// it is then.
    pub fn slots(&mut self) -> impl Iterator<Item = &mut [u8]> {
        let records = self.bytes.chunks_exact_mut(STRIDE);
        records.map(|record| &mut record[FRONT..FRONT + Self::PART])
    }

    /// So many bytes have been put in the slots.
    ///
    /// # Panics
    /// If they have not so much room.
    pub fn set_len(&mut self, length: usize) {
        assert!(length <= self.bytes.len() / STRIDE * Self::PART);
        (self.length, self.has_gaps) = (length, true);
    }

    /// Puts a packet in.
    ///
    /// # Panics
    /// If there is no room for it.
    pub fn fill(&mut self, packet: &[u8]) {
        self.set_len(packet.len());
        for (slot, part) in self.slots().zip(packet.chunks(Self::PART)) {
            slot[..part.len()].copy_from_slice(part);
        }
    }

    /// How long the packet is.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Its first part, so all of its headers.
    pub fn first(&self) -> &[u8] {
        &self.bytes[FRONT..FRONT + self.length.min(Self::PART)]
    }

    /// The packet in one piece. It cannot be sealed here any more.
    pub fn join(&mut self) -> &mut [u8] {
        if self.has_gaps {
            for (number, begin) in (Self::PART..self.length).step_by(Self::PART).enumerate() {
                let from = (number + 1) * STRIDE + FRONT;
                let length = Self::PART.min(self.length - begin);
                self.bytes.copy_within(from..from + length, FRONT + begin);
            }
            self.has_gaps = false;
        }
        &mut self.bytes[FRONT..FRONT + self.length]
    }

    /// Each part's place among the others, and its record, in which all but the part is to be written.
    pub(super) fn records(
        &mut self,
        id: u32,
    ) -> impl ExactSizeIterator<Item = (FragmentHeader, &mut [u8])> {
        assert!(self.has_gaps, "it was joined");
        let (length, count) = (self.length, self.length.div_ceil(Self::PART));
        let records = self.bytes.chunks_exact_mut(STRIDE).take(count);
        records.enumerate().map(move |(index, record)| {
            let part = Self::PART.min(length - index * Self::PART);
            let short = |number: usize| u16::try_from(number).expect("a packet has few parts");
            let header = FragmentHeader {
                id,
                index: short(index),
                count: short(count),
                total: u32::try_from(length).expect("it is no longer than a packet"),
            };
            (header, &mut record[..FRONT + part + TAG_LEN])
        })
    }

    /// The records, once they are sealed: they lie one behind the other.
    pub fn sealed(&self) -> &[u8] {
        let heads = self.length.div_ceil(Self::PART) * (FRONT + TAG_LEN);
        &self.bytes[..self.length + heads]
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Body, Channel, Limits, Opened, Opener, Padding, SealError, Sealer};
    use super::*;
    use crate::extension::{ALL, Extension};
    use crate::fragment::{Reassembler, Splitter};
    use crate::{Direction, Pair, PrivateKey, ProfileId, SessionKeys, Transcript};

    const LONGEST: usize = 65545;

    fn channel() -> Channel {
        let extension = Extension::agreed(ALL, ALL).unwrap();
        let keys = SessionKeys::from_bytes([7; 72]);
        let key = |byte| PrivateKey::from_bytes([byte; 32]).public();
        let (client, server) = (key(1), key(2));
        let profile = ProfileId::new("office").unwrap();
        let pair = Pair { client, server };
        Channel::extended(extension, &keys, Direction::ToServer, pair, &profile)
    }

    fn before() -> Transcript {
        let profile = ProfileId::new("office").unwrap();
        let server = PrivateKey::from_bytes([2; 32]).public();
        Transcript::new(&server, &profile, Direction::ToServer)
    }

    fn packet(length: usize) -> Vec<u8> {
        (0..length).map(|at| (at % 251) as u8).collect()
    }

    const LENGTHS: [usize; 6] = [
        Spread::PAYLOAD + 1,
        2 * Spread::PART - 1,
        2 * Spread::PART,
        2 * Spread::PART + 1,
        4 * Spread::PART,
        LONGEST,
    ];

    #[test]
    fn its_records_are_those_of_a_packet_that_is_copied() {
        let (mut here, mut there) = (Sealer::new(channel()), Sealer::new(channel()));
        let mut splitter = Splitter::new(Spread::PAYLOAD, LONGEST, true);
        let mut spread = Spread::new(LONGEST);
        for length in LENGTHS {
            let packet = packet(length);
            let (mut copied, mut id) = (Vec::new(), None);
            for frame in splitter.split(&packet).unwrap() {
                let Body::Fragment(header, _) = frame.body else {
                    panic!("it is longer than a record");
                };
                id = Some(header.id);
                let sealed = there.seal(&before(), &[frame], Padding::default(), &mut copied);
                sealed.unwrap();
            }
            // What is left of longer ones before it does no harm.
            spread.fill(&packet);
            let count = here.seal_spread(&before(), id.unwrap(), &mut spread);
            assert_eq!(count, Ok(length.div_ceil(Spread::PART) as u64));
            assert!(spread.sealed() == copied, "{length}");
            assert_eq!(here.sequence(), there.sequence());
        }
    }

    #[test]
    fn its_records_come_to_the_packet() {
        let mut spread = Spread::new(LONGEST);
        let (mut sealer, mut opener) = (Sealer::new(channel()), Opener::new(channel()));
        let mut reassembler = Reassembler::new(LONGEST, 1);
        for (id, length) in (1..).zip(LENGTHS) {
            let packet = packet(length);
            spread.fill(&packet);
            sealer.seal_spread(&before(), id, &mut spread).unwrap();
            let (mut records, mut come) = (spread.sealed().to_vec(), Vec::new());
            let mut rest = &mut records[..];
            while !rest.is_empty() {
                let length = HEADER_LEN + usize::from(u16::from_be_bytes([rest[3], rest[4]]));
                let (record, more) = rest.split_at_mut(length);
                let Ok(Opened::Frames(frames)) = opener.open(&before(), record) else {
                    panic!("it is one of ours");
                };
                for frame in frames {
                    come.extend(reassembler.take(frame).unwrap().map(|it| it.into_owned()));
                }
                rest = more;
            }
            assert!(come == [packet], "{length}");
        }
    }

    #[test]
    fn a_packet_is_in_one_piece_if_need_be() {
        let mut spread = Spread::new(LONGEST);
        for length in [0, 1, Spread::PART, Spread::PART + 1, LONGEST] {
            let packet = packet(length);
            spread.fill(&packet);
            assert_eq!(spread.len(), length);
            assert_eq!(spread.first(), &packet[..length.min(Spread::PART)]);
            for _ in 0..2 {
                assert!(spread.join() == packet, "{length}");
            }
        }
    }

    #[test]
    fn without_sequences_for_all_of_it_none_is_sealed() {
        let mut sealer = Sealer::new(channel().at(u64::MAX - 3));
        let mut spread = Spread::new(LONGEST);
        spread.fill(&packet(4 * Spread::PART));
        let sealed = sealer.seal_spread(&before(), 1, &mut spread);
        assert_eq!(sealed, Err(SealError::SequenceOverflow));
        assert_eq!(sealer.sequence(), u64::MAX - 3);
        assert!(spread.join() == packet(4 * Spread::PART));
        spread.fill(&packet(3 * Spread::PART));
        assert_eq!(sealer.seal_spread(&before(), 1, &mut spread), Ok(3));
    }

    #[test]
    #[should_panic(expected = "of version 5")]
    fn by_version_5_it_has_to_be_copied() {
        let key = SessionKeys::from_bytes([7; 72]).of_direction(Direction::ToServer);
        let public = |byte| PrivateKey::from_bytes([byte; 32]).public();
        let (client, server) = (public(1), public(2));
        let profile = ProfileId::new("office").unwrap();
        let channel = Channel::new(key, Pair { client, server }, &profile, Limits::default());
        let mut spread = Spread::new(LONGEST);
        spread.fill(&packet(LONGEST));
        let _ = Sealer::new(channel).seal_spread(&before(), 1, &mut spread);
    }

    #[test]
    fn its_records_are_within_the_limits() {
        assert!(Spread::PAYLOAD <= Limits::default().frame_payload as usize);
        // As long as one of the application's at most (RFC 8446, 5.2).
        const { assert!(STRIDE - HEADER_LEN <= (16 << 10) + 256) };
    }
}
