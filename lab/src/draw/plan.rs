//! What is drawn.

/// A lab, reduced to what a picture of it shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// What the picture is of.
    pub title: String,
    /// The nets.
    pub nets: Vec<NetPart>,
    /// The hosts.
    pub hosts: Vec<HostPart>,
    /// The tunnel.
    pub tunnel: Option<TunnelPart>,
}

/// A net.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetPart {
    /// Its name.
    pub name: String,
    /// Its subnets, one a line.
    pub subnets: Vec<String>,
}

/// A host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPart {
    /// Its name.
    pub name: String,
    /// What it is or does, one thing a line.
    pub notes: Vec<String>,
    /// What it is plugged into.
    pub links: Vec<LinkPart>,
    /// Whether it forwards.
    pub router: bool,
}

/// A link of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkPart {
    /// Its name.
    pub name: String,
    /// The net that it is plugged into: its place among [`Plan::nets`].
    pub net: usize,
    /// Its addresses there, without what the net's subnets say already.
    pub short: String,
    /// Its addresses.
    pub addresses: Vec<String>,
    /// The metric of its default route, if it has a gateway.
    pub leads_on: Option<u32>,
    /// Whether it comes into this net only later: the host roams there.
    pub later: bool,
    /// Whether the tunnel's packets go by it at first.
    pub carries: bool,
}

/// The tunnel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TunnelPart {
    /// By what its packets travel.
    pub name: String,
    /// The client's end.
    pub client: TunnelEnd,
    /// The server's end.
    pub server: TunnelEnd,
}

/// An end of a tunnel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TunnelEnd {
    /// Its host: its place among [`Plan::hosts`].
    pub host: usize,
    /// Its device, and the addresses that it gets first, one a line.
    pub lines: Vec<String>,
}

impl LinkPart {
    /// Its name and, where it is another thing, that the host comes there only later.
    pub fn label(&self) -> String {
        match self.later {
            true => format!("{} later", self.name),
            false => self.name.clone(),
        }
    }
}

impl Plan {
    /// The place of a host among the hosts.
    pub fn host(&self, name: &str) -> Option<usize> {
        self.hosts.iter().position(|host| host.name == name)
    }
}
