//! A host of a lab.

use std::collections::HashSet;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use fps_netlink::{IfIndex, LinkName};
use fps_netns::{Configuration, Port, Station};
use indexmap::IndexMap;
use tokio::task::JoinHandle;

use super::dhcp::DhcpClient;
use super::impair::BadWire;
use super::link_servers::LinkServers;
use super::name_server::NameServer;
use crate::sandbox::HostId;
use crate::scenario;

/// A host of a lab that stands.
#[derive(Debug)]
pub struct Host {
    pub(super) id: HostId,
    pub(super) namespace: OwnedFd,
    pub(super) station: Station,
    /// The links that there are, by the names that they have now.
    pub(super) links: IndexMap<LinkName, LiveLink>,
    /// The links that an act has deleted.
    pub(super) deleted: IndexMap<LinkName, DeletedLink>,
    /// The indices of all links that there are or were.
    pub(super) plugged: HashSet<IfIndex>,
    pub(super) routes: Vec<scenario::StaticRoute>,
    pub(super) services: Vec<Service>,
    pub(super) name_server: Option<Arc<NameServer>>,
    pub(super) forward: bool,
}

/// A link of a host, plugged into a net.
#[derive(Debug)]
pub struct LiveLink {
    /// What the file calls it.
    pub(super) first: LinkName,
    pub(super) port: Port,
    pub(super) index: IfIndex,
    pub(super) now: scenario::Link,
    /// Its DHCP client, once it has had one.
    pub(super) client: Option<DhcpClient>,
    /// What the host serves on it.
    pub(super) servers: LinkServers,
    /// What carries its frames, where it is bad.
    pub(super) bad: Option<BadWire>,
    /// The MTU that it had before an act has changed it.
    pub(super) first_mtu: Option<u32>,
}

/// What is left of a link that was deleted, to make it again.
#[derive(Debug)]
pub(super) struct DeletedLink {
    /// What the file calls it.
    pub(super) first: LinkName,
    /// How it was configured.
    pub(super) plan: scenario::Link,
    /// Its hardware address. With another one, neighbours that have just learnt the old one would not
    /// believe it for a second (`locktime` of arp(7)), and no adapter changes its own.
    pub(super) station: Vec<u8>,
    /// What the host served on it.
    pub(super) servers: LinkServers,
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

    /// Its network namespace, as /proc names that of its processes: `net:[4026532008]`.
    pub(crate) fn network(&self) -> String {
        let about = nix::sys::stat::fstat(&self.namespace).expect("an open descriptor has a file");
        format!("net:[{}]", about.st_ino)
    }

    /// The host's network.
    pub fn station(&self) -> &Station {
        &self.station
    }

    /// The host's DNS server, if it has one.
    pub fn name_server(&self) -> Option<&NameServer> {
        self.name_server.as_deref()
    }

    /// The indices that links of the file have or had: one that is deleted and made again gets
    /// another.
    pub fn underlay(&self) -> &HashSet<IfIndex> {
        &self.plugged
    }

    /// One of the file's links that is there, by the name that it has now.
    ///
    /// # Panics
    /// Where there is none, which validation excludes.
    pub(crate) fn live(&self, link: &LinkName) -> &LiveLink {
        &self.links[link]
    }

    /// The file's links, as far as they are there, by the names that they have now.
    pub fn links(&self) -> impl Iterator<Item = (&LinkName, &LiveLink)> {
        self.links.iter()
    }
}

impl LiveLink {
    /// What the file calls it, whatever it is called now.
    pub(crate) fn first_name(&self) -> LinkName {
        self.first
    }

    /// The net that it is in now.
    pub(crate) fn net(&self) -> &scenario::NetName {
        &self.now.net
    }

    /// Its index, which it keeps until it is deleted.
    pub fn index(&self) -> IfIndex {
        self.index
    }

    /// Its DHCP client, if it has ever had one.
    pub fn dhcp_client(&self) -> Option<&DhcpClient> {
        self.client.as_ref()
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
