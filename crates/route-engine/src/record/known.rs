//! What is recorded, as seen from one device.

use fps_netlink::LinkName;

use super::Record;
use crate::{Error, KernelState, Ownership};

/// What is recorded, as seen from one device.
#[derive(Debug, Default)]
pub struct Known {
    /// The device's record.
    pub record: Option<Record>,
    /// Who holds what.
    pub ownership: Ownership,
    /// What could not be read: to be told, and to go on after, since what is ours then shows from the
    /// kernel alone.
    pub complaints: Vec<Error>,
}

impl Known {
    /// Forgets the addresses of a device that is not the one that there is now: what this one has,
    /// somebody else gave it.
    pub(crate) fn forget_another_device(&mut self, tun: LinkName, state: &KernelState) {
        let recorded = self.record.as_ref().and_then(Record::index);
        let now = state.link(tun).map(|link| link.index);
        if recorded.is_some() && now.is_some() && recorded != now {
            self.ownership.addresses.clear();
            if let Some(record) = &mut self.record {
                record.addresses.clear();
            }
        }
    }

    /// Follows a device that has another name now, and returns that.
    pub(crate) fn follow_device(&mut self, state: &KernelState) -> Option<LinkName> {
        let record = self.record.as_mut()?;
        let name = state.link_name(record.index()?)?;
        if name == record.tun {
            return None;
        }
        record.renamed(name);
        Some(name)
    }
}
