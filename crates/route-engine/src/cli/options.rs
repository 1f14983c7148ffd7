//! The options of the command, and the intent that they make.

use std::fs;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use fps_netlink::{Fwmark, LinkName, RulePriority, TableId};

use crate::{
    Bypass, Destination, Dns, DnsDomain, DnsServer, Endpoint, Error, FullTunnel, Intent,
    InvalidIntent, KeepLan, Mtu, Numbering, ResolverKind, Selector, TunAddress,
};

/// As with the shell helper, of an option that is given twice the last one counts, but for the device
/// and what is new here.
#[derive(Args, Clone, Debug)]
pub(crate) struct Options {
    /// The TUN device
    #[arg(long, value_name = "DEV")]
    tun: LinkName,
    /// An address of the device, such as 10.66.0.2/30; may be given more than once
    #[arg(long = "tun-address", value_name = "CIDR")]
    addresses: Vec<TunAddress>,
    /// The device's MTU in bytes
    #[arg(long, value_name = "N", overrides_with = "mtu")]
    mtu: Option<Mtu>,
    /// A network to reach through the device, such as 10.66.1.0/24; may be given more than once
    #[arg(long = "route", value_name = "CIDR")]
    routes: Vec<Destination>,
    /// A file with such networks, one a line; empty lines, and what is behind a #, do not count
    #[arg(long, value_name = "FILE", hide_short_help = true)]
    routes_file: Option<PathBuf>,
    /// A DNS server to ask through the device; may be given more than once
    #[arg(long = "dns", value_name = "ADDRESS")]
    servers: Vec<DnsServer>,
    /// A domain to ask it for, behind ~ if only to route queries; may be given more than once
    #[arg(long = "dns-domain", value_name = "DOMAIN")]
    domains: Vec<DnsDomain>,
    /// Who is told: the one that this host's programs ask (auto), systemd-resolved (resolved), fps-dns,
    /// which takes /etc/resolv.conf over (stub), or nobody (none)
    #[arg(
        long,
        value_name = "BACKEND",
        env = "FPS_ROUTE_DNS_BACKEND",
        hide_env_values = true,
        default_value = "auto",
        overrides_with = "dns_backend",
        hide_short_help = true
    )]
    dns_backend: DnsChoice,
    /// Leave DNS alone, as with --dns-backend none
    #[arg(long, overrides_with = "no_dns", hide_short_help = true)]
    no_dns: bool,
    /// Lead what a selector chooses into the device, by a table of its own
    #[arg(long, overrides_with = "full_tunnel")]
    pub(crate) full_tunnel: bool,
    /// The table of the full tunnel
    #[arg(long, value_name = "TABLE", default_value = "100", value_parser = table, overrides_with = "table", hide_short_help = true)]
    table: TableId,
    /// The priority of the rules that lead there
    #[arg(long, value_name = "PRIORITY", default_value = "10000", value_parser = priority, overrides_with = "priority", hide_short_help = true)]
    priority: RulePriority,
    /// Choose packets with this mark
    #[arg(long, value_name = "MARK", value_parser = mark, overrides_with = "fwmark", requires = "full_tunnel", hide_short_help = true)]
    fwmark: Option<Fwmark>,
    /// Choose packets from this network
    #[arg(
        long,
        value_name = "CIDR",
        overrides_with = "from",
        requires = "full_tunnel",
        hide_short_help = true
    )]
    from: Option<Destination>,
    /// Choose all packets, IPv4 and IPv6, but those with this mark: the carrier's
    #[arg(
        long,
        value_name = "MARK",
        value_parser = mark,
        requires = "full_tunnel",
        conflicts_with_all = ["fwmark", "from"]
    )]
    except_fwmark: Option<Fwmark>,
    /// A network to reach by the underlay all the same, with the gateway and the interface, such as
    /// 203.0.113.10/32,192.0.2.1,eth0; may be given more than once
    #[arg(
        long = "bypass",
        value_name = "CIDR,VIA,DEV",
        requires = "full_tunnel",
        hide_short_help = true
    )]
    bypasses: Vec<Bypass>,
    /// Where the carrier connects to, such as 203.0.113.10:443: its way stays the underlay's,
    /// whatever that is at the moment; may be given more than once
    #[arg(long = "endpoint", value_name = "IP[:PORT]", hide_short_help = true)]
    endpoints: Vec<Endpoint>,
    /// Keep the LAN out of the full tunnel: three tables and priorities, from --table and --priority
    /// upwards
    #[arg(long, requires = "full_tunnel", hide_short_help = true)]
    keep_lan: bool,
    /// With --keep-lan: keep what main routes by a gateway into this network out as well, such as
    /// 10.9.0.0/16; may be given more than once
    #[arg(
        long = "lan-route",
        value_name = "CIDR",
        requires = "keep_lan",
        hide_short_help = true
    )]
    lan_routes: Vec<Destination>,
    /// Let no query to port 53 or 853 leave by the underlay, also while the tunnel is down: with --dns
    /// the device takes all names; two tables and five priorities more, before all others
    #[arg(long, requires = "full_tunnel", hide_short_help = true)]
    dns_leak_guard: bool,
    /// Take other tables and priorities where these are not free
    #[arg(long, requires = "full_tunnel", hide_short_help = true)]
    auto: bool,
    /// Where the record of what is applied is kept
    #[arg(
        long,
        value_name = "FOLDER",
        env = "FPS_ROUTE_STATE_DIR",
        hide_env_values = true,
        default_value = "/run/fps-route",
        hide_short_help = true
    )]
    pub(crate) state_dir: PathBuf,
    /// With `cleanup`: set the device down at the end
    #[arg(long, overrides_with = "down", hide_short_help = true)]
    pub(crate) down: bool,
    /// Print the operations and change nothing
    #[arg(long, overrides_with = "dry_run")]
    pub(crate) dry_run: bool,
    /// Print the plan as JSON
    #[arg(long, hide_short_help = true)]
    pub(crate) json: bool,
}

