//! Patterns that are known from reports, one file for each: what is likely the cause.

mod bypass;
mod filter;
mod firewall;
mod forwarding;
mod gone;
mod lan;
mod lost;
mod mark;
mod mtu;
mod neighbour;
mod refusal;
mod rerouted;
mod resolvers;
mod shadow;
mod source;

use std::collections::HashSet;
use std::net::IpAddr;

use fps_netlink::{Flow, Fwmark, IfIndex, Link, LinkName, Route, Rule, Verdict};

pub use filter::Filter;
pub use firewall::{Fallen, FallenBy, Firewall};
pub use mtu::TooBig;
pub use resolvers::Claims;

use super::Tables;

/// A packet that went astray at a host, and what is known of the two.
#[derive(Clone, Debug)]
pub struct Case<'a> {
    /// The host.
    pub host: String,
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
    /// What became of it, where that is known.
    pub fate: Option<Fate>,
    /// The links that lead to other hosts of the lab.
    pub plugged: HashSet<IfIndex>,
    /// The sysctl by which the host does not forward what came in by that link.
    pub forwards_not: Option<String>,
    /// The next hop, where the host has asked its link for it and got no answer.
    pub mute: Option<IpAddr>,
    /// What the host's nftables do with it.
    pub firewall: Firewall,
    /// Reverse path filtering on the host, where it could be read.
    pub filter: Option<Filter>,
    /// Whether the packet was larger than something on its way takes.
    pub too_big: Option<TooBig>,
    /// Which links of systemd-resolved claim all names.
    pub claims: Option<Claims>,
}

/// What became of a packet at a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It never left the host whose it is.
    Held,
    /// It came in and got no further.
    Stranded,
    /// It left, and was seen nowhere after that.
    Lost,
    /// It came to its target, which sent nothing back: the packet is the answer.
    Unanswered,
    /// The host itself refused it, in these words.
    Refused(String),
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
        forwarding::cause,
        rerouted::cause,
        filter::cause,
        mtu::cause,
        mark::cause,
        bypass::cause,
        refusal::cause,
        lan::cause,
        gone::cause,
        neighbour::cause,
        shadow::cause,
        source::cause,
    ];
    let mut causes = Vec::from_iter(firewall::fallen(case));
    causes.extend(patterns.iter().filter_map(|pattern| pattern(case)));
    if causes.is_empty() {
        // What a firewall's rules are for is not read, so that it is only told where nothing else is
        // known.
        causes.extend(firewall::cause(case).or_else(|| lost::cause(case)));
    }
    causes
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
