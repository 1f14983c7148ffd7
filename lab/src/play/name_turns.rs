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

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    #[test]
    fn who_asks_alone_waits_for_the_others_and_they_for_him() {
        let host = |name: &str| HostName::new(name);
        let (laptop, web) = (host("laptop"), host("web"));
        let turns = NameTurns::new([&laptop, &web].into_iter());
        let now = |host, alone| turns.take(host, alone).now_or_never();
        let (first, second) = (now(&laptop, false), now(&laptop, false));
        assert!(first.is_some() && second.is_some(), "two beside each other");
        assert!(now(&laptop, true).is_none());
        drop((first, second));
        let alone = now(&laptop, true);
        assert!(alone.is_some());
        assert!(now(&laptop, false).is_none());
        assert!(now(&web, false).is_some(), "another host");
        drop(alone);
        assert!(now(&laptop, false).is_some());
    }
}
