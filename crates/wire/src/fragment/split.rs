//! A packet to frames.

use super::FragmentHeader;
use crate::FrameKind;
use crate::classified::{Body, Outgoing};

/// Makes frames of packets.
#[derive(Debug)]
pub struct Splitter {
    /// How long a frame's payload may be.
    frame_payload: usize,
    /// How long a packet may be.
    most: usize,
    /// Whether a packet may be in parts (`codec.allow_fragmentation`).
    splits: bool,
    next_id: u32,
}

/// A packet that cannot be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsplittable {
    /// There is nothing in it.
    #[error("an empty packet")]
    Empty,
    /// It is too long, or would have too many parts.
    #[error("a packet that is too long")]
    TooLong,
}

impl Splitter {
    /// Ids begin with 1.
    pub fn new(frame_payload: usize, most: usize, splits: bool) -> Self {
        Self {
            frame_payload,
            most,
            splits,
            next_id: 1,
        }
    }

    /// The id of a packet that is in parts already.
    pub fn take_id(&mut self) -> u32 {
        let id = self.next_id;
        self.next_id = self.next_id.wrapping_add(1);
        id
    }

    /// The frames of a packet, in their order. Only a packet in parts takes an id.
    pub fn split<'a>(
        &mut self,
        packet: &'a [u8],
    ) -> Result<impl ExactSizeIterator<Item = Outgoing<'a>> + use<'a>, Unsplittable> {
        if packet.is_empty() {
            return Err(Unsplittable::Empty);
        }
        if packet.len() > self.most {
            return Err(Unsplittable::TooLong);
        }
        let whole = packet.len() <= self.frame_payload;
        let part = match whole {
            true => packet.len(),
            false if self.splits => self.frame_payload.saturating_sub(FragmentHeader::LEN),
            false => 0,
        };
        if part == 0 {
            return Err(Unsplittable::TooLong);
        }
        let parts = packet.chunks(part);
        let count = u16::try_from(parts.len()).map_err(|_| Unsplittable::TooLong)?;
        let total = u32::try_from(packet.len()).map_err(|_| Unsplittable::TooLong)?;
        let id = match whole {
            true => 0,
            false => self.take_id(),
        };
        Ok(parts.enumerate().map(move |(index, part)| {
            let index = u16::try_from(index).expect("fewer than count");
            let header = FragmentHeader {
                id,
                index,
                count,
                total,
            };
            Outgoing::new(match whole {
                true => Body::Whole(FrameKind::Datagram, part),
                false => Body::Fragment(header, part),
            })
        }))
    }
}
