//! Records of ours after the accept: each looks like application data, and is known by its hints.
//!
//! ```text
//! 17 03 03 | length | hint for the server, 8 | hint for the client, 8 | sealed | tag, 16
//! sealed: version u16 | flags u16 | sequence u64 | frame count u16 | record padding u32 | frames | padding
//! frame:  type u8 | flags u8 | length u32 | padding u32 | payload | padding
//! ```
//!
//! Whoever receives looks for the one sequence that comes next, at the one moment of the transcript at
//! which it is. Anything else, a repeated record as well, misses the hint, and is the application's.

mod channel;
mod context;
mod frame;
mod opener;
mod sealer;
mod spread;

pub use channel::Channel;
pub use frame::{Body, Frame, FrameKind, Frames, Outgoing};
pub use opener::{Invalid, Opened, Opener};
pub use sealer::{Padding, SealError, Sealer};
pub use spread::Spread;

use crate::crypto::TAG_LEN;
use crate::hint::HINTS_LEN;

/// Version, flags, sequence, frame count and record padding.
const HEAD_LEN: usize = 2 + 2 + 8 + 2 + 4;
/// The shortest payload of a record that may be one.
const LEAST: usize = HINTS_LEN + HEAD_LEN + TAG_LEN;

/// How large the parts of a record may be. They are a side's own, and not negotiated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Of a frame's payload (`codec.max_frame_payload`).
    pub frame_payload: u32,
    /// Of a frame's padding (`codec.max_frame_padding`).
    pub frame_padding: u32,
    /// Of a record's padding.
    pub record_padding: u32,
    /// Frames in a record.
    pub frames: u16,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            frame_payload: 16384,
            frame_padding: 2048,
            record_padding: 2048,
            frames: 64,
        }
    }
}
