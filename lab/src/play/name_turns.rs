//! Whose turn it is to ask for names on a host.

use indexmap::IndexMap;
use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::scenario::HostName;

/// Expectations of a step are checked at once, and ask for names beside each other; one that must not find
/// in a cache what another has put there asks alone.
#[derive(Debug)]
pub(super) struct NameTurns(IndexMap<HostName, RwLock<()>>);

/// A turn, until it is dropped.
#[derive(Debug)]
pub(super) enum NameTurn<'a> {
    #[expect(dead_code, reason = "held for as long as it is asked")]
    Beside(RwLockReadGuard<'a, ()>),
    #[expect(dead_code, reason = "held for as long as it is asked")]
    Alone(RwLockWriteGuard<'a, ()>),
}

impl NameTurns {
    pub(super) fn new<'a>(hosts: impl Iterator<Item = &'a HostName>) -> Self {
        Self(hosts.map(|host| (host.clone(), RwLock::new(()))).collect())
    }

    /// Waits for a turn on a host: beside others, or alone. Whoever waits to be alone goes before those
    /// that come later.
    pub(super) async fn take(&self, host: &HostName, alone: bool) -> NameTurn<'_> {
        let turns = &self.0[host];
        match alone {
            false => NameTurn::Beside(turns.read().await),
            true => NameTurn::Alone(turns.write().await),
        }
    }
}
