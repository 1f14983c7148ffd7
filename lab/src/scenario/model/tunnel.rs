//! The tunnel under test.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use fps_netlink::{Fwmark, LinkName};
use indexmap::IndexMap;

use super::HostName;

/// The tunnel under test: four programs on up to three hosts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tunnel {
    /// Where `client` and `carrier` run.
    pub client: HostName,
    /// Where `server` runs.
    pub server: HostName,
    /// Where `origin` runs.
    pub origin: HostName,
    /// The address at which the client finds the server.
    pub endpoint: IpAddr,
    /// The address at which the server finds the origin.
    pub origin_address: IpAddr,
    /// The client's TUN device.
    pub client_tun: LinkName,
    /// The server's TUN device.
    pub server_tun: LinkName,
    /// The mark on the client's and server's own sockets.
    pub fwmark: Option<Fwmark>,
    /// How long the client leaves a connection of the application alone.
    pub upgrade_delay: Duration,
    /// Whether the programs run before the first step, or steps start them.
    pub autostart: bool,
    /// Other programs in place of ours. `{config}` stands for the configuration's path.
    pub commands: IndexMap<TunnelRole, Vec<String>>,
}

/// One of the tunnel's programs; steps name it in lower case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TunnelRole {
    /// `fps_carrier origin`.
    Origin,
    /// `fps_server`.
    Server,
    /// `fps_client`.
    Client,
    /// `fps_carrier client`, the application.
    Carrier,
}

impl TunnelRole {
    /// All, in the order in which they start.
    pub const ALL: [Self; 4] = [Self::Origin, Self::Server, Self::Client, Self::Carrier];

    /// The name that steps use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Origin => "origin",
            Self::Server => "server",
            Self::Client => "client",
            Self::Carrier => "carrier",
        }
    }
}

impl fmt::Display for TunnelRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
