//! What has been applied, kept for the next call.

mod known;
mod store;

pub use known::Known;
pub use store::{Lock, Store};

use fps_netlink::{IfIndex, LinkName};
use serde::{Deserialize, Serialize};

use crate::{Claim, Dns, Intent, ResolverKind, TunAddress};

/// What was applied for a device. It is written before the first change, so that whatever ends
/// `fps-route`, the next call knows what may stand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The form of this file.
    version: u32,
    /// The device.
    pub tun: LinkName,
    /// Its index: a device that is made anew has another, and one that is renamed keeps it.
    #[serde(default)]
    index: Option<u32>,
    /// What may stand, the last one first: one intent, or while one is put in the place of
    /// another both.
    pub intents: Vec<Intent>,
    /// The addresses that the device did not have before.
    pub addresses: Vec<TunAddress>,
}

/// The form that this version writes, and the only one that it reads.
const VERSION: u32 = 1;

impl Record {
    /// A record of what may stand.
    pub fn new(
        tun: (LinkName, Option<IfIndex>),
        intents: Vec<Intent>,
        addresses: Vec<TunAddress>,
    ) -> Self {
        let (tun, index) = tun;
        Self {
            version: VERSION,
            tun,
            index: index.map(IfIndex::get),
            intents,
            addresses,
        }
    }

    /// The index that the device had.
    pub fn index(&self) -> Option<IfIndex> {
        self.index.and_then(IfIndex::new)
    }

    /// What may have to be cleaned up: of the addresses only those that the device had not before.
    pub(crate) fn intents_to_clean_up(&self) -> Vec<Intent> {
        let intents = self.intents.iter().cloned();
        intents
            .map(|intent| intent.with_addresses(self.addresses.clone()))
            .collect()
    }

    /// The same for the device under another name.
    fn renamed(&mut self, name: LinkName) {
        let intents = std::mem::take(&mut self.intents).into_iter();
        self.intents = intents.map(|intent| intent.on(name)).collect();
    }

    /// What the resolver was told last.
    pub(crate) fn dns_of_last(&self) -> Option<Dns> {
        self.intents.first()?.dns().cloned()
    }

    /// What the resolver was told, by any of the intents.
    pub(crate) fn dns(&self) -> Dns {
        let told = self.intents.iter().filter_map(Intent::dns);
        told.fold(Dns::default(), |mut all, dns| {
            all.servers.extend(dns.servers.iter().cloned());
            all.domains.extend(dns.domains.iter().cloned());
            all.default_route = all.default_route.or(dns.default_route);
            all
        })
    }

    /// The resolvers that were told something.
    pub(crate) fn resolvers(&self) -> Vec<ResolverKind> {
        let told = |intent: &&Intent| intent.dns().is_some_and(|dns| !dns.is_empty());
        let told = self.intents.iter().filter(told);
        let mut kinds: Vec<_> = told.map(Intent::resolver).collect();
        kinds.dedup();
        kinds
    }

    /// What it says is held.
    pub fn claim(&self) -> Claim {
        Claim::of(self.tun, &self.intents)
    }
}
