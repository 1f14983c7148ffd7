//! What a scenario's lab is made of.

use fps_netlink::LinkName;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::scenario::{self, Act, HostName, OuterProtocol, ProgramName, Serve, TunnelRole, Vpn};

/// A lab as it is before the first step.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Topology {
    /// The L2 segments, in the file's order.
    pub nets: Vec<Net>,
    /// The hosts, in the file's order.
    pub hosts: Vec<Host>,
    /// The tunnel under test.
    pub tunnel: Option<Tunnel>,
}

/// An L2 segment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Net {
    /// Its name.
    pub name: String,
    /// Its IPv4 subnet, in CIDR notation.
    pub v4: Option<String>,
    /// Its IPv6 subnet.
    pub v6: Option<String>,
}

/// A host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Host {
    /// Its name.
    pub name: String,
    /// Whether it forwards between its links.
    pub forwards: bool,
    /// Its links, in the file's order.
    pub links: Vec<Link>,
    /// The links on which leaving packets take the link's own address.
    pub nat: Vec<String>,
    /// Ports on which the lab answers.
    pub serves: Vec<Service>,
    /// Whether it has a DNS server of the lab's.
    pub dns: bool,
    /// Whether it has a DHCP server of the lab's.
    pub dhcp: bool,
    /// Its links as they are where it roams to in some step, each net once.
    pub roams: Vec<Link>,
    /// The programs that run on it, or may.
    pub programs: Vec<Program>,
}

/// One end of a cable into a net.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Link {
    /// Its name.
    pub name: String,
    /// The net that it is plugged into.
    pub net: String,
    /// Its addresses, with the length of the net's prefix.
    pub addresses: Vec<String>,
    /// Its default gateways, at most one a family.
    pub gateways: Vec<String>,
    /// The metric of its routes.
    pub metric: Option<u32>,
    /// Whether it asks for an IPv4 address by DHCP.
    pub dhcp: bool,
    /// Whether it listens to router advertisements.
    pub ra: bool,
}

/// A port on which the lab answers, on every address of a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Service {
    /// `tcp`, `udp`, `http` or `https`.
    pub protocol: String,
    /// The port.
    pub port: u16,
}

/// A program beside the tunnel's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Program {
    /// Its name, as steps have it.
    pub name: String,
    /// The program and its arguments.
    pub command: Vec<String>,
}

/// The tunnel under test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Tunnel {
    /// Whether it is FPS; another VPN where not.
    pub fps: bool,
    /// Its client.
    pub client: TunnelEnd,
    /// Its server.
    pub server: TunnelEnd,
    /// The address at which the client finds the server.
    pub endpoint: String,
    /// `tcp` or `udp`: how its packets travel.
    pub protocol: String,
    /// The port on which the server listens.
    pub port: u16,
    /// Its programs, in the order in which they start.
    pub programs: Vec<TunnelProgram>,
}

/// One end of the tunnel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct TunnelEnd {
    /// The host.
    pub host: String,
    /// Its TUN device.
    pub device: String,
    /// The addresses that the route engine first gives the device, each with the length of its prefix.
    pub addresses: Vec<String>,
}

/// A program of the tunnel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct TunnelProgram {
    /// `origin`, `server`, `client` or `carrier`: its name, as steps have it.
    pub role: String,
    /// The host that it runs on.
    pub host: String,
}

impl From<&scenario::Scenario> for Topology {
    fn from(scenario: &scenario::Scenario) -> Self {
        let nets = scenario.nets.iter().map(|(name, net)| Net {
            name: name.to_string(),
            v4: net.v4.map(|it| it.to_string()),
            v6: net.v6.map(|it| it.to_string()),
        });
        let hosts = scenario.hosts.iter().map(|(name, host)| {
            let here = |it: &(&ProgramName, &scenario::Program)| it.1.on == *name;
            let programs = scenario.programs.iter().filter(here);
            Host {
                programs: programs.map(Program::from).collect(),
                roams: roams(scenario, name, host),
                ..Host::new(name.to_string(), host)
            }
        });
        Self {
            nets: nets.collect(),
            hosts: hosts.collect(),
            tunnel: scenario.tunnel.as_ref().map(|it| tunnel(scenario, it)),
        }
    }
}