/// Who is told about DNS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum DnsChoice {
    Auto,
    Resolved,
    Stub,
    None,
}

impl Options {
    /// The resolver that is meant; by itself the one that was told before, or that this host has.
    pub(crate) fn resolver(&self, recorded: Option<ResolverKind>) -> ResolverKind {
        match self.dns_backend {
            DnsChoice::Resolved => ResolverKind::Resolved,
            DnsChoice::Stub => ResolverKind::Stub,
            DnsChoice::Auto | DnsChoice::None => recorded.unwrap_or_else(ResolverKind::of_host),
        }
    }

    /// The device.
    pub(crate) fn tun(&self) -> LinkName {
        self.tun
    }

    /// Whether routes are named that nobody sets: a full tunnel has them only beside the LAN.
    pub(crate) fn leaves_out_routes(&self) -> bool {
        let named = !self.routes.is_empty() || self.routes_file.is_some();
        self.full_tunnel && !self.keep_lan && named
    }

    /// Whether the routes file can be read once only, as a pipe can.
    pub(crate) fn reads_once(&self) -> bool {
        let file = self.routes_file.as_ref().map(fs::metadata);
        matches!(file, Some(Ok(about)) if !about.is_file())
    }

    /// Whether numbers that somebody else has are given way to.
    pub(crate) fn numbering(&self) -> Numbering {
        if self.auto {
            Numbering::Auto
        } else {
            Numbering::Fixed
        }
    }

    /// What they ask for; or what is wrong with them, in one line.
    pub(crate) fn intent(mut self) -> Result<Intent, String> {
        if let Some(file) = self.routes_file.take() {
            let read = routes_of(&file).map_err(|error| error.chain())?;
            self.routes.extend(read);
        }
        self.combine().map_err(|error| error.to_string())
    }

    fn combine(self) -> Result<Intent, InvalidIntent> {
        let selectors = [
            self.fwmark.map(Selector::Marked),
            self.from.map(Selector::From),
            self.except_fwmark.map(Selector::Unmarked),
        ];
        let sets_dns = !self.no_dns && self.dns_backend != DnsChoice::None;
        let mut domains = self.domains;
        if self.dns_leak_guard && !self.servers.is_empty() {
            DnsDomain::take_all(&mut domains);
        }
        let dns = Dns::new(self.servers, domains);
        let intent = Intent::new(self.tun, self.addresses, self.mtu, self.routes)?
            .with_dns(sets_dns.then_some(dns));
        if !self.full_tunnel {
            return intent.with_endpoints(self.endpoints);
        }
        let routed = self.lan_routes;
        let full = FullTunnel {
            table: self.table,
            priority: self.priority,
            selectors: selectors.into_iter().flatten().collect(),
            bypasses: self.bypasses,
            lan: self.keep_lan.then_some(KeepLan { routed }),
            leak_guard: self.dns_leak_guard,
        };
        let intent = intent.with_full_tunnel(full)?;
        intent.with_endpoints(self.endpoints)
    }
}

/// The routes of a file. A mark of the byte order at its begin does not count, and neither does what
/// a line has behind a `#`, of whichever encoding.
fn routes_of(file: &PathBuf) -> Result<Vec<Destination>, Error> {
    let name = || file.display().to_string();
    let bytes = fs::read(file).map_err(|cause| Error::RoutesFile {
        file: name(),
        cause,
    })?;
    let text = String::from_utf8_lossy(&bytes);
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let bare = |line: &str| line.split('#').next().unwrap_or_default().trim().to_owned();
    let lines = text.lines().map(bare).enumerate();
    lines
        .filter(|(_, line)| !line.is_empty())
        .map(|(number, line)| {
            line.parse().map_err(|cause| Error::RoutesLine {
                file: name(),
                line: number + 1,
                text: line.clone(),
                cause,
            })
        })
        .collect()
}

/// A table that is nobody's: 0 stands for none, and those from 253 to 255 are the machine's own
/// (`default`, `main` and `local` in linux/rtnetlink.h).
fn table(text: &str) -> Result<TableId, String> {
    match text.parse() {
        Ok(0 | 253..=255) => Err("it is one of the machine's own tables".to_owned()),
        Ok(number) => Ok(TableId(number)),
        Err(_) => Err("it is no table's number".to_owned()),
    }
}

/// A priority behind the rule for table local (0) and before that for table main (32766).
fn priority(text: &str) -> Result<RulePriority, String> {
    match text.parse() {
        Ok(number @ 1..=32765) => Ok(RulePriority(number)),
        _ => Err("it is no number from 1 to 32765".to_owned()),
    }
}

/// A mark by which packets can be told: 0 is on all that nobody has marked.
fn mark(text: &str) -> Result<Fwmark, String> {
    match text.parse() {
        Ok(Fwmark(0)) => Err("0 is the mark of packets without a mark".to_owned()),
        Ok(mark) => Ok(mark),
        Err(_) => Err("it is no mark, such as 0x465053".to_owned()),
    }
}
