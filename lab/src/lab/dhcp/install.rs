//! What a lease does to a link: its address, its routes and its MTU.

use std::net::IpAddr;

use fps_netlink::{Address, IfIndex, Route, RouteProtocol};
use fps_netns::{Result, Station, gone_is_fine};
use ipnet::{IpNet, Ipv4Net};

use super::Lease;
use crate::scenario::Renewal;

/// The link of a host that leases are for.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) station: Station,
    pub(super) index: IfIndex,
    pub(super) metric: Option<u32>,
    pub(super) renewal: Renewal,
    /// The MTU that the link had before a lease gave it another.
    pub(super) own_mtu: Option<u32>,
}

impl Place {
    /// Sets what a lease says, in place of an older one.
    ///
    /// A route whose gateway is another now is replaced and never missing. With
    /// [`Renewal::Replaces`] the kernel takes away all that hangs on the address, others' routes too
    /// (`fib_sync_down_addr`, and `fib_disable_ip` once the link has no address). Another address takes
    /// the place of the old one in that order too: with the first of two in a subnet the kernel deletes
    /// the second (`promote_secondaries` in Documentation/networking/ip-sysctl.rst).
    pub(super) async fn put(&mut self, new: &Lease, old: Option<&Lease>) -> Result<()> {
        let netlink = self.station.netlink();
        let goes = |old: &&Lease| self.renewal == Renewal::Replaces || old.address != new.address;
        if let Some(old) = old.filter(goes) {
            gone_is_fine(netlink.delete_address(&self.address(old)).await)?;
        }
        if old.and_then(|old| old.mtu) != new.mtu {
            self.set_mtu(new.mtu).await?;
        }
        let netlink = self.station.netlink();
        netlink.replace_address(&self.address(new)).await?;
        let routes = self.routes(new);
        for route in &routes {
            netlink.replace_route(route).await?;
        }
        if let Some(old) = old {
            for route in self.routes(old).iter().filter(|old| !routes.contains(old)) {
                gone_is_fine(netlink.delete_route(route).await)?;
            }
        }
        Ok(())
    }

    /// Takes away what a lease has brought.
    pub(super) async fn take(&mut self, old: &Lease) -> Result<()> {
        let netlink = self.station.netlink();
        for route in self.routes(old) {
            gone_is_fine(netlink.delete_route(&route).await)?;
        }
        gone_is_fine(netlink.delete_address(&self.address(old)).await)?;
        self.set_mtu(None).await
    }

    /// Sets the MTU of a lease, or, where it says none, that which the link had before.
    async fn set_mtu(&mut self, given: Option<u16>) -> Result<()> {
        let mtu = match (given, self.own_mtu) {
            (Some(given), own) => {
                if own.is_none() {
                    self.own_mtu = Some(self.station.settle(self.index).await?.mtu);
                }
                given.into()
            }
            (None, Some(own)) => {
                self.own_mtu = None;
                own
            }
            (None, None) => return Ok(()),
        };
        Ok(self.station.netlink().set_mtu(self.index, mtu).await?)
    }

    fn address(&self, lease: &Lease) -> Address {
        Address {
            metric: self.metric,
            ..Address::new(self.index, lease.address.into())
        }
    }

    /// The classless routes, or a default route by the first router (RFC 3442: who has the ones does
    /// not look at the other).
    fn routes(&self, lease: &Lease) -> Vec<Route> {
        let default = Ipv4Net::default();
        let given: Vec<_> = match lease.routes.as_slice() {
            [] => {
                let routers = lease.routers.iter().take(1);
                routers.map(|router| (default, Some(*router))).collect()
            }
            routes => routes.iter().map(|route| (route.to, route.via)).collect(),
        };
        let routes = given.into_iter().map(|(to, via)| {
            let mut route = Route::new(IpNet::V4(to));
            if let Some(via) = via {
                route = route.via(IpAddr::V4(via));
            }
            Route {
                metric: self.metric,
                source: Some(lease.address.addr().into()),
                protocol: RouteProtocol::Dhcp,
                ..route.on_link(self.index)
            }
        });
        routes.collect()
    }
}
