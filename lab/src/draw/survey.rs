//! The plan of a lab.

use ipnet::IpNet;

use super::plan::{HostPart, LinkPart, NetPart, Plan, TunnelEnd, TunnelPart};
use super::short::tails;
use super::way;
use crate::report::{self, Host, Link, Net, Topology, Tunnel};

impl Plan {
    /// What a picture of a lab shows; the title is for those who cannot see it.
    pub fn of(title: &str, topology: &Topology) -> Self {
        let mut plan = Self {
            title: title.to_owned(),
            nets: topology.nets.iter().map(net).collect(),
            hosts: topology.hosts.iter().map(|it| host(topology, it)).collect(),
            tunnel: topology.tunnel.as_ref().and_then(|it| tunnel(topology, it)),
        };
        way::mark(&mut plan, topology);
        plan
    }
}

fn net(net: &Net) -> NetPart {
    NetPart {
        name: net.name.clone(),
        subnets: net.v4.iter().chain(&net.v6).cloned().collect(),
    }
}

fn host(topology: &Topology, host: &Host) -> HostPart {
    let at_first = host.links.iter().map(|it| (it, false));
    let all = at_first.chain(host.roams.iter().map(|it| (it, true)));
    let links = all.filter_map(|(it, later)| link(topology, it, later));
    HostPart {
        name: host.name.clone(),
        notes: notes(topology, host),
        links: links.collect(),
        router: host.forwards,
    }
}

fn link(topology: &Topology, link: &Link, later: bool) -> Option<LinkPart> {
    Some(LinkPart {
        name: link.name.clone(),
        net: topology.nets.iter().position(|net| net.name == link.net)?,
        short: short(link),
        addresses: link.addresses.clone(),
        leads_on: (!link.gateways.is_empty()).then(|| link.metric.unwrap_or_default()),
        later,
        carries: false,
    })
}

/// The addresses of a link, or who gives it one.
fn short(link: &Link) -> String {
    let own: Vec<IpNet> = link
        .addresses
        .iter()
        .filter_map(|it| it.parse().ok())
        .collect();
    let given = [(link.dhcp, "dhcp"), (link.ra, "ra")];
    let given = given
        .iter()
        .filter(|(is, _)| *is)
        .map(|(_, word)| (*word).to_owned());
    let all: Vec<String> = [tails(&own)].into_iter().chain(given).collect();
    all.join(" ").trim().to_owned()
}

/// What a host is or does, in words.
fn notes(topology: &Topology, host: &Host) -> Vec<String> {
    let mut notes = Vec::new();
    if !host.nat.is_empty() {
        notes.push(format!("NAT on {}", host.nat.join(", ")));
    } else if host.forwards {
        notes.push("router".to_owned());
    }
    if let Some(tunnel) = &topology.tunnel {
        let server = &tunnel.server.host;
        let origin = tunnel.programs.iter().find(|it| it.role == "origin");
        let origin = origin.map(|it| &it.host).filter(|it| *it != server);
        let roles = [
            (Some(&tunnel.client.host), "VPN client"),
            (Some(server), "VPN server"),
            (origin, "origin"),
        ];
        let roles = roles.iter().filter(|(name, _)| *name == Some(&host.name));
        notes.extend(roles.map(|(_, role)| (*role).to_owned()));
    }
    let servers = [(host.dns, "DNS"), (host.dhcp, "DHCP")];
    let servers = servers.iter().filter(|(is, _)| *is);
    notes.extend(servers.map(|(_, name)| (*name).to_owned()));
    notes.extend(served(host));
    notes
}

/// How many ports of one protocol are named.
const PORTS: usize = 3;

/// What the lab answers on a host, a protocol a line.
fn served(host: &Host) -> Vec<String> {
    let lines = ["tcp", "udp", "http", "https"]
        .into_iter()
        .filter_map(|protocol| {
            let serves = host.serves.iter().filter(|it| it.protocol == protocol);
            let ports: Vec<String> = serves.map(|it| it.port.to_string()).collect();
            let more = if ports.len() > PORTS { " …" } else { "" };
            let shown = &ports[..ports.len().min(PORTS)];
            (!ports.is_empty()).then(|| format!("{protocol} {}{more}", shown.join(" ")))
        });
    lines.collect()
}

fn tunnel(topology: &Topology, tunnel: &Tunnel) -> Option<TunnelPart> {
    let end = |end: &report::TunnelEnd| {
        let host = topology
            .hosts
            .iter()
            .position(|host| host.name == end.host)?;
        let lines = [&end.device].into_iter().chain(&end.addresses);
        Some(TunnelEnd {
            host,
            lines: lines.cloned().collect(),
        })
    };
    Some(TunnelPart {
        name: format!("the tunnel, over {} {}", tunnel.protocol, tunnel.port),
        client: end(&tunnel.client)?,
        server: end(&tunnel.server)?,
    })
}
