//! What a record carries.

use super::{HEAD_LEN, Invalid, Limits};
use crate::VERSION;
use crate::fragment::FragmentHeader;

/// Type, flags, length and padding.
pub(super) const FRAME_HEAD_LEN: usize = 1 + 1 + 4 + 4;

/// What a frame is. Of these 1, 6 and 7 are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FrameKind {
    /// A whole IP packet.
    Datagram = 1,
    /// Asks whether somebody is there.
    Ping = 2,
    /// Says so.
    Pong = 3,
    /// Flow control.
    FlowControl = 4,
    /// The end.
    Close = 5,
    /// A part of an IP packet, behind a header of its own.
    Fragment = 6,
    /// A [control](crate::control) message.
    Control = 7,
}

impl FrameKind {
    fn of(byte: u8) -> Option<Self> {
        Some(match byte {
            1 => Self::Datagram,
            2 => Self::Ping,
            3 => Self::Pong,
            4 => Self::FlowControl,
            5 => Self::Close,
            6 => Self::Fragment,
            7 => Self::Control,
            _ => return None,
        })
    }
}

/// A frame that has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// What it is.
    pub kind: FrameKind,
    /// Flags, of which none means anything.
    pub flags: u8,
    /// How much padding followed it.
    pub padding: u32,
    /// What it carries.
    pub payload: &'a [u8],
}

/// A frame that is to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outgoing<'a> {
    /// What it carries.
    pub body: Body<'a>,
    /// Flags, of which none means anything.
    pub flags: u8,
    /// How much padding follows it.
    pub padding: u32,
}

/// What a frame carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body<'a> {
    /// These bytes.
    Whole(FrameKind, &'a [u8]),
    /// A part of a packet.
    Fragment(FragmentHeader, &'a [u8]),
}

impl<'a> Outgoing<'a> {
    /// A frame without padding.
    pub fn new(body: Body<'a>) -> Self {
        Self {
            body,
            flags: 0,
            padding: 0,
        }
    }

    /// How long its payload is.
    pub(super) fn payload_len(&self) -> usize {
        match self.body {
            Body::Whole(_, payload) => payload.len(),
            Body::Fragment(_, part) => FragmentHeader::LEN + part.len(),
        }
    }

    /// How long it is with all that belongs to it.
    #[expect(clippy::len_without_is_empty, reason = "no frame is empty")]
    pub fn len(&self) -> usize {
        FRAME_HEAD_LEN + self.payload_len() + self.padding as usize
    }

    /// What stands before the payload.
    pub(super) fn head(&self) -> [u8; FRAME_HEAD_LEN] {
        let kind = match self.body {
            Body::Whole(kind, _) => kind,
            Body::Fragment(..) => FrameKind::Fragment,
        };
        let length = u32::try_from(self.payload_len()).expect("checked");
        let mut head = [0; FRAME_HEAD_LEN];
        head[..2].copy_from_slice(&[kind as u8, self.flags]);
        head[2..6].copy_from_slice(&length.to_be_bytes());
        head[6..].copy_from_slice(&self.padding.to_be_bytes());
        head
    }

    pub(super) fn put(&self, out: &mut Vec<u8>) {
        out.extend(self.head());
        match self.body {
            Body::Whole(_, payload) => out.extend(payload),
            Body::Fragment(header, part) => {
                out.extend(header.to_bytes());
                out.extend(part);
            }
        }
        out.resize(out.len() + self.padding as usize, 0);
    }
}

/// The frames of a record. That all of them are in order has been looked at.
#[derive(Clone, Copy, Debug)]
pub struct Frames<'a> {
    rest: &'a [u8],
    left: u16,
    record_padding: u32,
}

impl<'a> Frames<'a> {
    /// Reads what was sealed, for the sequence that it has to have.
    pub(super) fn read(text: &'a [u8], sequence: u64, limits: &Limits) -> Result<Self, Invalid> {
        let (head, rest) = text.split_at_checked(HEAD_LEN).ok_or(Invalid::Layout)?;
        if head[..2] != VERSION.to_be_bytes() {
            return Err(Invalid::Version);
        }
        // The flags behind it are not looked at.
        if head[4..12] != sequence.to_be_bytes() {
            return Err(Invalid::Sequence);
        }
        let left = u16::from_be_bytes([head[12], head[13]]);
        let record_padding = u32::from_be_bytes([head[14], head[15], head[16], head[17]]);
        if left > limits.frames || record_padding > limits.record_padding {
            return Err(Invalid::Layout);
        }
        let mut after = rest;
        for _ in 0..left {
            let (frame, more) = next(after)?;
            let length = frame.payload.len() as u64;
            if length > u64::from(limits.frame_payload) || frame.padding > limits.frame_padding {
                return Err(Invalid::Layout);
            }
            after = more;
        }
        if after.len() as u64 != u64::from(record_padding) {
            return Err(Invalid::Layout);
        }
        Ok(Self {
            rest,
            left,
            record_padding,
        })
    }

    /// How much padding came behind them.
    pub fn record_padding(&self) -> u32 {
        self.record_padding
    }
}

impl<'a> Iterator for Frames<'a> {
    type Item = Frame<'a>;

    fn next(&mut self) -> Option<Frame<'a>> {
        self.left = self.left.checked_sub(1)?;
        let (frame, rest) = next(self.rest).ok()?;
        self.rest = rest;
        Some(frame)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left.into(), Some(self.left.into()))
    }
}

/// The first frame, and what is behind it.
fn next(bytes: &[u8]) -> Result<(Frame<'_>, &[u8]), Invalid> {
    let (head, rest) = bytes
        .split_at_checked(FRAME_HEAD_LEN)
        .ok_or(Invalid::Layout)?;
    let kind = FrameKind::of(head[0]).ok_or(Invalid::FrameKind)?;
    let number = |at: usize| u32::from_be_bytes(head[at..at + 4].try_into().expect("4 bytes"));
    let (length, padding) = (number(2), number(6));
    let take = |bytes, length: u32| {
        let length = usize::try_from(length).ok()?;
        <[u8]>::split_at_checked(bytes, length)
    };
    let (payload, rest) = take(rest, length).ok_or(Invalid::Layout)?;
    let (_, rest) = take(rest, padding).ok_or(Invalid::Layout)?;
    let frame = Frame {
        kind,
        flags: head[1],
        padding,
        payload,
    };
    Ok((frame, rest))
}
