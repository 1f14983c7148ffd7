//! What is asked of a held lab, and what it answers: one datagram of JSON each, with descriptors
//! beside it.

use std::ffi::OsString;
use std::net::IpAddr;
use std::path::PathBuf;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

/// A question.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Request {
    /// Answered by [`Reply::Look`].
    Look,
    /// Comes with stdin, stdout and stderr. Answered by [`Reply::Started`], and by [`Reply::Ended`]
    /// when it has.
    Start(Order),
    /// For the program that this connection has started.
    Signal(i32),
    /// Answered by [`Reply::Tap`] with a packet socket, which hears nothing until it is bound.
    Tap { host: String, link: String },
    /// The play goes on. Answered by [`Reply::Done`].
    Resume,
    /// The lab ends. Answered by [`Reply::Ending`]; the connection closes when nothing of it is left.
    Down,
}

/// An answer.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Reply {
    Look(Box<Look>),
    Started,
    /// With the wait status (wait(2)).
    Ended(i32),
    Tap(Tap),
    Done,
    /// Whether the process that holds the lab ends with it.
    Ending {
        process: bool,
    },
    Refused {
        message: String,
        errno: Option<i32>,
    },
}

/// A program that is to run in a host.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Order {
    /// The host.
    pub host: String,
    /// The program and its arguments.
    pub command: Vec<OsString>,
    /// Its environment; PATH and the lab's own variables are the lab's affair.
    pub environment: Vec<(OsString, OsString)>,
    /// Where it is to start, if there is such a folder in the host.
    pub folder: Option<OsString>,
    /// Whether its stdin is a terminal that is to be its own.
    pub terminal: bool,
}

/// A link of which the packets are wanted.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Tap {
    /// Its index in its namespace.
    pub index: u32,
}

/// What there is to see of a held lab.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Look {
    /// Its name.
    pub lab: String,
    /// The scenario's title.
    pub title: String,
    /// The scenario's file.
    pub file: PathBuf,
    /// Whether it is held.
    pub state: Phase,
    /// Where the play stands, in words.
    pub at: String,
    /// When it came up, in UTC (RFC 3339).
    pub since: String,
    /// The process that holds it.
    pub pid: u32,
    /// Where its logs are.
    pub logs: PathBuf,
    /// The scenario's tunnel; none where it has none.
    pub tunnel: Option<TunnelLook>,
    /// Its hosts, in the file's order.
    pub hosts: Vec<HostLook>,
    /// The programs that run in its hosts.
    pub programs: Vec<ProgramLook>,
}

/// What a lab is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// It is being built.
    Building,
    /// A scenario plays in it.
    Playing,
    /// It stands until somebody ends it.
    Held,
    /// A play has stopped at a failure, and waits.
    Paused,
    /// Its sandbox has ended, from outside: its links are there as long as the lab is held, but nothing
    /// can be started in it.
    Lost,
}

/// A host, as it is now.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HostLook {
    /// Its name.
    pub name: String,
    /// Its links, but for the loopback device.
    pub links: Vec<LinkLook>,
}

/// A link, as it is now.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LinkLook {
    /// Its name.
    pub name: String,
    /// The net that the scenario plugs it into; none of a device that the scenario does not know.
    pub net: Option<String>,
    /// Whether it is up and has a carrier.
    pub up: bool,
    /// Its addresses, without those that each link gives itself (`fe80::/10`).
    pub addresses: Vec<IpNet>,
}

/// The scenario's tunnel, as it is now.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TunnelLook {
    /// Whether both ends have their device, and FPS a carrier.
    pub state: TunnelState,
    /// The client's end.
    pub client: TunnelEnd,
    /// The server's end.
    pub server: TunnelEnd,
    /// How many carriers the client has, where it is FPS and tells.
    pub carriers: Option<u64>,
}

/// Whether a tunnel carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TunnelState {
    /// It can carry.
    Up,
    /// It cannot.
    Down,
}

/// One end of a tunnel.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TunnelEnd {
    /// The host.
    pub host: String,
    /// The device.
    pub device: String,
    /// Whether the device is there and up.
    pub up: bool,
}

/// A program that runs in a host.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ProgramLook {
    /// The host in whose network it is; none where it is in a network of its own.
    pub host: Option<String>,
    /// Its number in the lab, as the programs of the lab see it.
    pub pid: i32,
    /// Its number outside, for debuggers.
    pub outer_pid: i32,
    /// What the scenario calls it, if it does.
    pub name: Option<String>,
    /// Its command line.
    pub command: String,
}

/// Whether it is an address that each link gives itself.
pub(super) fn is_link_local(address: &IpNet) -> bool {
    matches!(address.addr(), IpAddr::V6(address) if address.is_unicast_link_local())
}
