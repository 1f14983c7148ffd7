//! Frames to packets.

use std::borrow::Cow;
use std::collections::HashMap;

use super::FragmentHeader;
use crate::{Frame, FrameKind};

/// Puts the packets of one carrier together. A carrier keeps order, so the parts of a packet have to
/// come in theirs; what breaks it ends the packet.
#[derive(Debug)]
pub struct Reassembler {
    /// How long a packet in parts may be.
    most: usize,
    /// How many may be begun and not complete.
    states: usize,
    begun: HashMap<u32, State>,
}

#[derive(Debug)]
struct State {
    next: u16,
    count: u16,
    total: u32,
    packet: Vec<u8>,
}

/// Why a frame came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Dropped {
    /// It is neither a packet nor a part of one.
    #[error("no packet")]
    NotAPacket,
    /// It says nothing that could be right.
    #[error("a malformed fragment")]
    Malformed,
    /// Its packet is too long.
    #[error("a fragment of a packet that is too long")]
    Oversized,
    /// It is not the next part of its packet.
    #[error("a fragment out of order")]
    OutOfOrder,
    /// It does not fit to the parts before it.
    #[error("a fragment that does not fit to the others")]
    Mismatched,
    /// Too many packets have been begun.
    #[error("too many packets in parts at once")]
    TooMany,
}

impl Reassembler {
    /// Nothing has begun.
    pub fn new(most: usize, states: usize) -> Self {
        Self {
            most,
            states,
            begun: HashMap::new(),
        }
    }

    /// Takes a frame, and gives the packet that it completes.
    pub fn take<'a>(&mut self, frame: Frame<'a>) -> Result<Option<Cow<'a, [u8]>>, Dropped> {
        match frame.kind {
            FrameKind::Datagram => Ok(Some(Cow::Borrowed(frame.payload))),
            FrameKind::Fragment => self.take_part(frame.payload).map(|it| it.map(Cow::Owned)),
            _ => Err(Dropped::NotAPacket),
        }
    }

    fn take_part(&mut self, payload: &[u8]) -> Result<Option<Vec<u8>>, Dropped> {
        let (header, part) = FragmentHeader::split(payload).ok_or(Dropped::Malformed)?;
        // Whatever is wrong with it, what has begun of its packet is lost.
        let begun = self.begun.remove(&header.id);
        let fits = header.index < header.count && header.total > 0 && !part.is_empty();
        if !fits {
            return Err(Dropped::Malformed);
        }
        if header.total as usize > self.most {
            return Err(Dropped::Oversized);
        }
        let mut state = self.state(&header, begun)?;
        if (state.count, state.total) != (header.count, header.total) {
            return Err(Dropped::Mismatched);
        }
        state.packet.extend(part);
        state.next += 1;
        let complete = state.next == state.count;
        let length = state.packet.len().cmp(&(state.total as usize));
        if length.is_gt() || complete && length.is_lt() {
            return Err(Dropped::Mismatched);
        }
        if complete {
            return Ok(Some(state.packet));
        }
        self.begun.insert(header.id, state);
        Ok(None)
    }

    fn state(&self, header: &FragmentHeader, begun: Option<State>) -> Result<State, Dropped> {
        match (header.index, begun) {
            (0, None) if self.begun.len() >= self.states => Err(Dropped::TooMany),
            (0, None) => Ok(State {
                next: 0,
                count: header.count,
                total: header.total,
                packet: Vec::with_capacity(header.total as usize),
            }),
            (index, Some(state)) if index > 0 && index == state.next => Ok(state),
            _ => Err(Dropped::OutOfOrder),
        }
    }
}
