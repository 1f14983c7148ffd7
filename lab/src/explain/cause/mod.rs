//! Patterns that are known from reports, one file for each: what is likely the cause.

mod bypass;
mod filter;
mod gone;
mod lan;
mod mark;
mod mtu;
mod refusal;
mod rerouted;
mod resolvers;
mod shadow;
mod source;

use std::net::IpAddr;

use fps_netlink::{Flow, Fwmark, IfIndex, Link, LinkName, Route, Rule, Verdict};

pub use filter::Filter;
pub use mtu::TooBig;
pub use resolvers::Claims;

use super::Tables;

/// A packet that went astray at a host, and what is known of the two.
#[derive(Clone, Debug)]
pub struct Case<'a> {
    /// What the host goes by.
    pub tables: &'a Tables,
    /// The packet as it leaves the host, or should.
    pub flow: Flow,
    /// The link by which it should have left, where the scenario says that.
    pub wanted: Option<LinkName>,
    /// The link by which it was seen to leave.
    pub left_by: Option<LinkName>,
    /// The tunnel's part of the host, where it has one.
    pub tunnel: Option<Tunnel>,
    /// A packet that came in here and got no further: from where, and by which link.
    pub stranded: Option<(IpAddr, IfIndex)>,
    /// Reverse path filtering on the host, where it could be read.
    pub filter: Option<Filter>,
    /// Whether the packet was larger than something on its way takes.
    pub too_big: Option<TooBig>,
    /// Which links of systemd-resolved claim all names.
    pub claims: Option<Claims>,
}

/// A tunnel as one host sees it.
#[derive(Clone, Debug)]
pub struct Tunnel {
    /// The TUN devices on this host.
    pub tuns: Vec<LinkName>,
    /// The carrier's far end, on the client's host.
    pub endpoint: Option<IpAddr>,
    /// The mark that the tunnel's own sockets carry.
    pub mark: Option<Fwmark>,
}

/// What is likely the cause, the likeliest first.
pub fn likely(case: &Case<'_>) -> Vec<String> {
    let patterns = [
        resolvers::cause,
        rerouted::cause,
        filter::cause,
        mtu::cause,
        mark::cause,
        bypass::cause,
        refusal::cause,
        lan::cause,
        gone::cause,
        shadow::cause,
        source::cause,
    ];
    patterns
        .iter()
        .filter_map(|pattern| pattern(case))
        .collect()
}

impl<'a> Case<'a> {
    fn verdict(&self) -> Verdict<'a> {
        self.tables.fib().lookup(&self.flow)
    }

    /// The rule and the route by which the packet leaves.
    fn decided(&self) -> Option<(&'a Rule, &'a Route)> {
        match self.verdict() {
            Verdict::Leaves { rule, route } => Some((rule, route)),
            _ => None,
        }
    }

    /// The link by which the packet leaves.
    pub fn link(&self) -> Option<&'a Link> {
        self.tables.link(self.verdict().link()?)
    }

    fn is_tun(&self, link: &Link) -> bool {
        let tunnel = self.tunnel.as_ref();
        tunnel.is_some_and(|tunnel| tunnel.tuns.contains(&link.name))
    }

    /// Whether the packet goes into a tunnel.
    fn in_tunnel(&self) -> Option<&'a Link> {
        self.link().filter(|link| self.is_tun(link))
    }

    /// Whether the packet is the carrier's: it goes to the carrier's far end.
    fn is_carrier(&self) -> bool {
        let tunnel = self.tunnel.as_ref();
        tunnel.is_some_and(|tunnel| tunnel.endpoint == Some(self.flow.to))
    }
}
