//! Whose turn it is to ask for names on a host.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use fps_dns::zone::Name;
use indexmap::IndexMap;
use tokio::sync::{Mutex, OwnedMutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::scenario::HostName;

/// Expectations of a step are checked at once, and ask for names beside each other; one that must not find
/// in a cache what another has put there asks alone. For one name only one asks at a time, since a server
/// does not tell which host of several behind a router has asked it.
#[derive(Debug)]
pub(super) struct NameTurns {
    hosts: IndexMap<HostName, RwLock<()>>,
    names: RefCell<HashMap<Name, Arc<Mutex<()>>>>,
}

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
        Self {
            hosts: hosts.map(|host| (host.clone(), RwLock::new(()))).collect(),
            names: RefCell::default(),
        }
    }

    /// Waits until nobody else asks for a name, whoever asks. To be taken before the turn on a host.
    pub(super) async fn take_name(&self, name: &Name) -> OwnedMutexGuard<()> {
        self.turns_of(name).lock_owned().await
    }

    fn turns_of(&self, name: &Name) -> Arc<Mutex<()>> {
        Arc::clone(self.names.borrow_mut().entry(name.clone()).or_default())
    }

    /// Waits for a turn on a host: beside others, or alone. Whoever waits to be alone goes before those
    /// that come later.
    pub(super) async fn take(&self, host: &HostName, alone: bool) -> NameTurn<'_> {
        let turns = &self.hosts[host];
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
    fn one_at_a_time_asks_for_a_name() {
        let turns = NameTurns::new([].into_iter());
        let name = |text: &str| text.parse::<Name>().expect("a name");
        let now = |text| turns.take_name(&name(text)).now_or_never();
        let first = now("www.example.net.");
        assert!(first.is_some());
        assert!(now("www.example.net.").is_none());
        assert!(now("www.example.com.").is_some(), "another name");
        drop(first);
        assert!(now("www.example.net.").is_some());
    }

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
