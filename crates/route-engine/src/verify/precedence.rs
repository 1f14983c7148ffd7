//! Rules of others that go before the tunnel's, or before table main, and what they take.

use fps_netlink::{
    FPS_ROUTE_PROTOCOL, Family, IfIndex, RouteProtocol, Rule, RulePriority, TableId,
};
use ipnet::IpNet;

use super::Finding;
use super::finding::Kind;
use crate::change::{Captor, How, Selected, captures, owner_of_rule};
use crate::{Intent, KernelState, Ownership};

/// Of a network that is at least so large nobody takes a part by mistake.
const WIDE: u8 = 8;

/// A finding for each such rule, by the largest network that it takes. What takes all of a full
/// tunnel's packets is found elsewhere: it is in the way of `apply`, too.
pub(super) fn findings(
    intent: &Intent,
    state: &KernelState,
    ownership: &Ownership,
) -> Vec<Finding> {
    let selected = match intent.full_tunnel() {
        Some(full) => Selected::of(full, intent.has_v6_address()),
        None if intent.routes().is_empty() => Vec::new(),
        None => Family::BOTH.map(Selected::ordinary).to_vec(),
    };
    let look = Look {
        intent,
        state,
        ownership,
        tun: state.link(intent.tun()).map(|link| link.index),
        wanted: Wanted::of(intent, state),
    };
    let rules = state.rules.iter();
    let found = rules.filter_map(|rule| {
        let mut of_each = selected.iter();
        of_each.find_map(|selected| look.at(rule, selected))
    });
    found.collect()
}

struct Look<'a> {
    intent: &'a Intent,
    state: &'a KernelState,
    ownership: &'a Ownership,
    tun: Option<IfIndex>,
    wanted: Wanted,
}

impl Look<'_> {
    fn at(&self, rule: &Rule, selected: &Selected) -> Option<Finding> {
        let own = self.ownership.own.iter().flat_map(|own| &own.tables);
        let mut own = own.copied().chain(self.intent.tables());
        let is_own = rule.protocol == FPS_ROUTE_PROTOCOL
            && rule.table().is_none_or(|table| own.any(|it| it == table));
        let last = self.last(rule.family)?;
        if is_own || rule.priority >= last {
            return None;
        }
        let captors = captures(self.state, rule, selected);
        if self.intent.full_tunnel().is_some() && captors.iter().any(Captor::is_whole) {
            return None;
        }
        let captors = captors.into_iter().filter(|captor| match captor.how {
            How::Route(route) => self.tun.is_none() || route.link != self.tun,
            How::Refused => true,
            How::Jump(target) => target > last,
        });
        let (captor, touches) = captors
            .filter_map(|captor| Some((captor, self.wanted.touched(captor.net)?)))
            .next()?;
        let owner = owner_of_rule(rule);
        let before = match self.intent.full_tunnel() {
            Some(_) => "the tunnel's",
            None => "table main",
        };
        let what = captor.what(self.state);
        Some(match (touches, captor.all) {
            (Touched::Whole(net), true) => Kind::Shadowed.of(format!(
                "the rule `{rule}`, which is {owner}, goes before {before}, takes what is for {net} and \
                 {what}"
            )),
            (Touched::Whole(net) | Touched::Part(net), _) => Kind::Warning.of(format!(
                "the rule `{rule}`, which is {owner}, goes before {before}, takes a part of what is \
                 for {net} and {what}"
            )),
        })
    }

    /// The priority before which a rule goes before the tunnel's routes.
    fn last(&self, family: Family) -> Option<RulePriority> {
        if let Some(full) = self.intent.full_tunnel() {
            return full.priorities().last();
        }
        let main = self.state.rules.iter().filter(|rule| {
            let kernels = rule.protocol == RouteProtocol::Kernel;
            rule.family == family && kernels && rule.table() == Some(TableId::MAIN)
        });
        main.map(|rule| rule.priority).min()
    }
}

/// What is to go into the tunnel.
enum Wanted {
    /// These, in their order.
    Nets(Vec<IpNet>),
    /// Everything but these.
    AllBut(Vec<IpNet>),
}

/// What of it is in a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Touched {
    /// All that is for this one.
    Whole(IpNet),
    /// A part of it.
    Part(IpNet),
}

impl Wanted {
    fn of(intent: &Intent, state: &KernelState) -> Self {
        let Some(full) = intent.full_tunnel() else {
            let mut nets: Vec<_> = intent.routes().iter().map(|to| to.net()).collect();
            nets.sort();
            return Self::Nets(nets);
        };
        let bypasses = full.bypasses.iter().map(|bypass| bypass.to.net());
        let endpoints = intent.endpoints().iter();
        let endpoints = endpoints.map(|endpoint| IpNet::from(endpoint.address));
        let lan = state.underlay().lan(intent);
        let lan = lan.into_iter().map(|route| route.to);
        Self::AllBut(bypasses.chain(endpoints).chain(lan).collect())
    }

    fn touched(&self, net: IpNet) -> Option<Touched> {
        match self {
            Self::AllBut(exceptions) => {
                if exceptions.iter().any(|exception| exception.contains(&net)) {
                    return None;
                }
                let wide = net.prefix_len() <= WIDE;
                Some(if wide {
                    Touched::Whole(net)
                } else {
                    Touched::Part(net)
                })
            }
            Self::Nets(nets) => {
                let wider = (0..=net.prefix_len()).find_map(|length| {
                    let wider = IpNet::new(net.addr(), length).ok()?.trunc();
                    nets.binary_search(&wider).ok().map(|_| wider)
                });
                match wider {
                    Some(wider) if wider == net => Some(Touched::Whole(net)),
                    Some(wider) => Some(Touched::Part(wider)),
                    None => {
                        // The first that begins in it is in it, since networks do not overlap half.
                        let from = nets.partition_point(|other| *other < net);
                        let inner = nets.get(from).filter(|inner| net.contains(*inner));
                        inner.map(|inner| Touched::Whole(*inner))
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_of_some_networks_is_in_another() {
        let net = |text: &str| text.parse::<IpNet>().unwrap();
        let mut nets = ["10.66.0.0/16", "10.77.1.0/24", "fd66:1::/48"]
            .map(net)
            .to_vec();
        nets.sort();
        let wanted = Wanted::Nets(nets);
        for (taken, touched) in [
            ("0.0.0.0/0", Some(Touched::Whole(net("10.66.0.0/16")))),
            ("10.77.0.0/16", Some(Touched::Whole(net("10.77.1.0/24")))),
            ("10.77.1.0/24", Some(Touched::Whole(net("10.77.1.0/24")))),
            ("10.77.1.9/32", Some(Touched::Part(net("10.77.1.0/24")))),
            ("10.78.0.0/16", None),
            ("::/0", Some(Touched::Whole(net("fd66:1::/48")))),
            ("fd66:2::/48", None),
        ] {
            assert_eq!(wanted.touched(net(taken)), touched, "{taken}");
        }
        let wanted = Wanted::AllBut(vec![net("192.0.2.0/24")]);
        assert_eq!(wanted.touched(net("192.0.2.0/25")), None);
        let all = net("10.0.0.0/8");
        assert_eq!(wanted.touched(all), Some(Touched::Whole(all)));
        let some = net("100.64.0.0/10");
        assert_eq!(wanted.touched(some), Some(Touched::Part(some)));
    }
}
