//! What has been applied, kept for the next call.

mod namespace;
mod store;

pub use store::{Known, Lock, Store};

use fps_netlink::LinkName;
use serde::{Deserialize, Serialize};

use crate::{Claim, Intent, TunAddress};

/// What was applied for a device. It is written before the first change, so that whatever ends
/// `fps-route`, the next call knows what may stand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The form of this file.
    version: u32,
    /// The device.
    pub tun: LinkName,
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
    pub fn new(tun: LinkName, intents: Vec<Intent>, addresses: Vec<TunAddress>) -> Self {
        Self {
            version: VERSION,
            tun,
            intents,
            addresses,
        }
    }

    /// What may have to be cleaned up: of the addresses only those that the device had not before.
    pub(crate) fn intents_to_clean_up(&self) -> Vec<Intent> {
        let intents = self.intents.iter().cloned();
        intents
            .map(|intent| intent.with_addresses(self.addresses.clone()))
            .collect()
    }

    /// What it says is held.
    pub fn claim(&self) -> Claim {
        Claim::of(self.tun, &self.intents)
    }
}
