//! What must hold.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use fps_netlink::{Family, Fwmark, LinkName};
use serde::{Deserialize, Serialize};

use super::{
    Changes, Counter, HostName, Kernel, Log, NotAsked, Outer, Prints, Resolves, Status, Unchanged,
};

/// Something that must hold after a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// Unique in the scenario: the file's name for it, or what it says.
    pub name: String,
    /// What must hold.
    pub check: Check,
}

/// What must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Check {
    /// Probes are answered.
    Reach(Reach),
    /// No probe is answered.
    Unreachable(Unreachable),
    /// Probes are answered without a long gap while the acts are done.
    Outage(Outage),
    /// A probe takes this path.
    Path(Trace),
    /// One way is not much slower than another.
    Throughput(Throughput),
    /// No packet is seen.
    Silent(Silent),
    /// The carrier does not go into the tunnel that it carries.
    NoCarrierLoop(NoCarrierLoop),
    /// A program prints a line.
    Says(Says),
    /// A name leads to what it should.
    Resolves(Resolves),
    /// A DNS server is not asked.
    NotAsked(NotAsked),
    /// Kernel objects are there, or are not.
    Kernel(Kernel),
    /// A host's network is as it was.
    Unchanged(Unchanged),
    /// Programs change the kernel in this way, and in no other.
    Changes(Changes),
    /// A command prints this.
    Prints(Prints),
    /// The kernel counts.
    Counter(Counter),
    /// A program prints lines, or does not.
    Log(Log),
    /// An FPS program tells a status.
    Status(Status),
}

impl Check {
    /// The file's word for it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Reach(_) => "reach",
            Self::Unreachable(_) => "unreachable",
            Self::Outage(_) => "outage",
            Self::Path(_) => "path",
            Self::Throughput(_) => "throughput",
            Self::Silent(_) => "silent",
            Self::NoCarrierLoop(_) => "no-carrier-loop",
            Self::Says(_) => "says",
            Self::Resolves(_) => "resolves",
            Self::NotAsked(_) => "not-asked",
            Self::Kernel(_) => "kernel",
            Self::Unchanged(_) => "unchanged",
            Self::Changes(_) => "changes",
            Self::Prints(_) => "prints",
            Self::Counter(_) => "counter",
            Self::Log(_) => "log",
            Self::Status(_) => "status",
        }
    }

    /// The probe, where one is sent.
    pub fn probe(&self) -> Option<&Probe> {
        match self {
            Self::Reach(reach) => Some(&reach.probe),
            Self::Unreachable(unreachable) => Some(&unreachable.probe),
            Self::Outage(outage) => Some(&outage.probe),
            Self::Path(path) => Some(&path.probe),
            Self::Throughput(throughput) => Some(&throughput.probe),
            Self::Silent(_)
            | Self::NoCarrierLoop(_)
            | Self::Says(_)
            | Self::Resolves(_)
            | Self::NotAsked(_)
            | Self::Kernel(_)
            | Self::Unchanged(_)
            | Self::Changes(_)
            | Self::Prints(_)
            | Self::Counter(_)
            | Self::Log(_)
            | Self::Status(_) => None,
        }
    }
}

/// Probes are answered, and leave by the link named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reach {
    /// What is sent where.
    pub probe: Probe,
    /// The only link of the sender by which the probes may leave.
    pub via: Option<LinkName>,
    /// When it must hold.
    pub when: When,
}

/// No probe is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreachable {
    /// What is sent where.
    pub probe: Probe,
    /// For how long no answer may come.
    pub hold: Duration,
    /// How it may be so; any way where empty.
    pub how: Vec<How>,
}

/// In which way a target is out of reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// The target itself said no.
    Refused,
    /// Somebody on the way said that it is not allowed, or the question was lost on the way.
    Filtered,
    /// There is no route, or nobody at its end: no question left the sender, or a router said so.
    Unrouted,
}

impl fmt::Display for How {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Refused => "refused",
            Self::Filtered => "filtered",
            Self::Unrouted => "unrouted",
        })
    }
}

/// From before the first act of a step until after the last, answers to probes are never further apart
/// than this.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outage {
    /// What is sent where, every few milliseconds.
    pub probe: Probe,
    /// The longest gap between two answers.
    pub at_most: Duration,
    /// For how long after the acts it is watched at least.
    pub hold: Duration,
}

/// A probe is answered, and its question is seen on these links and no others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// What is sent where.
    pub probe: Probe,
    /// The link by which it leaves its sender, then those by which it comes in at each further host.
    /// The links by which the hosts between pass it on may stand there too.
    pub hops: Vec<TraceHop>,
    /// The deadline.
    pub within: Duration,
}

/// A link of a host that a packet passes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceHop {
    /// The host.
    pub host: HostName,
    /// Its link: one of the file's, or a TUN device.
    pub link: LinkName,
}

impl fmt::Display for TraceHop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.link)
    }
}

/// What comes over one TCP connection in a time is at least a part of what comes over another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Throughput {
    /// The connection that is measured: its target sends.
    pub probe: Probe,
    /// The one that it is compared with.
    pub of: Probe,
    /// The part, in thousandths.
    pub at_least: u32,
    /// For how long each of them is measured, all turns together.
    pub hold: Duration,
}

