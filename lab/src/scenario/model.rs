//! A scenario after validation: every name exists, every address has its net, every wait is
//! possible. What plays a scenario sees only these types and needs no further check.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use fps_netlink::{Fwmark, LinkName};
use indexmap::IndexMap;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// One scenario file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScenarioFile {
    /// Where it was read from.
    pub path: PathBuf,
    /// The file's stem, which names it in reports and in the run's folder.
    pub name: String,
    /// What it plays.
    pub scenario: Scenario,
    /// The ways to break it, each a whole scenario of its own.
    pub sabotages: Vec<Sabotage>,
}

/// A lab and what happens in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scenario {
    /// One line for people.
    pub title: String,
    /// The report or document that it comes from.
    pub origin: Option<String>,
    /// Programs that must be on the machine.
    pub needs: Vec<String>,
    /// The L2 segments, in the file's order.
    pub nets: IndexMap<NetName, Net>,
    /// The hosts, in the file's order.
    pub hosts: IndexMap<HostName, Host>,
    /// Programs beside the tunnel's own, in the file's order.
    pub programs: IndexMap<ProgramName, Program>,
    /// The tunnel under test.
    pub tunnel: Option<Tunnel>,
    /// Kernel state that stands before any program starts.
    pub seed: Vec<Act>,
    /// What happens, in order.
    pub steps: Vec<Step>,
}

/// A way to break a scenario, and what must then fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sabotage {
    /// Names it in reports.
    pub name: String,
    /// The scenario with the change in it.
    pub scenario: Scenario,
    /// The names of the expectations that must fail; never empty, all in `scenario`.
    pub must_fail: Vec<String>,
}

/// An L2 segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Net {
    /// Its IPv4 subnet.
    pub v4: Option<Ipv4Net>,
    /// Its IPv6 subnet.
    pub v6: Option<Ipv6Net>,
}

/// A host: a network, mount and UTS namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// Its links, in the file's order.
    pub links: IndexMap<LinkName, Link>,
    /// Routers forward between their links, IPv4 and IPv6.
    pub forward: bool,
    /// The links on which leaving packets take the link's own address (masquerade).
    pub nat: Vec<LinkName>,
    /// Static routes beside the links' own.
    pub routes: Vec<StaticRoute>,
    /// What the lab answers on this host.
    pub serve: Serve,
    /// Lines of its /etc/hosts beside those of the lab's hosts.
    pub hosts_file: Vec<HostsLine>,
}

/// One end of a veth pair whose other end is a port of a net.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The net that it is plugged into.
    pub net: NetName,
    /// Its addresses, with the net's prefix length.
    pub addresses: Vec<IpNet>,
    /// Its default gateways, at most one a family.
    pub gateways: Vec<IpAddr>,
    /// The metric of its default and connected routes.
    pub metric: Option<u32>,
}

/// A route that stands from the start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaticRoute {
    /// Its destination.
    pub to: IpNet,
    /// Its gateway.
    pub via: Option<IpAddr>,
    /// Its interface.
    pub link: Option<LinkName>,
    /// Its metric.
    pub metric: Option<u32>,
}

/// Ports on which the lab echoes what it is sent, on every address of a host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Serve {
    /// TCP ports.
    pub tcp: Vec<u16>,
    /// UDP ports.
    pub udp: Vec<u16>,
}

/// A line of /etc/hosts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostsLine {
    /// The address.
    pub address: IpAddr,
    /// The names that it answers to.
    pub names: Vec<String>,
}

/// A program that steps start and stop by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Where it runs.
    pub on: HostName,
    /// The program and its arguments.
    pub command: Vec<String>,
    /// What shows that it is ready.
    pub ready: Ready,
}

/// What shows that a program is ready, with how long it may take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ready {
    /// The event.
    pub when: ReadyWhen,
    /// The deadline.
    pub within: Duration,
}

/// An event that shows that a program is ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReadyWhen {
    /// It runs: the exec succeeded.
    Started,
    /// A line of its output holds this text.
    Output(String),
}

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

/// Acts, done in order, and what must then hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Names it in reports and sabotages; `step N` where the file gives none.
    pub name: String,
    /// What is done.
    pub acts: Vec<Act>,
    /// What is checked, in order.
    pub expect: Vec<Expectation>,
}

