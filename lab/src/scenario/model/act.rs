//! What is done.

use std::net::IpAddr;
use std::time::Duration;

use fps_netlink::{Fwmark, Lifetimes, LinkName, Rule, RulePriority, TableId};
use ipnet::IpNet;

use super::{
    AdvertisementChange, DhcpCall, DhcpServerChange, DnsChange, FirewallChange, HostName,
    ImpairChange, Link, NftRuleset, ProgramName, StaticRoute, TunnelRole,
};

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
    /// Adds or deletes a rule.
    Rule(RuleChange),
    /// Changes a DNS server.
    Dns(DnsChange),
    /// Changes a link's addresses.
    Addr(AddressChange),
    /// Changes a firewall.
    Firewall(FirewallChange),
    /// Has a DHCP client do something before it is due.
    Dhcp(DhcpCall),
    /// Changes what a DHCP server gives.
    DhcpServer(DhcpServerChange),
    /// Loads a ruleset of nftables.
    Nft(NftRuleset),
    /// Makes a link bad, or good again.
    Impair(ImpairChange),
    /// Changes what a router advertises, and has it do so at once.
    Advertise(AdvertisementChange),
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
    /// The route engine, where it watches.
    Routes,
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
    /// `--full-tunnel`.
    pub full_tunnel: Option<FullTunnel>,
    /// `--endpoint`, once for each.
    pub endpoints: Vec<IpAddr>,
    /// What names it sets; `--no-dns` where there is none.
    pub dns: Option<RoutesDns>,
    /// The exit code that it must have.
    pub exit: i32,
}

/// What the route engine sets of names. With neither it takes away what it has set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoutesDns {
    /// `--dns`, once for each.
    pub servers: Vec<String>,
    /// `--dns-domain`, once for each.
    pub domains: Vec<String>,
    /// `--dns-backend`.
    pub backend: Option<&'static str>,
}

/// What a full tunnel leads into the TUN device, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FullTunnel {
    /// `--fwmark`: what carries this mark.
    pub fwmark: Option<Fwmark>,
    /// `--from`: what comes from this network.
    pub from: Option<IpNet>,
    /// `--except-fwmark`: all but what carries this mark.
    pub except_fwmark: Option<Fwmark>,
    /// `--table`; the route engine's own where there is none.
    pub table: Option<TableId>,
    /// `--priority`; the route engine's own where there is none.
    pub priority: Option<RulePriority>,
    /// `--bypass`, once for each: `CIDR,VIA,DEV`.
    pub bypasses: Vec<String>,
    /// `--keep-lan`.
    pub keep_lan: bool,
    /// `--lan-route`, once for each.
    pub lan_routes: Vec<IpNet>,
    /// `--dns-leak-guard`.
    pub dns_leak_guard: bool,
    /// `--auto`.
    pub auto: bool,
}

/// The route engine's verbs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoutesAction {
    /// Carry the plan out.
    Apply,
    /// Undo it.
    Cleanup,
    /// Say in what the kernel differs.
    Verify,
    /// Carry it out, and keep it true until it is told to end.
    Watch,
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
    /// `ip link del`: both its ends are gone.
    Deleted,
    /// Made again in the net that it was in, by the same name and with another index, with the file's
    /// addresses and routes restored.
    Recreated,
    /// `ip link set name`.
    Renamed(LinkName),
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

/// An address that comes or goes by hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressChange {
    /// The host.
    pub on: HostName,
    /// The link: one of the file's, or a TUN device.
    pub link: LinkName,
    /// Whether it comes or goes.
    pub action: RouteAction,
    /// The address, with the length of its subnet's prefix.
    pub address: IpNet,
    /// For how long it stands; always where that is none.
    pub lifetimes: Option<Lifetimes>,
    /// The metric of the connected route that comes with it.
    pub metric: Option<u32>,
    /// No connected route comes with it (`noprefixroute`).
    pub bare: bool,
}

/// A rule that comes or goes, as another program than the route engine sets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleChange {
    /// The host.
    pub on: HostName,
    /// Whether it comes or goes.
    pub action: RouteAction,
    /// It names no priority: it comes before all but table local's, or goes whatever its place is.
    pub in_front: bool,
    /// The rule, for each family that it is for.
    pub rules: Vec<Rule>,
}

/// Whether a route or a rule comes or goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RouteAction {
    /// `ip route add`, `ip rule add`.
    Add,
    /// `ip route del`, `ip rule del`.
    Delete,
}
