//! What the kernel holds.

mod difference;
mod index;
mod key;

pub(crate) use index::RouteIndex;
pub(crate) use key::{RouteKey, same_route};

use fps_netlink::{Address, Fib, IfIndex, Link, LinkName, ProtocolName, Route, Rule, TableId};

use crate::{Dns, Underlay};

/// A host's network, as far as an intent can touch it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KernelState {
    /// Its interfaces.
    pub links: Vec<Link>,
    /// Their addresses.
    pub addresses: Vec<Address>,
    /// The routes of the tables that are looked at.
    pub routes: Vec<Route>,
    /// The rules.
    pub rules: Vec<Rule>,
    /// What is looked up through the TUN device; none where nobody could be asked.
    pub dns: Option<Dns>,
}

impl KernelState {
    /// The interface of this name.
    pub fn link(&self, name: LinkName) -> Option<&Link> {
        self.links.iter().find(|link| link.name == name)
    }

    /// Whether the host has IPv6 at all: beside the loopback device, an interface that takes it.
    pub(crate) fn has_ipv6(&self) -> bool {
        let mut links = self.links.iter();
        links.any(|link| link.ipv6 && link.name.as_str() != "lo")
    }

    /// What lies below the tunnel.
    pub fn underlay(&self) -> Underlay<'_> {
        Underlay {
            links: &self.links,
            routes: &self.routes,
        }
    }

    /// What the kernel would decide about a packet.
    pub fn fib(&self) -> Fib<'_> {
        Fib {
            rules: &self.rules,
            routes: &self.routes,
            links: &self.links,
        }
    }

    /// The name of the interface with this index.
    pub fn link_name(&self, index: IfIndex) -> Option<LinkName> {
        let mut links = self.links.iter();
        links.find(|link| link.index == index).map(|link| link.name)
    }

    /// An interface's name, or what else can be said of it.
    pub(crate) fn name(&self, index: IfIndex) -> String {
        let name = self.link_name(index);
        name.map_or_else(|| format!("(index {index})"), |name| name.to_string())
    }

    /// A route with its interface by name, and who set it, as `ip route show` prints it.
    pub(crate) fn describe(&self, route: &Route) -> String {
        let kind = route
            .kind_word()
            .map_or_else(String::new, |kind| format!("{kind} "));
        let mut text = format!("{kind}{}", route.to);
        if let Some(gateway) = route.gateway {
            text += &format!(" via {gateway}");
        }
        if let Some(link) = route.link {
            text += &format!(" dev {}", self.name(link));
        }
        text += &format!(" proto {}", ProtocolName(route.protocol));
        if let Some(metric) = route.metric {
            text += &format!(" metric {metric}");
        }
        if route.table != TableId::MAIN {
            text += &format!(" table {}", route.table);
        }
        text
    }

    pub(crate) fn holds_address(&self, address: &Address) -> bool {
        let same = |other: &Address| (other.link, other.net) == (address.link, address.net);
        self.addresses.iter().any(same)
    }
}
