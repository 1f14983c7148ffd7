//! One direction's sender.

use super::channel::Channel;
use super::{HEAD_LEN, Outgoing};
use crate::crypto::TAG_LEN;
use crate::hint::HINTS_LEN;
use crate::record::{APPLICATION_DATA, HEADER_LEN, MAX_PAYLOAD};
use crate::{Transcript, VERSION};

/// Makes the records of one direction.
#[derive(Debug)]
pub struct Sealer {
    channel: Channel,
}

/// How large a record is to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Padding {
    /// So much padding at least.
    pub least: u32,
    /// And so much more that the whole record has this size, its header included.
    pub record_size: Option<usize>,
}

/// Why no record was made. Nothing has changed then: another one has the sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// A frame is too long.
    #[error("a frame's payload is longer than max_frame_payload")]
    FramePayload,
    /// Frame or record has too much padding.
    #[error("there is more padding than max_frame_padding")]
    Padding,
    /// There are too many frames.
    #[error("there are more than 64 frames")]
    TooManyFrames,
    /// All of it is too long for a record.
    #[error("the record is longer than 18432 bytes")]
    TooLong,
    /// The record is larger than it was to be.
    #[error("the record is larger than it is to be")]
    TargetTooSmall,
    /// All sequences have been used: a new session is needed.
    #[error("all sequences have been used")]
    SequenceOverflow,
}

impl Sealer {
    /// The sender of a channel.
    pub fn new(channel: Channel) -> Self {
        Self { channel }
    }

    /// The sequence that the next record has.
    pub fn sequence(&self) -> u64 {
        self.channel.sequence
    }

    /// Appends a whole record with these frames. `before` is the transcript of its direction without
    /// it; the record has to go on the link next, and to be counted.
    pub fn seal(
        &mut self,
        before: &Transcript,
        frames: &[Outgoing<'_>],
        padding: Padding,
        out: &mut Vec<u8>,
    ) -> Result<(), SealError> {
        let record_padding = self.check(frames, padding)?;
        let begin = out.len();
        self.channel.context.turn_to(self.channel.sequence, before);
        out.extend([APPLICATION_DATA, 3, 3, 0, 0]);
        out.extend(self.channel.context.server_hint().0);
        out.extend(self.channel.context.client_hint().0);
        let count = u16::try_from(frames.len()).expect("checked");
        out.extend(VERSION.to_be_bytes());
        out.extend([0, 0]);
        out.extend(self.channel.sequence.to_be_bytes());
        out.extend(count.to_be_bytes());
        out.extend(record_padding.to_be_bytes());
        frames.iter().for_each(|frame| frame.put(out));
        out.resize(out.len() + record_padding as usize, 0);
        let record = &mut out[begin..];
        let length = record.len() + TAG_LEN - HEADER_LEN;
        let visible = u16::try_from(length).expect("checked");
        record[3..HEADER_LEN].copy_from_slice(&visible.to_be_bytes());
        let (front, text) = record.split_at_mut(HEADER_LEN + HINTS_LEN);
        let aad = self.channel.context.aad(&front[HEADER_LEN..], length);
        let tag = self.channel.key.0.seal(self.channel.sequence, aad, text);
        out.extend(tag);
        self.channel.sequence += 1;
        Ok(())
    }

    /// The record's padding, where all is as it may be.
    fn check(&self, frames: &[Outgoing<'_>], padding: Padding) -> Result<u32, SealError> {
        if frames.len() > usize::from(self.channel.limits.frames) {
            return Err(SealError::TooManyFrames);
        }
        for frame in frames {
            if frame.payload_len() > self.channel.limits.frame_payload as usize {
                return Err(SealError::FramePayload);
            }
            if frame.padding > self.channel.limits.frame_padding {
                return Err(SealError::Padding);
            }
        }
        if self.channel.sequence == u64::MAX {
            return Err(SealError::SequenceOverflow);
        }
        let frames: usize = frames.iter().map(Outgoing::len).sum();
        let bare = HEADER_LEN + HINTS_LEN + HEAD_LEN + frames + TAG_LEN;
        let least = bare + padding.least as usize;
        let size = padding.record_size.unwrap_or(least);
        if size > HEADER_LEN + MAX_PAYLOAD || least > HEADER_LEN + MAX_PAYLOAD {
            return Err(SealError::TooLong);
        }
        let record_padding = size.checked_sub(bare).ok_or(SealError::TargetTooSmall)?;
        if size < least {
            return Err(SealError::TargetTooSmall);
        }
        match u32::try_from(record_padding) {
            Ok(record_padding) if record_padding <= self.channel.limits.record_padding => {
                Ok(record_padding)
            }
            _ => Err(SealError::Padding),
        }
    }
}
