//! What the runner asks of the helper, and what it answers.
//!
//! One request, one reply, each one datagram of JSON; descriptors travel beside it.

use std::ffi::OsString;
use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::scenario::Sender;

/// The descriptor on which the helper finds its control socket.
pub(super) const CONTROL_DESCRIPTOR: i32 = 3;

/// The name under which an `fps-lab` program is the helper.
pub const HELPER_NAME: &str = "fps-lab-sandbox";

/// Where a host finds the programs that the lab brings along; first in every program's PATH.
pub const PROGRAMS: &str = "/run/fps-lab/bin";

/// Where a host finds the machine's programs; in the last folder those that `ci/` has built.
pub const PATH: &str =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/var/lib/fps-lab/bin";

/// What this was built from: a hash of the sources of the lab and of its programs (`build.rs`). Requests
/// have no versions of their own, so who asks and who answers must be of one build.
pub(super) const BUILD: &str = env!("FPS_LAB_BUILD");

/// A request.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Request {
    /// Answered by [`Reply::Host`] with its network namespace and a netlink socket.
    CreateHost(HostSpec),
    /// Answered with the socket.
    Socket {
        host: HostId,
        kind: SocketKind,
        sender: Sender,
    },
    /// One in the switch's network namespace. Answered with the socket.
    SwitchSocket(SocketKind),
    Sysctl {
        host: HostId,
        key: String,
        value: String,
    },
    WriteFile {
        host: HostId,
        file: FileSpec,
    },
    /// Answered with the file, open for reading, or by [`Reply::Absent`].
    Open {
        host: HostId,
        path: String,
    },
    /// Answered by [`Reply::Link`].
    LinkTarget {
        host: HostId,
        path: String,
    },
    /// Answered with a file: a JSON list of paths below /proc/sys and values.
    Sysctls {
        host: HostId,
    },
    /// Comes with stdin, stdout, stderr and a pipe to which the wait status is written.
    /// Answered by [`Reply::Process`].
    Spawn(SpawnSpec),
    /// Makes each host's network namespace known to ip-netns(8) in all hosts.
    NameNamespaces,
    /// Sent to the process and its group, if it has not been reaped yet.
    Signal {
        pid: i32,
        signal: i32,
    },
}

/// An answer.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Reply {
    /// The sandbox stands: the first answer, which nobody has asked for. Comes with a netlink socket of
    /// the switch.
    Ready {
        /// What the helper was built from: see [`BUILD`].
        build: String,
    },
    Done,
    /// There is no such file.
    Absent,
    /// Where a symbolic link leads; none where it is something else.
    Link(Option<String>),
    Host(HostId),
    Process(i32),
    Failed(Failure),
}

/// The step that failed.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Failure {
    pub(super) step: String,
    pub(super) errno: Option<i32>,
}

/// A host of this sandbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct HostId(pub(super) usize);

/// A host to create.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HostSpec {
    /// Its host name.
    pub name: String,
    /// Whether it forwards between its links.
    pub forward: bool,
    /// Files of its own in /etc and /run.
    pub files: Vec<FileSpec>,
    /// A folder that is laid over its /usr.
    pub usr: Option<String>,
    /// Symbolic links: path and target.
    pub links: Vec<(String, String)>,
    /// Programs found in its PATH before the machine's: name and target.
    pub programs: Vec<(String, String)>,
    /// Its control groups, if it is to have any.
    pub groups: Option<GroupsSpec>,
}

/// The control groups of a host.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GroupsSpec {
    /// The path of the group that holds those of all hosts.
    pub under: String,
    /// The names of the groups in the host.
    pub names: Vec<String>,
}

/// A file that only one host sees.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FileSpec {
    /// Its absolute path, below /etc or /run.
    pub path: String,
    /// What it holds.
    pub content: String,
    /// Its permissions.
    pub mode: u32,
}

impl FileSpec {
    /// A file that all may read.
    pub fn new(path: impl Into<String>, content: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            content: content.into(),
            mode: 0o644,
        }
    }

    /// A file that only root may read.
    pub fn secret(path: impl Into<String>, content: impl Into<String>) -> Self {
        Self {
            mode: 0o600,
            ..Self::new(path, content)
        }
    }
}

/// A program to start.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct SpawnSpec {
    pub(super) host: HostId,
    pub(super) command: Vec<OsString>,
    pub(super) environment: Vec<(OsString, OsString)>,
    /// Where it starts, if there is such a folder in the host.
    pub(super) folder: Option<OsString>,
    /// Whether its stdin is a terminal that is to be its own: of a session that it leads.
    pub(super) terminal: bool,
    /// How many files it may have open.
    pub(super) open_files: u64,
}

/// A socket that the lab needs inside a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SocketKind {
    /// NETLINK_ROUTE.
    Route,
    /// NETLINK_NETFILTER.
    Netfilter,
    /// NETLINK_SOCK_DIAG.
    SockDiag,
    /// AF_PACKET, cooked, of no protocol yet.
    Packet,
    /// AF_PACKET, with Ethernet headers, of no protocol yet.
    Frames,
    /// Raw ICMP.
    IcmpV4,
    /// Raw ICMPv6.
    IcmpV6,
    /// TCP over IPv4.
    TcpV4,
    /// TCP over IPv6.
    TcpV6,
    /// UDP over IPv4.
    UdpV4,
    /// UDP over IPv6.
    UdpV6,
}

impl SocketKind {
    /// A TCP socket for an address.
    pub fn tcp(to: IpAddr) -> Self {
        match to {
            IpAddr::V4(_) => Self::TcpV4,
            IpAddr::V6(_) => Self::TcpV6,
        }
    }

    /// A UDP socket for an address.
    pub fn udp(to: IpAddr) -> Self {
        match to {
            IpAddr::V4(_) => Self::UdpV4,
            IpAddr::V6(_) => Self::UdpV6,
        }
    }
}

impl fmt::Display for SocketKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Route => "route netlink",
            Self::Netfilter => "netfilter netlink",
            Self::SockDiag => "socket diagnosis netlink",
            Self::Packet => "packet",
            Self::Frames => "frame",
            Self::IcmpV4 => "raw ICMP",
            Self::IcmpV6 => "raw ICMPv6",
            Self::TcpV4 | Self::TcpV6 => "TCP",
            Self::UdpV4 | Self::UdpV6 => "UDP",
        })
    }
}
