//! One direction's receiver.

use super::channel::Channel;
use super::{Frames, LEAST};
use crate::hint::{HINT_LEN, HINTS_LEN};
use crate::record::{APPLICATION_DATA, HEADER_LEN};
use crate::{Record, Transcript};

/// Opens the records of one direction.
#[derive(Debug)]
pub struct Opener {
    channel: Channel,
}

/// What a record is.
#[derive(Clone, Copy, Debug)]
pub enum Opened<'a> {
    /// The application's: it goes on as it is.
    Carrier,
    /// Ours: it goes no further.
    Frames(Frames<'a>),
}

/// A record is ours, and not in order. The session ends with it: either somebody has changed it, or
/// the other side is not what it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// It is for another client.
    #[error("a record of ours has the hint of another client")]
    ClientHint,
    /// It does not open.
    #[error("a record of ours was changed")]
    Forged,
    /// It has another version.
    #[error("a record of ours has another version than 5")]
    Version,
    /// It has another sequence inside than outside.
    #[error("a record of ours has another sequence inside than outside")]
    Sequence,
    /// A frame is of no kind that there is.
    #[error("a record of ours has a frame of no kind")]
    FrameKind,
    /// Its parts are not as long as they say, or longer than they may be.
    #[error("the parts of a record of ours do not fit, or are larger than they may be")]
    Layout,
}

impl Invalid {
    /// In one word, as the C++ project's status has it.
    pub fn word(self) -> &'static str {
        match self {
            Self::ClientHint => "client_hint_mismatch",
            Self::Forged => "decrypt_failed",
            Self::Version => "unsupported_version",
            Self::Sequence => "invalid_sequence",
            Self::FrameKind => "invalid_frame_type",
            Self::Layout => "invalid_wire",
        }
    }
}

impl Opener {
    /// The receiver of a channel.
    pub fn new(channel: Channel) -> Self {
        Self { channel }
    }

    /// The sequence that is looked for.
    pub fn sequence(&self) -> u64 {
        self.channel.sequence
    }

    /// Whether a record is ours. `before` is the transcript of its direction without it. One that is
    /// the application's is left as it is.
    pub fn is_ours(&mut self, before: &Transcript, record: Record<'_>) -> bool {
        let payload = record.payload();
        if record.content_type() != APPLICATION_DATA || payload.len() < LEAST {
            return false;
        }
        self.channel.context.turn_to(self.channel.sequence, before);
        self.channel.context.server_hint().is(&payload[..HINT_LEN])
    }

    /// Opens a record in place, if it is ours. `before` is the transcript of its direction without it;
    /// it has to be counted, by the bytes as they came.
    pub fn open<'a>(
        &mut self,
        before: &Transcript,
        record: &'a mut [u8],
    ) -> Result<Opened<'a>, Invalid> {
        if !Record::of(record).is_some_and(|record| self.is_ours(before, record)) {
            return Ok(Opened::Carrier);
        }
        let length = record.len() - HEADER_LEN;
        let (front, sealed) = record.split_at_mut(HEADER_LEN + HINTS_LEN);
        let hints = &front[HEADER_LEN..];
        if !self.channel.context.client_hint().is(&hints[HINT_LEN..]) {
            return Err(Invalid::ClientHint);
        }
        let aad = self.channel.context.aad(hints, length);
        let text = self.channel.key.0.open(self.channel.sequence, aad, sealed);
        let text = text.map_err(|_| Invalid::Forged)?;
        let frames = Frames::read(text, self.channel.sequence, &self.channel.limits)?;
        self.channel.sequence += 1;
        Ok(Opened::Frames(frames))
    }
}
