//! Whether a play has others beside it.

use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Held by all plays of this process: by one that is to be alone as its writer, by any other as a reader.
/// Who waits as a writer goes before readers that come later, so it waits for no more than what plays now.
static PLAYING: RwLock<()> = RwLock::new(());

/// The right to play, until it is dropped.
#[expect(dead_code, reason = "a guard does its work when it is dropped")]
pub(super) enum Company {
    Others(RwLockReadGuard<'static, ()>),
    Nobody(RwLockWriteGuard<'static, ()>),
}

impl Company {
    /// Waits until who must not be there has ended.
    pub(super) fn wait_for(alone: bool) -> Self {
        match alone {
            true => Self::Nobody(PLAYING.write().unwrap_or_else(PoisonError::into_inner)),
            false => Self::Others(PLAYING.read().unwrap_or_else(PoisonError::into_inner)),
        }
    }
}
