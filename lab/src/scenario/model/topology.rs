//! Nets, hosts and links.

use std::net::IpAddr;

use fps_netlink::{LinkName, RouteKind, RouteProtocol, TableId};
use indexmap::IndexMap;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::{AcceptRa, Advertisement, DhcpClient, DhcpServer, DnsServer, NetName, Resolver};

/// An L2 segment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Net {
    /// Its IPv4 subnet.
    pub v4: Option<Ipv4Net>,
    /// Its IPv6 subnet.
    pub v6: Option<Ipv6Net>,
    /// The name servers that its links have by themselves, and that its DHCP servers give where they
    /// say nothing else.
    pub name_servers: Vec<IpAddr>,
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
    /// The name servers that it has by hand; those that the DHCP of its nets gives, where that is none.
    pub name_servers: Option<Vec<IpAddr>>,
    /// What answers for its programs.
    pub resolver: Resolver,
    /// Its DNS server.
    pub dns: Option<DnsServer>,
    /// Its DHCP servers, each on a link.
    pub dhcp_servers: IndexMap<LinkName, DhcpServer>,
    /// What it advertises as a router, by link.
    pub advertisements: IndexMap<LinkName, Advertisement>,
    /// Its control groups.
    pub cgroups: Vec<String>,
    /// Files that it has before anything runs.
    pub files: Vec<HostFile>,
}

impl Host {
    /// Its name servers at first.
    pub fn first_name_servers(&self, nets: &IndexMap<NetName, Net>) -> Vec<IpAddr> {
        match &self.name_servers {
            Some(servers) => servers.clone(),
            None => self.dns_by_link(nets).into_values().flatten().collect(),
        }
    }

    /// The name servers of each link at first.
    pub fn dns_by_link(&self, nets: &IndexMap<NetName, Net>) -> IndexMap<LinkName, Vec<IpAddr>> {
        match &self.name_servers {
            Some(servers) => self.by_hand(servers),
            None => {
                // Those of a lease come with it.
                let links = self.links.iter().filter(|(_, link)| link.dhcp.is_none());
                let given = links.map(|(name, link)| (*name, nets[&link.net].name_servers.clone()));
                given.filter(|(_, servers)| !servers.is_empty()).collect()
            }
        }
    }

    /// The name servers that it has by hand, by link: one with a subnet that the server is in, or else
    /// with a default gateway.
    fn by_hand(&self, servers: &[IpAddr]) -> IndexMap<LinkName, Vec<IpAddr>> {
        let mut by_link: IndexMap<LinkName, Vec<IpAddr>> = IndexMap::new();
        for server in servers {
            let near = |link: &Link| link.addresses.iter().any(|it| it.contains(server));
            let links = || self.links.iter();
            let link = links().find(|(_, link)| near(link));
            let link = link.or_else(|| links().find(|(_, link)| !link.gateways.is_empty()));
            if let Some((name, _)) = link {
                by_link.entry(*name).or_default().push(*server);
            }
        }
        by_link
    }
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
    /// What asks for an IPv4 address, if it has none of its own.
    pub dhcp: Option<DhcpClient>,
    /// What the kernel makes of router advertisements, if it listens to them.
    pub ra: Option<AcceptRa>,
}

impl Link {
    /// Whether it gets an address from somebody else.
    pub fn is_given(&self) -> bool {
        self.dhcp.is_some() || self.ra.is_some()
    }
}

/// A route, from the start or from a step on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaticRoute {
    /// Its destination.
    pub to: IpNet,
    /// What becomes of a packet.
    pub kind: RouteKind,
    /// Its gateway.
    pub via: Option<IpAddr>,
    /// Its interface.
    pub link: Option<LinkName>,
    /// Its metric.
    pub metric: Option<u32>,
    /// Its table, if that is not table main.
    pub table: Option<TableId>,
    /// The source that sockets take by it which have none; the kernel's choice where there is none.
    pub source: Option<IpAddr>,
    /// Who is said to have set it: `boot`, as ip-route(8) says, where that is none.
    pub protocol: Option<RouteProtocol>,
    /// Its gateway is taken for a neighbour, though no subnet says so.
    pub onlink: bool,
}

/// Ports on which the lab answers, on every address of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Serve {
    /// TCP ports, on which it echoes what it is sent.
    pub tcp: Vec<u16>,
    /// UDP ports, likewise.
    pub udp: Vec<u16>,
    /// TCP ports on which it answers HTTP/1.1.
    pub http: Vec<u16>,
    /// The same over TLS, with a certificate by the CA of the play.
    pub https: Vec<u16>,
    /// The status that each GET is answered with (RFC 9110, 15).
    pub status: u16,
    /// What its certificate is for, beside the host's name and addresses.
    pub names: Vec<String>,
}

impl Serve {
    /// Whether it answers on a TCP port, by whatever protocol.
    pub fn has_tcp(&self, port: u16) -> bool {
        [&self.tcp, &self.http, &self.https]
            .iter()
            .any(|ports| ports.contains(&port))
    }
}

impl Default for Serve {
    fn default() -> Self {
        Self {
            tcp: Vec::new(),
            udp: Vec::new(),
            http: Vec::new(),
            https: Vec::new(),
            status: 200,
            names: Vec::new(),
        }
    }
}

/// A file that only this host sees, and only root may read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostFile {
    /// Its absolute path, below /etc or /run.
    pub path: String,
    /// What it holds.
    pub content: String,
}

/// A line of /etc/hosts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostsLine {
    /// The address.
    pub address: IpAddr,
    /// The names that it answers to.
    pub names: Vec<String>,
}
