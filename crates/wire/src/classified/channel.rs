//! What the two ends of a direction have in common.

use super::Limits;
use super::context::Context;
use crate::extension::Extension;
use crate::{Direction, DirectionKey, Pair, ProfileId, SessionKeys};

/// The key of one direction, what its records are bound to, and the sequence that comes next.
#[derive(Debug)]
pub struct Channel {
    pub(super) key: DirectionKey,
    pub(super) context: Context,
    pub(super) limits: Limits,
    pub(super) sequence: u64,
}

impl Channel {
    /// By version 5, from the first sequence on.
    pub fn new(key: DirectionKey, pair: Pair, profile: &ProfileId, limits: Limits) -> Self {
        Self {
            key,
            context: Context::new(pair, profile),
            limits,
            sequence: 0,
        }
    }

    /// With the extension, from the first sequence on.
    pub fn extended(
        extension: Extension,
        keys: &SessionKeys,
        direction: Direction,
        pair: Pair,
        profile: &ProfileId,
    ) -> Self {
        let keys = extension.keys(keys, direction);
        Self {
            key: DirectionKey(keys.cipher),
            context: Context::extended(pair, profile, keys.mark),
            limits: Limits::default(),
            sequence: 0,
        }
    }

    /// From another sequence on: for tests.
    pub fn at(self, sequence: u64) -> Self {
        Self { sequence, ..self }
    }
}
