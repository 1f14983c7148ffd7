//! A lab that stands: hosts, links and segments, as the scenario says.
//!
//! - [`Lab`]: build one, and change its links
//! - [`Host`]: a host's sockets and links
//! - `files`: what a host finds in /etc
//! - `echo`: what answers on a host's ports; `web`: what answers HTTP and HTTPS on them
//! - [`NameServer`]: its DNS server, and what that was asked
//! - [`Advertiser`]: a router's advertisements; `ra`: the links that listen to them
//! - [`DhcpServer`], [`DhcpClient`]: who gives addresses on a link, and who asks for one
//! - `link_servers`: what a host serves on one link, for as long as that is there

mod advertise;
mod build;
mod dhcp;
mod echo;
mod error;
pub(crate) mod files;
mod host;
mod impair;
mod link_servers;
mod links;
mod name_server;
mod packet_info;
mod ra;
mod resolved;
mod web;

use std::sync::{Arc, OnceLock, Weak};

use fps_netns::{Segment, Switch};
use indexmap::IndexMap;

pub use advertise::Advertiser;
pub use build::Site;
pub use dhcp::{DhcpClient, DhcpError, DhcpServer, Held, Lease};
pub use error::LabError;
pub use host::{Host, LiveLink};
pub use name_server::{LogEntry, NameServer};
pub(crate) use resolved::{Place as ResolvedPlace, find as find_resolved};

use crate::authority::Authority;
use crate::probe::Trust;
use crate::sandbox::Sandbox;
use crate::scenario::{HostName, NetName, ProbeProtocol};

/// A lab. Dropping it ends every program and namespace in it.
#[derive(Debug)]
pub struct Lab {
    sandbox: Arc<Sandbox>,
    switch: Switch,
    segments: IndexMap<NetName, Segment>,
    hosts: IndexMap<HostName, Host>,
    /// How many ports there have been, by which they are named.
    ports: usize,
    /// The CA of the play, once something has asked for it.
    authority: OnceLock<Authority>,
}

impl Lab {
    /// The process that owns the lab's namespaces.
    pub fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    /// The CA of the play, which is made when it is first asked for.
    pub(crate) fn authority(&self) -> Result<&Authority, rcgen::Error> {
        if let Some(authority) = self.authority.get() {
            return Ok(authority);
        }
        let made = Authority::make()?;
        Ok(self.authority.get_or_init(|| made))
    }

    /// Whom a probe has to trust: the CA of the play, where it asks by HTTPS.
    pub(crate) fn trust(&self, protocol: &ProbeProtocol) -> Result<Option<Trust>, LabError> {
        if !protocol.is_encrypted() {
            return Ok(None);
        }
        let authority = self.authority().map_err(LabError::Authority)?;
        let trust = Trust::new(authority.certificate_der());
        trust.map(Some).map_err(LabError::Trust)
    }

    /// The same for a task that may live longer than the lab. What it makes of this must not be kept
    /// across an await.
    pub fn sandbox_of_task(&self) -> Weak<Sandbox> {
        Arc::downgrade(&self.sandbox)
    }

    /// Gives up all of the lab but the process that owns its namespaces.
    ///
    /// # Panics
    /// Where a task keeps what [`Lab::sandbox_of_task`] leads to.
    pub fn into_sandbox(self) -> Sandbox {
        Arc::into_inner(self.sandbox).expect("nobody keeps it across an await")
    }

    /// The hosts, in the file's order.
    pub fn hosts(&self) -> impl Iterator<Item = (&HostName, &Host)> {
        self.hosts.iter()
    }

    /// A host of the scenario.
    ///
    /// # Panics
    /// Where the scenario has no such host, which validation excludes.
    pub fn host(&self, name: &HostName) -> &Host {
        &self.hosts[name]
    }

    fn host_mut(&mut self, name: &HostName) -> &mut Host {
        &mut self.hosts[name]
    }

    fn segment(&self, net: &NetName) -> Segment {
        self.segments[net]
    }
}
