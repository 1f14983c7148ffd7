//! `codec`.

use fps_wire::classified::Limits;
use fps_wire::fragment::FragmentHeader;
use serde::Deserialize;

use super::Problem;
use crate::session;

/// How packets become frames.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Codec {
    /// How long a frame's payload may be. The other side's must not be shorter: a longer frame ends
    /// its session.
    pub max_frame_payload: u32,
    /// How much padding a frame, and a record, may have.
    pub max_frame_padding: u32,
    /// Whether a packet that is longer than a frame goes in parts.
    pub allow_fragmentation: bool,
}

impl Default for Codec {
    fn default() -> Self {
        Self {
            max_frame_payload: 16384,
            max_frame_padding: 2048,
            allow_fragmentation: true,
        }
    }
}

impl Codec {
    /// What sessions make of it, where a packet may be so long.
    pub fn of_session(&self, packet: usize) -> session::Codec {
        session::Codec {
            limits: Limits {
                frame_payload: self.max_frame_payload,
                frame_padding: self.max_frame_padding,
                record_padding: self.max_frame_padding,
                ..Limits::default()
            },
            splits: self.allow_fragmentation,
            packet,
        }
    }

    pub(super) fn check(&self, mtu: u16) -> Result<(), Problem> {
        if self.max_frame_payload == 0 {
            return Err(("codec.max_frame_payload", "must be positive".into()));
        }
        // A part of a packet has at least one byte behind its header.
        let least = FragmentHeader::LEN + 1;
        let parts = self.allow_fragmentation && u32::from(mtu) > self.max_frame_payload;
        if parts && (self.max_frame_payload as usize) < least {
            let reason = format!("must be {least} or more, or no packet of tun.mtu fits in parts");
            return Err(("codec.max_frame_payload", reason));
        }
        if !self.allow_fragmentation && u32::from(mtu) > self.max_frame_payload {
            let most = self.max_frame_payload;
            let reason = format!(
                "is more than codec.max_frame_payload, {most}, which no packet may be \
                         without codec.allow_fragmentation"
            );
            return Err(("tun.mtu", reason));
        }
        Ok(())
    }
}
