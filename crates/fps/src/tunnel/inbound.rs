//! A packet out of a carrier.

use super::Whole;

/// See the module.
#[derive(Clone, Copy, Debug)]
pub enum Inbound<'a> {
    /// As it is.
    Packet(&'a [u8]),
    /// As a device takes it, behind its header.
    Whole(&'a [u8]),
}

/// The same, kept.
#[derive(Debug)]
pub(super) enum Kept {
    Packet(Box<[u8]>),
    Whole(Box<[u8]>),
}

impl<'a> Inbound<'a> {
    /// The packet alone; none where its header does not fit to it.
    pub(super) fn packet(&self) -> Option<&'a [u8]> {
        match self {
            Self::Packet(packet) => Some(packet),
            Self::Whole(bytes) => Whole::read(bytes).map(|whole| whole.packet()),
        }
    }

    /// How many bytes there are.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Packet(bytes) | Self::Whole(bytes) => bytes.len(),
        }
    }

    pub(super) fn keep(&self) -> Kept {
        match *self {
            Self::Packet(bytes) => Kept::Packet(bytes.into()),
            Self::Whole(bytes) => Kept::Whole(bytes.into()),
        }
    }
}

impl Kept {
    pub(super) fn inbound(&self) -> Inbound<'_> {
        match self {
            Self::Packet(bytes) => Inbound::Packet(bytes),
            Self::Whole(bytes) => Inbound::Whole(bytes),
        }
    }
}
