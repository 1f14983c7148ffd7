//! A host of a lab.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use fps_netlink::{IfIndex, LinkName};
use fps_netns::{Configuration, Port, Station};
use indexmap::IndexMap;
use tokio::task::JoinHandle;

use super::name_server::NameServer;
use crate::sandbox::HostId;
use crate::scenario;

/// A host of a lab that stands.
#[derive(Debug)]
pub struct Host {
    pub(super) id: HostId,
    pub(super) namespace: OwnedFd,
    pub(super) station: Station,
    pub(super) links: IndexMap<LinkName, LiveLink>,
    pub(super) routes: Vec<scenario::StaticRoute>,
    pub(super) services: Vec<Service>,
    pub(super) name_server: Option<Arc<NameServer>>,
}

/// A link of a host, plugged into a net.
#[derive(Clone, Debug)]
pub struct LiveLink {
    pub(super) port: Port,
    pub(super) index: IfIndex,
    pub(super) now: scenario::Link,
}

/// A task that answers on a port, and ends with the lab.
#[derive(Debug)]
pub(super) struct Service(pub(super) JoinHandle<()>);

impl Drop for Service {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Host {
    /// Names the host to the sandbox.
    pub fn id(&self) -> HostId {
        self.id
    }

    /// The host's network.
    pub fn station(&self) -> &Station {
        &self.station
    }

    /// The host's DNS server, if it has one.
    pub fn name_server(&self) -> Option<&NameServer> {
        self.name_server.as_deref()
    }

    /// The file's links.
    pub fn links(&self) -> impl Iterator<Item = (&LinkName, &LiveLink)> {
        self.links.iter()
    }
}

impl LiveLink {
    /// The net that it is in now.
    pub(crate) fn net(&self) -> &scenario::NetName {
        &self.now.net
    }

    /// Its index, which it keeps as long as the lab stands.
    pub fn index(&self) -> IfIndex {
        self.index
    }

    /// How the link is configured now.
    pub fn now(&self) -> &scenario::Link {
        &self.now
    }
}

/// What a link is given.
pub(super) fn configuration(link: &scenario::Link) -> Configuration {
    Configuration {
        addresses: link.addresses.clone(),
        gateways: link.gateways.clone(),
        metric: link.metric,
    }
}
