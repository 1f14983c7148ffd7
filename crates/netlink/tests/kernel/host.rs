//! A host in namespaces of its own.

use std::net::IpAddr;
use std::time::Duration;

use fps_netlink::{
    Address, Events, Family, Group, IfIndex, LinkName, Netlink, Route, RouteFilter, TableId,
};
use fps_netns::Namespace;

/// The longest that an event may take on a busy machine.
pub(crate) const DEADLINE: Duration = Duration::from_secs(10);

pub(crate) const TABLE: TableId = TableId(4242);

pub(crate) fn name(text: &str) -> LinkName {
    text.parse().unwrap()
}

pub(crate) fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// A host whose bridge `br0` is up; a bridge stands for any link.
pub(crate) struct Host {
    pub(crate) namespace: Namespace,
    pub(crate) netlink: Netlink,
    pub(crate) br0: IfIndex,
}

impl Host {
    pub(crate) async fn new() -> Self {
        let namespace = Namespace::create().unwrap();
        let netlink = namespace.within(Netlink::open).unwrap().unwrap();
        netlink.create_bridge(&name("br0")).await.unwrap();
        let br0 = netlink.link(&name("br0")).await.unwrap().unwrap().index;
        Self {
            namespace,
            netlink,
            br0,
        }
    }

    /// The addresses of `br0` that the kernel did not make by itself.
    pub(crate) async fn addresses(&self) -> Vec<Address> {
        let mut addresses = self.netlink.addresses(Some(self.br0)).await.unwrap();
        addresses.retain(|address| !address.automatic);
        addresses
    }

    pub(crate) async fn routes(&self, family: Family, table: TableId) -> Vec<Route> {
        let table = Some(table);
        let filter = RouteFilter { family, table };
        self.netlink.routes(filter).await.unwrap()
    }

    pub(crate) fn subscribe(&self, groups: &[Group]) -> Events {
        let events = self.namespace.within(|| Events::subscribe(groups));
        events.unwrap().unwrap()
    }

    pub(crate) async fn add_address(&self, net: &str) {
        let address = Address::new(self.br0, net.parse().unwrap());
        self.netlink.add_address(&address).await.unwrap();
    }
}
