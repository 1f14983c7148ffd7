//! The network of one host.

use std::net::IpAddr;
use std::time::Duration;

use fps_netlink::{
    Address, IfIndex, Link, LinkName, NeighbourTable, Netlink, Route, RouteProtocol,
};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use crate::error::{Error, Result};

/// How long an unanswered ARP request or neighbour solicitation waits before the next.
///
/// The kernel's second costs a lab a second each time that a request is lost, and the first one
/// often is: an address answers only once its solicited-node group is joined, which the kernel
/// does from a work queue after it has acknowledged the address.
const NEIGHBOUR_INTERVAL: Duration = Duration::from_millis(10);

/// As many as make the three seconds after which Linux gives a neighbour up.
const NEIGHBOUR_PROBES: u32 = 300;

/// A host's network: the netlink socket of its namespace.
#[derive(Clone, Debug)]
pub struct Station {
    netlink: Netlink,
}

/// What a link is given, as DHCP or a person would.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Configuration {
    /// Its addresses.
    pub addresses: Vec<IpNet>,
    /// Its default gateways.
    pub gateways: Vec<IpAddr>,
    /// The metric of its default and connected routes.
    pub metric: Option<u32>,
}

impl Station {
    /// Takes the netlink socket of the host's namespace.
    pub fn new(netlink: Netlink) -> Self {
        Self { netlink }
    }

    /// The host's netlink socket.
    pub fn netlink(&self) -> &Netlink {
        &self.netlink
    }

    /// Sets the loopback device up.
    pub async fn loopback_up(&self) -> Result<()> {
        Ok(self.netlink.set_up(IfIndex::LOOPBACK).await?)
    }

    /// A link that must be there.
    pub async fn link(&self, name: &LinkName) -> Result<Link> {
        self.netlink
            .link(name)
            .await?
            .ok_or(Error::NoSuchLink(*name))
    }

    /// Sets a link up for the first time.
    pub async fn bring_up(&self, link: IfIndex) -> Result<()> {
        self.netlink.set_up(link).await?;
        for table in [NeighbourTable::Arp, NeighbourTable::Ndisc] {
            self.netlink
                .set_neighbour_probes(table, link, NEIGHBOUR_INTERVAL, NEIGHBOUR_PROBES)
                .await?;
        }
        Ok(())
    }

    /// Gives a link its addresses and default routes. What it has already may be among them.
    pub async fn configure(&self, link: IfIndex, configuration: &Configuration) -> Result<()> {
        for net in &configuration.addresses {
            let address = Address {
                metric: configuration.metric,
                ..Address::new(link, *net)
            };
            self.netlink.replace_address(&address).await?;
        }
        for gateway in &configuration.gateways {
            self.netlink
                .replace_route(&default_route(link, *gateway, configuration))
                .await?;
        }
        Ok(())
    }

    /// Takes a link's addresses away, with the routes that hang on them: the kernel's own, and
    /// default routes by the gateways given.
    pub async fn unconfigure(&self, link: IfIndex, configuration: &Configuration) -> Result<()> {
        for gateway in &configuration.gateways {
            let route = default_route(link, *gateway, configuration);
            gone_is_fine(self.netlink.delete_route(&route).await)?;
        }
        for address in self.netlink.addresses(Some(link)).await? {
            if !address.automatic {
                gone_is_fine(self.netlink.delete_address(&address).await)?;
            }
        }
        Ok(())
    }

    /// Makes the host see its link's carrier at once (see [`Netlink::link_by_index`]).
    pub async fn settle(&self, link: IfIndex) -> Result<Link> {
        let found = self.netlink.link_by_index(link).await?;
        found.ok_or_else(|| {
            Error::system(
                format!("find the link with index {link}"),
                nix::errno::Errno::ENODEV,
            )
        })
    }
}

/// A default route as a DHCP client sets it.
fn default_route(link: IfIndex, gateway: IpAddr, configuration: &Configuration) -> Route {
    let everything = match gateway {
        IpAddr::V4(_) => IpNet::V4(Ipv4Net::default()),
        IpAddr::V6(_) => IpNet::V6(Ipv6Net::default()),
    };
    let route = Route::new(everything).via(gateway).on_link(link);
    Route {
        metric: configuration.metric,
        protocol: RouteProtocol::Dhcp,
        ..route
    }
}

/// Takes a deletion of what is gone already for one that was done: the kernel takes a link's routes
/// away with its carrier, its address or its state.
pub fn gone_is_fine(result: fps_netlink::Result<()>) -> Result<()> {
    use nix::errno::Errno::{EADDRNOTAVAIL, ENETDOWN, ESRCH};
    match result {
        Err(error) if matches!(error.errno(), Some(ESRCH | EADDRNOTAVAIL | ENETDOWN)) => Ok(()),
        result => Ok(result?),
    }
}
