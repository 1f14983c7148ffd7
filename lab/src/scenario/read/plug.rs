//! Which address is where: at first by the file's links, later by roams and TUN devices.

use std::net::IpAddr;

use fps_netlink::LinkName;
use ipnet::IpNet;

use crate::scenario::diagnostic::Span;
use crate::scenario::model::{HostName, NetName};

/// An address that an interface holds.
#[derive(Clone, Debug)]
pub(crate) struct Plug {
    pub(crate) host: HostName,
    pub(crate) link: LinkName,
    /// The net behind the link; none for a TUN device.
    pub(crate) net: Option<NetName>,
    pub(crate) address: IpNet,
    /// Where the file says so.
    pub(crate) span: Span,
}

/// All addresses that stand at one moment of a scenario.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plugs(Vec<Plug>);

impl Plugs {
    /// Adds an address.
    pub(crate) fn add(&mut self, plug: Plug) {
        self.0.push(plug);
    }

    /// Takes one address off an interface.
    pub(crate) fn remove(&mut self, host: &HostName, link: &LinkName, address: IpAddr) {
        let is_it = |plug: &Plug| plug.host == *host && plug.link == *link;
        self.0
            .retain(|plug| !is_it(plug) || plug.address.addr() != address);
    }

    /// Gives an interface another name.
    pub(crate) fn rename(&mut self, host: &HostName, link: &LinkName, new: LinkName) {
        let of = self.0.iter_mut();
        of.filter(|plug| plug.host == *host && plug.link == *link)
            .for_each(|plug| plug.link = new);
    }

    /// Takes all addresses off an interface.
    pub(crate) fn clear(&mut self, host: &HostName, link: &LinkName) {
        self.0
            .retain(|plug| plug.host != *host || plug.link != *link);
    }

    /// The addresses of a host, or of one interface of it.
    pub(crate) fn of<'p>(
        &'p self,
        host: &'p HostName,
        link: Option<&'p LinkName>,
    ) -> impl Iterator<Item = &'p Plug> {
        let wanted = move |plug: &&Plug| link.is_none_or(|link| plug.link == *link);
        self.0
            .iter()
            .filter(|plug| plug.host == *host)
            .filter(wanted)
    }

    /// Who holds an address in a net.
    pub(crate) fn holder(&self, net: &NetName, address: IpAddr) -> Option<&Plug> {
        self.holders(address)
            .find(|plug| plug.net.as_ref() == Some(net))
    }

    /// Who holds an address anywhere.
    pub(crate) fn holders(&self, address: IpAddr) -> impl Iterator<Item = &Plug> {
        self.0
            .iter()
            .filter(move |plug| plug.address.addr() == address)
    }
}