/// Where a host's links go, but for the nets in which they are at first.
fn roams(scenario: &scenario::Scenario, name: &HostName, host: &scenario::Host) -> Vec<Link> {
    let mut links: Vec<Link> = Vec::new();
    for act in scenario.steps.iter().flat_map(|step| &step.acts) {
        let Act::Roam(roam) = act else { continue };
        let at_first = host.links.get(&roam.link).map(|link| &link.net);
        if roam.on == *name && at_first != Some(&roam.to.net) {
            let link = Link::from((&roam.link, &roam.to));
            let known = |it: &Link| (&it.name, &it.net) == (&link.name, &link.net);
            if !links.iter().any(known) {
                links.push(link);
            }
        }
    }
    links
}

fn tunnel(scenario: &scenario::Scenario, tunnel: &scenario::Tunnel) -> Tunnel {
    let mut told = Tunnel::from(tunnel);
    told.client.addresses = first_addresses(scenario, &tunnel.client, tunnel.client_tun);
    told.server.addresses = first_addresses(scenario, &tunnel.server, tunnel.server_tun);
    told
}

/// The addresses that the route engine first gives a device.
fn first_addresses(
    scenario: &scenario::Scenario,
    host: &HostName,
    device: LinkName,
) -> Vec<String> {
    let mut acts = scenario.steps.iter().flat_map(|step| &step.acts);
    let first = acts.find_map(|act| match act {
        Act::Routes(routes) if routes.on == *host && routes.tun == device => {
            Some(&routes.tun_addresses).filter(|it| !it.is_empty())
        }
        _ => None,
    });
    let addresses = first.into_iter().flatten();
    addresses.map(ToString::to_string).collect()
}

impl Host {
    fn new(name: String, host: &scenario::Host) -> Self {
        Self {
            name,
            forwards: host.forward,
            links: host.links.iter().map(Link::from).collect(),
            nat: host.nat.iter().map(ToString::to_string).collect(),
            serves: services(&host.serve),
            dns: host.dns.is_some(),
            dhcp: !host.dhcp_servers.is_empty(),
            roams: Vec::new(),
            programs: Vec::new(),
        }
    }
}

fn services(serve: &Serve) -> Vec<Service> {
    let Serve {
        tcp,
        udp,
        http,
        https,
        ..
    } = serve;
    let all = [("tcp", tcp), ("udp", udp), ("http", http), ("https", https)];
    let each = all.into_iter().flat_map(|(protocol, ports)| {
        ports.iter().map(|port| Service {
            protocol: protocol.to_owned(),
            port: *port,
        })
    });
    each.collect()
}

impl From<(&LinkName, &scenario::Link)> for Link {
    fn from((name, link): (&LinkName, &scenario::Link)) -> Self {
        Self {
            name: name.to_string(),
            net: link.net.to_string(),
            addresses: link.addresses.iter().map(ToString::to_string).collect(),
            gateways: link.gateways.iter().map(ToString::to_string).collect(),
            metric: link.metric,
            dhcp: link.dhcp.is_some(),
            ra: link.ra.is_some(),
        }
    }
}

impl From<(&ProgramName, &scenario::Program)> for Program {
    fn from((name, program): (&ProgramName, &scenario::Program)) -> Self {
        Self {
            name: name.to_string(),
            command: program.command.clone(),
        }
    }
}

impl From<&scenario::Tunnel> for Tunnel {
    fn from(tunnel: &scenario::Tunnel) -> Self {
        let end = |host: &HostName, device: LinkName| TunnelEnd {
            host: host.to_string(),
            device: device.to_string(),
            addresses: Vec::new(),
        };
        let outer = tunnel.outer();
        let host = |role: TunnelRole| match (&tunnel.vpn, role) {
            (Vpn::Fps(fps), TunnelRole::Origin) => &fps.origin,
            (_, TunnelRole::Server) => &tunnel.server,
            _ => &tunnel.client,
        };
        let programs = tunnel.roles().iter().map(|role| TunnelProgram {
            role: role.to_string(),
            host: host(*role).to_string(),
        });
        Self {
            fps: matches!(tunnel.vpn, Vpn::Fps(_)),
            client: end(&tunnel.client, tunnel.client_tun),
            server: end(&tunnel.server, tunnel.server_tun),
            endpoint: tunnel.endpoint.to_string(),
            protocol: match outer.protocol {
                OuterProtocol::Tcp => "tcp".to_owned(),
                OuterProtocol::Udp => "udp".to_owned(),
            },
            port: outer.port,
            programs: programs.collect(),
        }
    }
}
