//! The bytes by which the peer knows a record of ours.

use subtle::{Choice, ConstantTimeEq};

use crate::crypto::sha256;

/// The length of a hint.
pub(crate) const HINT_LEN: usize = 8;
/// The length of the two of a record: for the server, and for the client.
pub(crate) const HINTS_LEN: usize = 2 * HINT_LEN;

/// The first bytes of a hash that only the two peers can make. To anybody else they are random, so
/// whether a record has them is compared in constant time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hint(pub(crate) [u8; HINT_LEN]);

impl Hint {
    pub(crate) fn of(parts: &[&[u8]]) -> Self {
        Self::first(&sha256(parts))
    }

    /// The first of these bytes.
    pub(crate) fn first(bytes: &[u8]) -> Self {
        Self(bytes[..HINT_LEN].try_into().expect("8 bytes"))
    }

    /// Whether these are the bytes.
    pub(crate) fn is(&self, bytes: &[u8]) -> bool {
        self.equals(bytes).into()
    }

    pub(crate) fn equals(&self, bytes: &[u8]) -> Choice {
        self.0.ct_eq(bytes)
    }
}
