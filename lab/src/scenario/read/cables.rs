//! Which links hosts have: at first the file's, later as acts delete, make and rename them.

use fps_netlink::LinkName;

use super::Plug;
use crate::scenario::model::{HostName, NetName};

/// A link of the file, as it stands at one moment.
#[derive(Clone, Debug)]
pub(crate) struct Cable {
    pub(crate) host: HostName,
    /// What the file calls it.
    first: LinkName,
    /// What it is called now.
    pub(crate) name: LinkName,
    /// The net that it is in; none where the file is wrong about it.
    pub(crate) net: Option<NetName>,
    /// The addresses that it comes back with, where an act has deleted it.
    deleted: Option<Vec<Plug>>,
}

/// All links at one moment of a scenario.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cables(Vec<Cable>);

impl Cables {
    /// Adds a link of the file.
    pub(crate) fn add(&mut self, host: &HostName, name: LinkName, net: Option<NetName>) {
        self.0.push(Cable {
            host: host.clone(),
            first: name,
            name,
            net,
            deleted: None,
        });
    }

    /// The links that a host has.
    pub(crate) fn of(&self, host: &HostName) -> impl Iterator<Item = &Cable> {
        self.0
            .iter()
            .filter(move |cable| cable.host == *host && cable.deleted.is_none())
    }

    /// Whether a host had a link of this name that an act has deleted.
    pub(crate) fn is_deleted(&self, host: &HostName, name: &str) -> bool {
        let mut gone = self.0.iter().filter(|cable| cable.deleted.is_some());
        gone.any(|cable| cable.host == *host && cable.name.as_str() == name)
    }

    /// What the file calls a link.
    pub(crate) fn first_name(&self, host: &HostName, name: &LinkName) -> Option<LinkName> {
        let mut cables = self.of(host);
        Some(cables.find(|cable| cable.name == *name)?.first)
    }

    /// The net that a link is in.
    pub(crate) fn net(&self, host: &HostName, name: &LinkName) -> Option<&NetName> {
        let mut cables = self.of(host);
        cables.find(|cable| cable.name == *name)?.net.as_ref()
    }

    /// Plugs a link into another net.
    pub(crate) fn plug(&mut self, host: &HostName, name: &LinkName, net: Option<NetName>) {
        if let Some(cable) = self.find(host, name) {
            cable.net = net;
        }
    }

    /// Deletes a link, with the addresses that it has.
    pub(crate) fn delete(&mut self, host: &HostName, name: &LinkName, plugs: Vec<Plug>) {
        if let Some(cable) = self.find(host, name) {
            cable.deleted = Some(plugs);
        }
    }

    /// Makes a link again that was deleted; gives the addresses that it had.
    pub(crate) fn restore(&mut self, host: &HostName, name: &LinkName) -> Vec<Plug> {
        let plugs = self.find(host, name).and_then(|it| it.deleted.take());
        plugs.unwrap_or_default()
    }

    /// Gives a link another name.
    pub(crate) fn rename(&mut self, host: &HostName, name: &LinkName, new: LinkName) {
        if let Some(cable) = self.find(host, name) {
            cable.name = new;
        }
    }

    fn find(&mut self, host: &HostName, name: &LinkName) -> Option<&mut Cable> {
        let mut all = self.0.iter_mut();
        all.find(|cable| cable.host == *host && cable.name == *name)
    }
}
