//! The tunnel under test.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use fps_netlink::{Fwmark, LinkName};
use indexmap::IndexMap;

use super::{HostName, Ready};

/// The tunnel under test: a client and a server on two hosts, and what belongs to them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tunnel {
    /// Where `client` runs.
    pub client: HostName,
    /// Where `server` runs.
    pub server: HostName,
    /// The address at which the client finds the server.
    pub endpoint: IpAddr,
    /// The client's TUN device.
    pub client_tun: LinkName,
    /// The server's TUN device.
    pub server_tun: LinkName,
    /// Whether the programs run before the first step, or steps start them.
    pub autostart: bool,
    /// Which VPN it is.
    pub vpn: Vpn,
}

/// Which VPN makes the tunnel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Vpn {
    /// FPS, which the lab configures.
    Fps(Fps),
    /// Another one, which the file configures.
    Foreign(Foreign),
}

/// What FPS is to do: four programs on up to three hosts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fps {
    /// Where `origin` runs.
    pub origin: HostName,
    /// The address at which the server finds the origin.
    pub origin_address: IpAddr,
    /// The mark on the client's and server's own sockets.
    pub fwmark: Option<Fwmark>,
    /// How long the client leaves a connection of the application alone.
    pub upgrade_delay: Duration,
    /// Other programs in place of ours. `{config}` stands for the configuration's path.
    pub commands: IndexMap<TunnelRole, Vec<String>>,
}

/// Another VPN: a server and a client, and nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Foreign {
    /// How its packets travel.
    pub outer: Outer,
    /// Its server.
    pub server: VpnProgram,
    /// Its client.
    pub client: VpnProgram,
}

/// A program of another VPN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VpnProgram {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// What shows that it is ready.
    pub ready: Ready,
}

/// The protocol above IP by which a tunnel's packets travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OuterProtocol {
    /// In connections.
    Tcp,
    /// In datagrams.
    Udp,
}

/// The protocol and port of a server's endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outer {
    /// The protocol.
    pub protocol: OuterProtocol,
    /// The port on which the server listens.
    pub port: u16,
}

impl Outer {
    /// FPS: its server listens on port 7443.
    pub const FPS: Self = Self {
        protocol: OuterProtocol::Tcp,
        port: 7443,
    };
}

impl Tunnel {
    /// How its packets travel.
    pub fn outer(&self) -> Outer {
        match &self.vpn {
            Vpn::Fps(_) => Outer::FPS,
            Vpn::Foreign(foreign) => foreign.outer,
        }
    }

    /// The mark of its own sockets; how another VPN marks them is in its own configuration.
    pub fn mark(&self) -> Option<Fwmark> {
        match &self.vpn {
            Vpn::Fps(fps) => fps.fwmark,
            Vpn::Foreign(_) => None,
        }
    }

    /// Its programs, in the order in which they start.
    pub fn roles(&self) -> &'static [TunnelRole] {
        match self.vpn {
            Vpn::Fps(_) => &TunnelRole::ALL,
            Vpn::Foreign(_) => &TunnelRole::ENDS,
        }
    }
}

/// One of the tunnel's programs; steps name it in lower case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TunnelRole {
    /// `fps_carrier origin`.
    Origin,
    /// `fps_server`, or another VPN's server.
    Server,
    /// `fps_client`, or another VPN's client.
    Client,
    /// `fps_carrier client`, the application.
    Carrier,
}

impl TunnelRole {
    /// All, in the order in which they start.
    pub const ALL: [Self; 4] = [Self::Origin, Self::Server, Self::Client, Self::Carrier];
    /// Those that every VPN has.
    pub const ENDS: [Self; 2] = [Self::Server, Self::Client];

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
