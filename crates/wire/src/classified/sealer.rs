//! One direction's sender.

use super::channel::Channel;
use super::frame::FRAME_HEAD_LEN;
use super::spread::FRONT;
use super::{Body, HEAD_LEN, Outgoing, Spread};
use crate::crypto::TAG_LEN;
use crate::hint::{HINT_LEN, HINTS_LEN};
use crate::record::{APPLICATION_DATA, HEADER_LEN, MAX_PAYLOAD};
use crate::{Transcript, VERSION};

/// What stands before a record's frames.
const HEADS: usize = HEADER_LEN + HINTS_LEN + HEAD_LEN;

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
        out.resize(begin + HEADS, 0);
        frames.iter().for_each(|frame| frame.put(out));
        out.resize(out.len() + record_padding as usize + TAG_LEN, 0);
        let count = u16::try_from(frames.len()).expect("checked");
        self.finish(before, count, record_padding, &mut out[begin..]);
        Ok(())
    }

    /// Seals a packet where it lies, as parts with an id, and says how many records it is in. All of them
    /// are bound to what is `before` the first.
    ///
    /// # Panics
    /// If the channel is one of version 5, where each record is a step of the transcript.
    pub fn seal_spread(
        &mut self,
        before: &Transcript,
        id: u32,
        packet: &mut Spread,
    ) -> Result<u64, SealError> {
        assert!(self.channel.context.is_extended(), "of version 5");
        if Spread::PAYLOAD > self.channel.limits.frame_payload as usize {
            return Err(SealError::FramePayload);
        }
        let records = packet.records(id);
        let count = records.len() as u64;
        if self.channel.sequence.checked_add(count).is_none() {
            return Err(SealError::SequenceOverflow);
        }
        for (header, record) in records {
            let (heads, part) = record.split_at_mut(FRONT);
            let part = &part[..part.len() - TAG_LEN];
            let head = Outgoing::new(Body::Fragment(header, part)).head();
            let (frame, fragment) = heads[HEADS..].split_at_mut(FRAME_HEAD_LEN);
            frame.copy_from_slice(&head);
            fragment.copy_from_slice(&header.to_bytes());
            self.finish(before, 1, 0, record);
        }
        Ok(count)
    }

    /// Writes the heads of a record that has all else but its tag, and seals it.
    fn finish(&mut self, before: &Transcript, frames: u16, padding: u32, record: &mut [u8]) {
        let sequence = self.channel.sequence;
        let context = &mut self.channel.context;
        context.turn_to(sequence, before);
        let length = record.len() - HEADER_LEN;
        let visible = u16::try_from(length).expect("checked");
        let (header, rest) = record.split_at_mut(HEADER_LEN);
        header[..3].copy_from_slice(&[APPLICATION_DATA, 3, 3]);
        header[3..].copy_from_slice(&visible.to_be_bytes());
        let (hints, rest) = rest.split_at_mut(HINTS_LEN);
        hints[..HINT_LEN].copy_from_slice(&context.server_hint().0);
        hints[HINT_LEN..].copy_from_slice(&context.client_hint().0);
        let (text, tag) = rest.split_at_mut(rest.len() - TAG_LEN);
        text[..2].copy_from_slice(&VERSION.to_be_bytes());
        text[2..4].fill(0);
        text[4..12].copy_from_slice(&sequence.to_be_bytes());
        text[12..14].copy_from_slice(&frames.to_be_bytes());
        text[14..HEAD_LEN].copy_from_slice(&padding.to_be_bytes());
        let aad = context.aad(hints, length);
        tag.copy_from_slice(&self.channel.key.0.seal(sequence, aad, text));
        self.channel.sequence += 1;
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
