//! An act in words.

use std::fmt;
use std::net::Ipv4Addr;

use super::routes;
use fps_netlink::{Family, ProtocolName, RouteKind};

use crate::scenario::{
    Act, AddressChange, AdvertisementChange, DhcpOrder, DhcpServerChange, DnsChange,
    FirewallAction, FirewallChange, ImpairAction, ImpairChange, LinkState, NftRuleset, ProgramRef,
    Renewal, Roam, RouteAction, RuleChange, StaticRoute,
};

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start(program) => write!(f, "start {program}"),
            Self::Stop(program) => write!(f, "stop {program}"),
            Self::Kill(program) => write!(f, "kill {program}"),
            Self::Run(run) => write!(f, "on {}: {}", run.on, run.command.join(" ")),
            Self::Routes(call) => {
                write!(f, "on {}: {}", call.on, routes::command(call).join(" "))
            }
            Self::Link(change) => {
                write!(f, "on {}: {} {}", change.on, change.link, change.state)
            }
            Self::Roam(roam) => describe_roam(f, roam),
            Self::Sysctl(sysctl) => {
                write!(
                    f,
                    "on {}: sysctl {} = {}",
                    sysctl.on, sysctl.key, sysctl.value
                )
            }
            Self::Route(change) => {
                let verb = change.action.verb();
                write!(f, "on {}: ip route {verb} {}", change.on, change.route)
            }
            Self::Dns(change) => describe_dns(f, change),
            Self::Addr(change) => describe_address(f, change),
            Self::Nft(ruleset) => describe_ruleset(f, ruleset),
            Self::Impair(change) => describe_impairment(f, change),
            Self::Firewall(change) => describe_firewall(f, change),
            Self::Rule(change) => describe_rules(f, change),
            Self::Dhcp(call) => {
                let verb = match call.order {
                    DhcpOrder::Discover => "asks for a lease",
                    DhcpOrder::Renew => "renews its lease",
                    DhcpOrder::Rebind => "rebinds its lease",
                    DhcpOrder::Release => "gives its lease back",
                };
                write!(f, "on {}: the DHCP client of {} {verb}", call.on, call.link)?;
                f.write_str(match call.renewal {
                    Some(Renewal::Keeps) => " and keeps its address",
                    Some(Renewal::Replaces) => " and replaces its address",
                    None => "",
                })
            }
            Self::DhcpServer(change) => describe_dhcp_server(f, change),
            Self::Advertise(change) => describe_advertisement(f, change),
        }
    }
}

fn describe_roam(f: &mut fmt::Formatter<'_>, roam: &Roam) -> fmt::Result {
    let Roam { on, link, to } = roam;
    write!(f, "on {on}: {link} roams to {} as", to.net)?;
    let mut addresses = to.addresses.iter();
    addresses.try_for_each(|address| write!(f, " {address}"))?;
    f.write_str(match (to.dhcp, to.ra) {
        (None, None) => "",
        (Some(_), None) => " its lease says",
        (None, Some(_)) => " its router advertises",
        (Some(_), Some(_)) => " its lease says and its router advertises",
    })
}

fn describe_advertisement(f: &mut fmt::Formatter<'_>, change: &AdvertisementChange) -> fmt::Result {
    let AdvertisementChange { on, link, .. } = change;
    write!(f, "on {on}: advertise on {link}")?;
    match change.answers {
        Some(true) => f.write_str(" again")?,
        Some(false) => f.write_str(" no more")?,
        None => {}
    }
    match change.lifetime {
        Some(Some(lifetime)) => write!(f, ", a router for {lifetime:?}")?,
        Some(None) => f.write_str(", no router")?,
        None => {}
    }
    let times = [
        ("valid", change.valid),
        ("preferred", change.preferred),
        ("every", change.every),
    ];
    for (what, time) in times {
        if let Some(time) = time {
            write!(f, ", {what} {time:?}")?;
        }
    }
    for (what, nets) in [("prefix", &change.prefixes), ("route", &change.routes)] {
        for net in nets.iter().flatten() {
            write!(f, ", {what} {net}")?;
        }
    }
    let mut servers = change.name_servers.iter().flatten();
    servers.try_for_each(|it| write!(f, ", name server {it}"))?;
    match change.mtu {
        Some(mtu) => write!(f, ", MTU {mtu}"),
        None => Ok(()),
    }
}

fn describe_dhcp_server(f: &mut fmt::Formatter<'_>, change: &DhcpServerChange) -> fmt::Result {
    let DhcpServerChange { on, link, .. } = change;
    write!(f, "on {on}: the DHCP server on {link}")?;
    match change.answers {
        Some(true) => f.write_str(" answers")?,
        Some(false) => f.write_str(" falls silent")?,
        None => {}
    }
    let range = change
        .range
        .map(|range| format!("{} to {}", range.first, range.last));
    let lease = change.lease.map(|lease| format!("{lease:?}"));
    let list = |addresses: &Vec<Ipv4Addr>| match addresses.as_slice() {
        [] => "none".to_owned(),
        some => some
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(", "),
    };
    let routes = change.routes.as_ref().map(|routes| {
        let routes = routes.iter().map(|route| match route.via {
            Some(via) => format!("{} via {via}", route.to),
            None => route.to.to_string(),
        });
        routes.collect::<Vec<_>>().join(", ")
    });
    let said = [
        ("range", range),
        ("lease", lease),
        ("router", change.routers.as_ref().map(list)),
        ("name servers", change.name_servers.as_ref().map(list)),
        ("routes", routes),
        ("MTU", change.mtu.map(|mtu| mtu.to_string())),
        ("domain", change.domain.clone()),
    ];
    let said = said.into_iter().filter_map(|(what, to)| Some((what, to?)));
    for (number, (what, to)) in said.enumerate() {
        let before = if number == 0 { " gives: " } else { "; " };
        write!(f, "{before}{what} {to}")?;
    }
    Ok(())
}

