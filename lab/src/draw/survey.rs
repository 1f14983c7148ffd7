//! The plan of a scenario.

use super::plan::{HostPart, LinkPart, NetPart, Plan, TunnelEnd, TunnelPart};
use super::short::tails;
use crate::scenario::{
    Act, Host, HostName, Link, Net, OuterProtocol, Scenario, Serve, Tunnel, Vpn,
};

impl Plan {
    /// What a picture of a scenario's lab shows.
    pub fn of(scenario: &Scenario) -> Self {
        let net = |(name, net): (&_, &Net)| NetPart {
            name: ToString::to_string(name),
            subnets: subnets(net),
        };
        let host = |(name, host)| host_part(scenario, name, host);
        let mut plan = Self {
            title: scenario.title.clone(),
            nets: scenario.nets.iter().map(net).collect(),
            hosts: scenario.hosts.iter().map(host).collect(),
            tunnel: scenario.tunnel.as_ref().map(|it| tunnel(scenario, it)),
        };
        if let Some(tunnel) = &scenario.tunnel {
            super::way::mark(&mut plan, scenario, tunnel);
        }
        plan
    }
}

fn subnets(net: &Net) -> Vec<String> {
    let v4 = net.v4.iter().map(ToString::to_string);
    v4.chain(net.v6.iter().map(ToString::to_string)).collect()
}

fn host_part(scenario: &Scenario, name: &HostName, host: &Host) -> HostPart {
    let link = |name: &fps_netlink::LinkName, link: &Link, later| LinkPart {
        name: name.to_string(),
        net: place(scenario, link),
        short: short(link),
        addresses: link.addresses.iter().map(ToString::to_string).collect(),
        later,
        carries: false,
    };
    let mut links: Vec<LinkPart> = host
        .links
        .iter()
        .map(|(name, it)| link(name, it, false))
        .collect();
    for act in scenario.steps.iter().flat_map(|step| &step.acts) {
        if let Act::Roam(roam) = act
            && roam.on == *name
        {
            let part = link(&roam.link, &roam.to, true);
            let known = |it: &LinkPart| (&it.name, it.net) == (&part.name, part.net);
            if !links.iter().any(known) {
                links.push(part);
            }
        }
    }
    HostPart {
        name: name.to_string(),
        notes: notes(scenario, name, host),
        links,
        router: host.forward,
    }
}

fn place(scenario: &Scenario, link: &Link) -> usize {
    let place = scenario.nets.get_index_of(&link.net);
    place.expect("the reader knows every net of a link")
}

/// The addresses of a link, or who gives it one.
fn short(link: &Link) -> String {
    let given = [
        link.dhcp.as_ref().map(|_| "dhcp"),
        link.ra.as_ref().map(|_| "ra"),
    ];
    let own = tails(&link.addresses);
    let own = (!own.is_empty()).then_some(own.as_str());
    let all: Vec<&str> = own.into_iter().chain(given.into_iter().flatten()).collect();
    all.join(" ")
}

/// What a host is or does, in words.
fn notes(scenario: &Scenario, name: &HostName, host: &Host) -> Vec<String> {
    let mut notes = Vec::new();
    if host.nat.is_empty() {
        if host.forward {
            notes.push("router".to_owned());
        }
    } else {
        let links: Vec<String> = host.nat.iter().map(ToString::to_string).collect();
        notes.push(format!("NAT on {}", links.join(", ")));
    }
    if let Some(tunnel) = &scenario.tunnel {
        let origin = match &tunnel.vpn {
            Vpn::Fps(fps) if fps.origin != tunnel.server => Some(&fps.origin),
            _ => None,
        };
        let roles = [
            (Some(&tunnel.client), "VPN client"),
            (Some(&tunnel.server), "VPN server"),
            (origin, "origin"),
        ];
        let roles = roles.iter().filter(|(host, _)| *host == Some(name));
        notes.extend(roles.map(|(_, role)| (*role).to_owned()));
    }
    if host.dns.is_some() {
        notes.push("DNS".to_owned());
    }
    if !host.dhcp_servers.is_empty() {
        notes.push("DHCP".to_owned());
    }
    notes.extend(served(&host.serve));
    notes
}

/// How many ports of one protocol are named.
const PORTS: usize = 3;

/// What the lab answers on a host.
fn served(serve: &Serve) -> Vec<String> {
    let kinds = [
        ("tcp", &serve.tcp),
        ("udp", &serve.udp),
        ("http", &serve.http),
        ("https", &serve.https),
    ];
    let kinds = kinds.iter().filter(|(_, ports)| !ports.is_empty());
    kinds
        .map(|(name, ports)| {
            let shown: Vec<String> = ports.iter().take(PORTS).map(ToString::to_string).collect();
            let more = if ports.len() > PORTS { " …" } else { "" };
            format!("{name} {}{more}", shown.join(" "))
        })
        .collect()
}

fn tunnel(scenario: &Scenario, tunnel: &Tunnel) -> TunnelPart {
    let outer = tunnel.outer();
    let protocol = match outer.protocol {
        OuterProtocol::Tcp => "tcp",
        OuterProtocol::Udp => "udp",
    };
    let end = |host: &HostName, device: fps_netlink::LinkName| TunnelEnd {
        host: scenario.hosts.get_index_of(host).expect("it is known"),
        lines: std::iter::once(device.to_string())
            .chain(first_addresses(scenario, host, device))
            .collect(),
    };
    TunnelPart {
        name: format!("the tunnel, over {protocol} {}", outer.port),
        client: end(&tunnel.client, tunnel.client_tun),
        server: end(&tunnel.server, tunnel.server_tun),
    }
}

/// The addresses that the route engine first gives a TUN device.
fn first_addresses(
    scenario: &Scenario,
    host: &HostName,
    device: fps_netlink::LinkName,
) -> Vec<String> {
    let acts = scenario.steps.iter().flat_map(|step| &step.acts);
    let first = acts.filter_map(|act| match act {
        Act::Routes(routes) if routes.on == *host && routes.tun == device => {
            let addresses = &routes.tun_addresses;
            (!addresses.is_empty()).then_some(addresses)
        }
        _ => None,
    });
    let addresses = first.into_iter().next();
    addresses
        .into_iter()
        .flatten()
        .map(ToString::to_string)
        .collect()
}
