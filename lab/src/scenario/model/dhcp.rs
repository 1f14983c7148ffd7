//! DHCP (RFC 2131): who gives addresses, and who asks for them.

use std::net::Ipv4Addr;
use std::time::Duration;

use fps_netlink::LinkName;
use ipnet::Ipv4Net;

use super::HostName;

/// A DHCP server on a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DhcpServer {
    /// Its own address there, by which clients know it.
    pub address: Ipv4Net,
    /// What it gives.
    pub terms: DhcpTerms,
}

/// What a DHCP server gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DhcpTerms {
    /// Its addresses.
    pub range: DhcpRange,
    /// For how long, in whole seconds (option 51).
    pub lease: Duration,
    /// The default gateways (option 3).
    pub routers: Vec<Ipv4Addr>,
    /// The name servers (option 6).
    pub name_servers: Vec<Ipv4Addr>,
    /// Classless routes (option 121, RFC 3442). A client that gets some does not look at `routers`.
    pub routes: Vec<DhcpRoute>,
    /// The MTU of the link (option 26).
    pub mtu: Option<u16>,
    /// The domain in which short names are (option 15).
    pub domain: Option<String>,
    /// Whether it answers at all.
    pub answers: bool,
}

/// From one address to another, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DhcpRange {
    /// The first.
    pub first: Ipv4Addr,
    /// The last, which is not below.
    pub last: Ipv4Addr,
}

impl DhcpRange {
    /// Whether an address is in it.
    pub fn contains(&self, address: Ipv4Addr) -> bool {
        (self.first..=self.last).contains(&address)
    }

    /// Its addresses in order.
    pub fn addresses(&self) -> impl Iterator<Item = Ipv4Addr> + use<> {
        (self.first.to_bits()..=self.last.to_bits()).map(Ipv4Addr::from_bits)
    }
}

/// A classless route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DhcpRoute {
    /// Its destination.
    pub to: Ipv4Net,
    /// Its gateway; none where the destination is on the link.
    pub via: Option<Ipv4Addr>,
}

/// What a DHCP server gives from now on; none for what stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DhcpServerChange {
    /// The host.
    pub on: HostName,
    /// The link that its server is on.
    pub link: LinkName,
    /// See [`DhcpTerms::range`].
    pub range: Option<DhcpRange>,
    /// See [`DhcpTerms::lease`].
    pub lease: Option<Duration>,
    /// See [`DhcpTerms::routers`].
    pub routers: Option<Vec<Ipv4Addr>>,
    /// See [`DhcpTerms::name_servers`].
    pub name_servers: Option<Vec<Ipv4Addr>>,
    /// See [`DhcpTerms::routes`].
    pub routes: Option<Vec<DhcpRoute>>,
    /// See [`DhcpTerms::mtu`].
    pub mtu: Option<u16>,
    /// See [`DhcpTerms::domain`].
    pub domain: Option<String>,
    /// See [`DhcpTerms::answers`].
    pub answers: Option<bool>,
}

impl DhcpTerms {
    /// Does what an act says.
    pub fn change(&mut self, change: &DhcpServerChange) {
        fn set<T: Clone>(to: &mut T, new: Option<&T>) {
            if let Some(new) = new {
                to.clone_from(new);
            }
        }
        set(&mut self.range, change.range.as_ref());
        set(&mut self.lease, change.lease.as_ref());
        set(&mut self.routers, change.routers.as_ref());
        set(&mut self.name_servers, change.name_servers.as_ref());
        set(&mut self.routes, change.routes.as_ref());
        set(&mut self.answers, change.answers.as_ref());
        self.mtu = change.mtu.or(self.mtu);
        self.domain = change.domain.clone().or_else(|| self.domain.take());
    }
}

/// The DHCP client of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DhcpClient {
    /// What it does with an address that it has already.
    pub renewal: Renewal,
}

/// What becomes of an address that a client is given again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Renewal {
    /// It stays as it is.
    #[default]
    Keeps,
    /// It is deleted and added again, and the kernel takes the routes away that hang on it.
    Replaces,
}

/// What a DHCP client is told to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DhcpCall {
    /// The host.
    pub on: HostName,
    /// Its link.
    pub link: LinkName,
    /// What.
    pub order: DhcpOrder,
    /// What becomes of its address from now on; none where that stays as it was.
    pub renewal: Option<Renewal>,
}

/// What a DHCP client can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DhcpOrder {
    /// Ask for a lease anew, as after a link has come up.
    Discover,
    /// Ask the server to prolong the lease, as at T1.
    Renew,
    /// Ask any server to prolong the lease, as at T2.
    Rebind,
    /// Give the lease back.
    Release,
}