/// No packet that matches is seen on a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Silent {
    /// The host.
    pub on: HostName,
    /// Its link: one of the file's, or a TUN device.
    pub link: LinkName,
    /// Only packets to or from these addresses count; all where empty.
    pub peers: Vec<Target>,
    /// Only packets that go this way count; all where there is none.
    pub direction: Option<Direction>,
    /// For how long none may be seen.
    pub hold: Duration,
}

/// Which way packets pass a link, as its host sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// They come in.
    In,
    /// They leave.
    Out,
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::In => "in",
            Self::Out => "out",
        })
    }
}

/// No packet to the carrier's far end passes a TUN device of a host, and no connection there has a
/// route that leads into one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoCarrierLoop {
    /// The tunnel's client.
    pub on: HostName,
    /// The carrier's far end.
    pub endpoint: IpAddr,
    /// How the tunnel's packets travel there.
    pub outer: Outer,
    /// For how long it must be so.
    pub hold: Duration,
}

/// A line of a program's output holds a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Says {
    /// The program's name, as steps have it.
    pub who: String,
    /// The text.
    pub text: String,
    /// The deadline.
    pub within: Duration,
}

/// When an expectation must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// It becomes true before the deadline.
    Within(Duration),
    /// It is true all the time.
    For(Duration),
}

/// An address as far as a file tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// The file names it.
    Fixed(IpAddr),
    /// What a link has been given, which shows only when it is asked.
    Given(Given),
}

/// The address of a link that gets its addresses from somebody else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// The host.
    pub host: HostName,
    /// Its link.
    pub link: LinkName,
    /// Which of its addresses.
    pub family: Family,
}

impl fmt::Display for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let family = match self.family {
            Family::V4 => "IPv4",
            Family::V6 => "IPv6",
        };
        write!(f, "{}:{} ({family})", self.host, self.link)
    }
}

/// A question that only the target can answer. `To` is an address once it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe<To = Target> {
    /// Who asks.
    pub from: HostName,
    /// The host that must answer, where the target is one of the lab's.
    pub to: Option<HostName>,
    /// The address that is asked.
    pub address: To,
    /// How it is asked.
    pub protocol: ProbeProtocol,
    /// What is special about the socket that asks.
    pub sender: Sender,
    /// What it carries.
    pub load: Load,
}

/// What a question carries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// The bytes of its payload, if they are more than it needs.
    pub size: Option<usize>,
    /// Whether it must not be taken apart on the way: IPv4 with DF (RFC 791), and the sender does not
    /// make fragments of it either.
    pub whole: bool,
    /// A transfer instead of a short question.
    pub bulk: Option<Bulk>,
}

/// Bytes that go over one TCP connection, checked by their SHA-256 at the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bulk {
    /// To the target.
    pub up: u64,
    /// From the target.
    pub down: u64,
}

impl fmt::Display for Bulk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.up, self.down) {
            (up, down) if up == down => write!(f, "{up} bytes both ways"),
            (0, down) => write!(f, "{down} bytes down"),
            (up, 0) => write!(f, "{up} bytes up"),
            (up, down) => write!(f, "{up} bytes up, {down} down"),
        }
    }
}

impl<To> Probe<To> {
    /// The same question for an address.
    pub fn at<Other>(&self, address: Other) -> Probe<Other> {
        Probe {
            from: self.from.clone(),
            to: self.to.clone(),
            address,
            protocol: self.protocol.clone(),
            load: self.load,
            sender: self.sender.clone(),
        }
    }
}

/// What is special about a socket.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sender {
    /// The address that it is bound to, if the routes do not choose it.
    pub source: Option<IpAddr>,
    /// Its mark (SO_MARK).
    pub mark: Option<Fwmark>,
    /// Whose it is, if not root's: what nftables calls `meta skuid`.
    pub uid: Option<u32>,
    /// The control group of the host that it belongs to.
    pub cgroup: Option<String>,
}

/// How a probe asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProbeProtocol {
    /// ICMP or ICMPv6 echo.
    Icmp,
    /// A TCP connection to this port, and an echo over it.
    Tcp(u16),
    /// A UDP datagram to this port, and its echo.
    Udp(u16),
    /// A GET of HTTP/1.1 over a TCP connection.
    Web(Box<Get>),
}

/// A GET (RFC 9110, 9.3.1), and what it must be answered with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Get {
    /// Whether it is asked over TLS.
    pub tls: bool,
    /// The target's port.
    pub port: u16,
    /// What is asked for, with the slash in front.
    pub path: String,
    /// The name or address of the server, in the header Host and, over TLS, in the SNI, which its
    /// certificate has to be for.
    pub name: String,
    /// The status that it must have.
    pub status: u16,
}

impl ProbeProtocol {
    /// Whether a capture cannot see what the question says.
    pub fn is_encrypted(&self) -> bool {
        matches!(self, Self::Web(get) if get.tls)
    }
}

impl fmt::Display for Get {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "https" } else { "http" };
        write!(f, "{scheme} {}", self.port)
    }
}

impl fmt::Display for ProbeProtocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Icmp => f.write_str("icmp"),
            Self::Tcp(port) => write!(f, "tcp {port}"),
            Self::Udp(port) => write!(f, "udp {port}"),
            Self::Web(get) => get.fmt(f),
        }
    }
}
