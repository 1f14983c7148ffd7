//! Packets that are larger than a frame, in parts.

mod reassembly;
mod split;

pub use reassembly::{Dropped, Reassembler};
pub use split::{Splitter, Unsplittable};

/// What stands before a part of a packet: id u32, index u16, count u16, total u32.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FragmentHeader {
    /// Which packet.
    pub id: u32,
    /// Which part of it, from 0.
    pub index: u16,
    /// Of how many.
    pub count: u16,
    /// How long the packet is.
    pub total: u32,
}

impl FragmentHeader {
    /// Its length.
    pub const LEN: usize = 12;

    /// As bytes.
    pub fn to_bytes(self) -> [u8; Self::LEN] {
        let mut bytes = [0; Self::LEN];
        bytes[..4].copy_from_slice(&self.id.to_be_bytes());
        bytes[4..6].copy_from_slice(&self.index.to_be_bytes());
        bytes[6..8].copy_from_slice(&self.count.to_be_bytes());
        bytes[8..].copy_from_slice(&self.total.to_be_bytes());
        bytes
    }

    /// A frame's payload in its two parts.
    fn split(payload: &[u8]) -> Option<(Self, &[u8])> {
        let (head, part) = payload.split_first_chunk::<{ Self::LEN }>()?;
        let short = |at: usize| u16::from_be_bytes([head[at], head[at + 1]]);
        let long = |at: usize| u32::from_be_bytes(head[at..at + 4].try_into().expect("4 bytes"));
        let header = Self {
            id: long(0),
            index: short(4),
            count: short(6),
            total: long(8),
        };
        Some((header, part))
    }
}
