//! What a host serves on one of its links: leases, and router advertisements.

use std::sync::Arc;

use fps_netlink::{IfIndex, LinkName};

use super::advertise::{self, Advertiser};
use super::dhcp::{self, DhcpServer};
use super::host::Service;
use super::{Host, LabError};
use crate::sandbox::{HostId, Sandbox};
use crate::scenario::{self, HostName};

/// See the module. What they know stays when their link is deleted; their sockets are bound to it, and
/// go with it.
#[derive(Debug, Default)]
pub(super) struct LinkServers {
    pub(super) dhcp: Option<Arc<DhcpServer>>,
    pub(super) advertiser: Option<Arc<Advertiser>>,
    tasks: Vec<Service>,
}

impl LinkServers {
    /// Those that the file gives a link, by its name there; they answer nobody yet.
    pub(super) fn new(plan: &scenario::Host, link: &LinkName) -> Self {
        let dhcp = plan.dhcp_servers.get(link);
        let says = plan.advertisements.get(link);
        Self {
            dhcp: dhcp.map(|plan| Arc::new(DhcpServer::new(plan))),
            advertiser: says.map(|says| Arc::new(Advertiser::new(says))),
            tasks: Vec::new(),
        }
    }

    /// Has them answer on a link.
    pub(super) fn start(
        &mut self,
        sandbox: &Sandbox,
        (name, host): (&HostName, HostId),
        (link, index): (&LinkName, IfIndex),
    ) -> Result<(), LabError> {
        self.stop();
        if let Some(server) = &self.dhcp {
            let task = dhcp::serve(sandbox, name, host, link, Arc::clone(server))?;
            self.tasks.push(task);
        }
        if let Some(advertiser) = &self.advertiser {
            let advertiser = Arc::clone(advertiser);
            let task = advertise::serve(sandbox, name, host, (link, index), advertiser)?;
            self.tasks.push(task);
        }
        Ok(())
    }

    /// Has them answer nobody.
    pub(super) fn stop(&mut self) {
        self.tasks.clear();
    }
}

impl Host {
    /// What advertises on a link, if anything does.
    pub fn advertiser(&self, link: &LinkName) -> Option<&Advertiser> {
        self.links.get(link)?.servers.advertiser.as_deref()
    }

    /// The host's DHCP server on a link, if it has one.
    pub fn dhcp_server(&self, link: &LinkName) -> Option<&DhcpServer> {
        self.links.get(link)?.servers.dhcp.as_deref()
    }
}
