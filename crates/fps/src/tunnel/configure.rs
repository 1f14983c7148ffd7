//! The client's addresses, as the server leases them (`tun.auto_configure`).

use std::cell::Cell;
use std::net::Ipv6Addr;
use std::rc::Rc;
use std::time::Duration;

use fps_netlink::{Address, Events, Flow, Group, LinkName, Netlink, RouteKind};
use fps_wire::control::{Lease, LeaseV6};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// How long the kernel may take for an address. It takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(2);

/// What a client has been given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leases {
    /// Always.
    pub v4: Lease,
    /// Where both sides know it, and the server has such addresses.
    pub v6: Option<LeaseV6>,
}

impl Leases {
    /// The addresses that the device gets, IPv4's first.
    fn networks(&self) -> Vec<IpNet> {
        let v4 = Ipv4Net::new(self.v4.client, self.v4.prefix_len).map(IpNet::V4);
        let v6 = self
            .v6
            .map(|it| Ipv6Net::new(it.client, it.prefix_len).map(IpNet::V6));
        // Neither fails: a lease with such a prefix is none.
        v4.into_iter().chain(v6.into_iter().flatten()).collect()
    }
}

/// Gives the device what is leased: address, MTU, up.
///
/// Equivalent: `ip addr replace CLIENT/PREFIX dev NAME; ip link set NAME mtu MTU up`.
#[derive(Clone, Debug)]
pub struct AutoConfigure {
    netlink: Netlink,
    name: LinkName,
    /// What it has by now.
    had: Rc<Cell<Option<Leases>>>,
}

impl AutoConfigure {
    /// For a device of the namespace of the calling thread.
    pub fn new(name: LinkName) -> Result<Self, fps_netlink::Error> {
        Ok(Self {
            netlink: Netlink::open()?,
            name,
            had: Rc::default(),
        })
    }

    /// Takes a lease, which every carrier brings. Nothing waits for it: what goes wrong is told.
    pub(super) fn take(&self, lease: Leases) {
        let had = self.had.replace(Some(lease));
        if had == Some(lease) {
            return;
        }
        let this = self.clone();
        tokio::task::spawn_local(async move {
            let (name, address) = (this.name, lease.v4.client);
            match this.configure(had, lease).await {
                Ok(()) => tracing::info!(event = "tun_auto_configured", name = %name, %address),
                Err(error) => {
                    this.had.set(None);
                    let error = fps_log::chain(&error);
                    tracing::error!(event = "tun_auto_configure_failed", name = %name, error);
                }
            }
        });
    }

    async fn configure(
        &self,
        had: Option<Leases>,
        leases: Leases,
    ) -> Result<(), fps_netlink::Error> {
        let Some(link) = self.netlink.link(&self.name).await? else {
            // The device is gone, and with it the program.
            return Ok(());
        };
        let mtu = leases.v4.mtu;
        // First: with less than 1280 there would be no IPv6 on it.
        if link.mtu != u32::from(mtu) {
            self.netlink.set_mtu(link.index, mtu.into()).await?;
        }
        // The kernel takes an IPv6 address while the link is down, and packets for it later than it is
        // up: its local route is made by a work queue (`addrconf_dad_work`, net/ipv6/addrconf.c).
        self.netlink.set_up(link.index).await?;
        let mut events = Events::subscribe(&[Group::AddressV6, Group::RouteV6])?;
        let networks = leases.networks();
        for &network in &networks {
            let address = Address::new(link.index, network);
            let replaced = self.netlink.replace_address(&address).await;
            match (network, replaced) {
                // A host without IPv6 has the rest of the tunnel all the same.
                (IpNet::V6(_), Err(error)) => {
                    let error = fps_log::chain(&error);
                    tracing::warn!(event = "tun_without_ipv6", name = %self.name, error);
                }
                (IpNet::V6(v6), Ok(())) => self.wait_for(v6.addr(), &mut events).await?,
                (IpNet::V4(_), replaced) => replaced?,
            }
        }
        let old = had.iter().flat_map(Leases::networks);
        for network in old.filter(|it| !networks.contains(it)) {
            let address = Address::new(link.index, network);
            self.netlink.delete_address(&address).await?;
        }
        Ok(())
    }

    /// Waits until packets for an address arrive.
    async fn wait_for(
        &self,
        address: Ipv6Addr,
        events: &mut Events,
    ) -> Result<(), fps_netlink::Error> {
        let flow = Flow::to(address.into());
        let arrives = async {
            while !matches!(self.netlink.lookup(&flow).await?, Ok(route) if route.kind == RouteKind::Local)
            {
                events.next().await?;
            }
            Ok(())
        };
        let arrived = tokio::time::timeout(PATIENCE, arrives).await;
        arrived.unwrap_or_else(|_| {
            tracing::warn!(event = "tun_address_not_ready", name = %self.name, %address);
            Ok(())
        })
    }
}