fn describe_dns(f: &mut fmt::Formatter<'_>, change: &DnsChange) -> fmt::Result {
    write!(f, "on {}: its DNS server", change.on)?;
    let apexes = change.zones.iter().map(|zone| zone.apex().to_string());
    let apexes: Vec<_> = apexes.collect();
    if !apexes.is_empty() {
        write!(f, " has other records in {}", apexes.join(", "))?;
    }
    match change.manners.as_deref() {
        Some([]) => f.write_str(" answers as usual"),
        Some(_) => f.write_str(" has other manners"),
        None => Ok(()),
    }
}

fn describe_rules(f: &mut fmt::Formatter<'_>, change: &RuleChange) -> fmt::Result {
    write!(f, "on {}:", change.on)?;
    let mut rules = change.rules.iter().enumerate();
    rules.try_for_each(|(number, rule)| {
        let ip = match rule.family {
            Family::V4 => "ip",
            Family::V6 => "ip -6",
        };
        let between = if number == 0 { "" } else { ";" };
        let verb = change.action.verb();
        let rule = rule.to_string();
        // Without a priority the kernel chooses one.
        let rule = match change.in_front {
            true => rule.strip_prefix("pref 0 ").unwrap_or(&rule),
            false => &rule,
        };
        write!(f, "{between} {ip} rule {verb} {rule}")
    })
}

fn describe_address(f: &mut fmt::Formatter<'_>, change: &AddressChange) -> fmt::Result {
    let AddressChange {
        on, link, address, ..
    } = change;
    let verb = change.action.verb();
    write!(f, "on {on}: ip addr {verb} {address} dev {link}")?;
    if let Some(metric) = change.metric {
        write!(f, " metric {metric}")?;
    }
    if change.bare {
        f.write_str(" noprefixroute")?;
    }
    let Some(times) = change.lifetimes else {
        return Ok(());
    };
    if let Some(valid) = times.valid {
        write!(f, " valid_lft {}", valid.as_secs())?;
    }
    match times.preferred {
        Some(preferred) => write!(f, " preferred_lft {}", preferred.as_secs()),
        None => Ok(()),
    }
}

fn describe_ruleset(f: &mut fmt::Formatter<'_>, ruleset: &NftRuleset) -> fmt::Result {
    let lines = ruleset.text.lines();
    let count = lines.filter(|line| !line.trim().is_empty()).count();
    write!(f, "on {}: nft -f, {count} lines", ruleset.on)
}

fn describe_impairment(f: &mut fmt::Formatter<'_>, change: &ImpairChange) -> fmt::Result {
    let ImpairChange { on, link, what } = change;
    let impairment = match what {
        ImpairAction::Set(impairment) => impairment,
        ImpairAction::Clear => return write!(f, "on {on}: {link} is good again"),
    };
    write!(f, "on {on}: {link} has")?;
    if let Some((shape, ways)) = impairment.shape {
        write!(f, " {shape}, {ways}")?;
    }
    match impairment.mtu {
        Some(mtu) if impairment.shape.is_some() => write!(f, ", mtu {mtu}"),
        Some(mtu) => write!(f, " mtu {mtu}"),
        None => Ok(()),
    }
}

fn describe_firewall(f: &mut fmt::Formatter<'_>, change: &FirewallChange) -> fmt::Result {
    let rules = match &change.what {
        FirewallAction::Clear => return write!(f, "on {}: the firewall's rules go", change.on),
        FirewallAction::Add(rules) => rules,
    };
    let rules: Vec<_> = rules.iter().map(ToString::to_string).collect();
    write!(f, "on {}: firewall, {}", change.on, rules.join("; "))
}

impl RouteAction {
    /// The verb of ip-route(8) and ip-rule(8).
    fn verb(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Delete => "del",
        }
    }
}

impl fmt::Display for ProgramRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Role(role) => role.fmt(f),
            Self::Tunnel => f.write_str("the tunnel"),
            Self::Named(name) => name.fmt(f),
            Self::Routes => f.write_str("the route engine"),
        }
    }
}

impl fmt::Display for LinkState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Up => "set up",
            Self::Down => "set down",
            Self::Plugged => "plugged in",
            Self::Unplugged => "unplugged",
            Self::Deleted => "deleted",
            Self::Recreated => "made again",
            Self::Renamed(name) => return write!(f, "renamed to {name}"),
        })
    }
}

impl fmt::Display for StaticRoute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            RouteKind::Unreachable => f.write_str("unreachable ")?,
            RouteKind::Prohibit => f.write_str("prohibit ")?,
            RouteKind::BlackHole => f.write_str("blackhole ")?,
            RouteKind::Throw => f.write_str("throw ")?,
            _ => {}
        }
        write!(f, "{}", self.to)?;
        if let Some(gateway) = self.via {
            write!(f, " via {gateway}")?;
        }
        if let Some(link) = &self.link {
            write!(f, " dev {link}")?;
        }
        if let Some(metric) = self.metric {
            write!(f, " metric {metric}")?;
        }
        if let Some(table) = self.table {
            write!(f, " table {table}")?;
        }
        if let Some(source) = self.source {
            write!(f, " src {source}")?;
        }
        if let Some(protocol) = self.protocol {
            write!(f, " proto {}", ProtocolName(protocol))?;
        }
        f.write_str(if self.onlink { " onlink" } else { "" })
    }
}
