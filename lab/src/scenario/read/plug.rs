//! Which address is where: at first by the file's links, later by roams and TUN devices.

use std::net::IpAddr;

use fps_netlink::LinkName;
use ipnet::IpNet;

use super::Family;
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

/// A link that somebody else gives an address.
#[derive(Clone, Debug)]
pub(crate) struct Gift {
    pub(crate) host: HostName,
    pub(crate) link: LinkName,
    pub(crate) net: NetName,
    pub(crate) family: Family,
}

/// All addresses that stand at one moment of a scenario.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plugs {
    plugs: Vec<Plug>,
    gifts: Vec<Gift>,
}

impl Plugs {
    /// Adds an address.
    pub(crate) fn add(&mut self, plug: Plug) {
        self.plugs.push(plug);
    }

    /// Adds one that will only show.
    pub(crate) fn add_gift(&mut self, gift: Gift) {
        self.gifts.push(gift);
    }

    /// Takes one address off an interface.
    pub(crate) fn remove(&mut self, host: &HostName, link: &LinkName, address: IpAddr) {
        let is_it = |plug: &Plug| plug.host == *host && plug.link == *link;
        self.plugs
            .retain(|plug| !is_it(plug) || plug.address.addr() != address);
    }

    /// Gives an interface another name.
    pub(crate) fn rename(&mut self, host: &HostName, link: &LinkName, new: LinkName) {
        let plugs = self.plugs.iter_mut();
        plugs
            .filter(|plug| plug.host == *host && plug.link == *link)
            .for_each(|plug| plug.link = new);
        let gifts = self.gifts.iter_mut();
        gifts
            .filter(|gift| gift.host == *host && gift.link == *link)
            .for_each(|gift| gift.link = new);
    }

    /// Takes all addresses off an interface, and gives them; those that it is given it is given again.
    pub(crate) fn take(&mut self, host: &HostName, link: &LinkName) -> Vec<Plug> {
        let taken = self.of(host, Some(link)).cloned().collect();
        self.plugs
            .retain(|plug| plug.host != *host || plug.link != *link);
        taken
    }

    /// Takes all addresses off an interface, which gets no more.
    pub(crate) fn clear(&mut self, host: &HostName, link: &LinkName) {
        self.take(host, link);
        self.gifts
            .retain(|gift| gift.host != *host || gift.link != *link);
    }

    /// What a host is given, or one interface of it.
    pub(crate) fn gifts<'p>(
        &'p self,
        host: &'p HostName,
        link: Option<&'p LinkName>,
    ) -> impl Iterator<Item = &'p Gift> {
        let wanted = move |gift: &&Gift| link.is_none_or(|link| gift.link == *link);
        let gifts = self.gifts.iter();
        gifts.filter(|gift| gift.host == *host).filter(wanted)
    }

    /// Whether a link is given an address: one of IPv4 by DHCP, one of IPv6 by advertisements.
    pub(crate) fn is_given(&self, host: &HostName, link: &LinkName, family: Family) -> bool {
        let mut gifts = self.gifts(host, Some(link));
        gifts.any(|gift| gift.family == family)
    }

    /// The addresses in a net.
    pub(crate) fn in_net(&self, net: &NetName) -> impl Iterator<Item = &Plug> {
        let plugs = self.plugs.iter();
        plugs.filter(move |plug| plug.net.as_ref() == Some(net))
    }

    /// The addresses of a host, or of one interface of it.
    pub(crate) fn of<'p>(
        &'p self,
        host: &'p HostName,
        link: Option<&'p LinkName>,
    ) -> impl Iterator<Item = &'p Plug> {
        let wanted = move |plug: &&Plug| link.is_none_or(|link| plug.link == *link);
        self.plugs
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
        self.plugs
            .iter()
            .filter(move |plug| plug.address.addr() == address)
    }
}