/// One thing done to the lab.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Starts programs and waits until they are ready.
    Start(ProgramRef),
    /// Ends programs with SIGTERM, after a grace period with SIGKILL.
    Stop(ProgramRef),
    /// Ends programs with SIGKILL.
    Kill(ProgramRef),
    /// Runs a command to its end.
    Run(Run),
    /// Calls the route engine.
    Routes(Routes),
    /// Changes a link's state.
    Link(LinkChange),
    /// Unplugs a link, plugs it into another net and configures it there.
    Roam(Roam),
    /// Writes a sysctl.
    Sysctl(Sysctl),
    /// Adds or deletes a route.
    Route(RouteChange),
}

/// The programs that a step starts or ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProgramRef {
    /// One of the tunnel's.
    Role(TunnelRole),
    /// All four of the tunnel's.
    Tunnel,
    /// One of `[program]`.
    Named(ProgramName),
}

/// A command that runs to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Where it runs.
    pub on: HostName,
    /// The program and its arguments.
    pub command: Vec<String>,
    /// The exit code that it must have.
    pub exit: i32,
    /// How long it may take.
    pub within: Duration,
}

/// A call of the route engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Routes {
    /// Where it runs.
    pub on: HostName,
    /// Its verb.
    pub action: RoutesAction,
    /// `--tun`.
    pub tun: LinkName,
    /// `--tun-address`, once for each.
    pub tun_addresses: Vec<IpNet>,
    /// `--mtu`.
    pub mtu: Option<u32>,
    /// `--route`, once for each.
    pub routes: Vec<IpNet>,
    /// `--down`.
    pub down: bool,
}

/// The route engine's verbs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoutesAction {
    /// Carry the plan out.
    Apply,
    /// Undo it.
    Cleanup,
}

/// A change of a link's state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkChange {
    /// The host.
    pub on: HostName,
    /// The link: one of the file's, or a TUN device.
    pub link: LinkName,
    /// The new state.
    pub state: LinkState,
}

/// A link's state, as a person would set it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkState {
    /// `ip link set up`, with the file's addresses and routes restored.
    Up,
    /// `ip link set down`.
    Down,
    /// The cable back in.
    Plugged,
    /// The cable out: the carrier is lost, the link stays up.
    Unplugged,
}

/// A link that moves to another net.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roam {
    /// The host.
    pub on: HostName,
    /// The link, which must be one of the file's.
    pub link: LinkName,
    /// Where it goes and how it is configured there.
    pub to: Link,
}

/// A sysctl to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sysctl {
    /// The host.
    pub on: HostName,
    /// The key, dotted or with slashes, always below `net`.
    pub key: String,
    /// The value.
    pub value: String,
}

/// A route that comes or goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteChange {
    /// The host.
    pub on: HostName,
    /// Whether it comes or goes.
    pub action: RouteAction,
    /// The route.
    pub route: StaticRoute,
}

/// Whether a route comes or goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RouteAction {
    /// `ip route add`.
    Add,
    /// `ip route del`.
    Delete,
}

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
    /// No packet is seen.
    Silent(Silent),
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
}

/// No packet that matches is seen on a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Silent {
    /// The host.
    pub on: HostName,
    /// Its link: one of the file's, or a TUN device.
    pub link: LinkName,
    /// Only packets to or from these addresses count; all where empty.
    pub peers: Vec<IpAddr>,
    /// For how long none may be seen.
    pub hold: Duration,
}

/// When an expectation must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// It becomes true before the deadline.
    Within(Duration),
    /// It is true all the time.
    For(Duration),
}

/// A question that only the target can answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// Who asks.
    pub from: HostName,
    /// The host that must answer, where the target is one of the lab's.
    pub to: Option<HostName>,
    /// The address that is asked.
    pub address: IpAddr,
    /// How it is asked.
    pub protocol: ProbeProtocol,
}

/// How a probe asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProbeProtocol {
    /// ICMP or ICMPv6 echo.
    Icmp,
    /// A TCP connection to this port, and an echo over it.
    Tcp(u16),
    /// A UDP datagram to this port, and its echo.
    Udp(u16),
}

impl fmt::Display for ProbeProtocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Icmp => f.write_str("icmp"),
            Self::Tcp(port) => write!(f, "tcp {port}"),
            Self::Udp(port) => write!(f, "udp {port}"),
        }
    }
}

macro_rules! name {
    ($(#[$doc:meta])* $type:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $type(String);

        impl $type {
            /// Wraps a name that validation has accepted.
            pub(crate) fn new(name: impl Into<String>) -> Self {
                Self(name.into())
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}

name!(
    /// A host's name, which is a DNS label as well.
    HostName
);
name!(
    /// A net's name.
    NetName
);
name!(
    /// The name of a program of `[program]`.
    ProgramName
);
