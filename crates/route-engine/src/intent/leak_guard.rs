//! The guard against DNS leaks: no query to a port of DNS leaves by the underlay.

use fps_netlink::{
    FPS_ROUTE_PROTOCOL, Family, Fwmark, IpProtocol, LinkName, Rule, RuleAction, RulePriority,
};

use super::full_tunnel::{FullTunnel, Layer};
use crate::Endpoint;

/// DNS (RFC 1035), and DNS over TLS and over QUIC (RFC 7858, RFC 9250).
const PORTS: [u16; 2] = [53, 853];
const PROTOCOLS: [IpProtocol; 2] = [IpProtocol::Udp, IpProtocol::Tcp];

/// The rules of the guard, by their turns. Each kind has a priority of its own, since of rules with one
/// priority the order is that in which they were added, which is another one after a repair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Turn {
    /// The carrier jumps to the end. An inverted rule cannot say so: `not` turns round the whole of
    /// what a rule chooses by, its ports with it (`fib_rule_match` in net/core/fib_rules.c).
    Carrier,
    /// What is bound to a link of the underlay stays on the host: see [`Layer::Bound`].
    Bound,
    /// All else goes into the tunnel.
    Tunnel,
    /// What the tunnel has no route for is refused. A rule, and no route: of IPv6 a route that refuses
    /// has the loopback device, so a socket that is bound to another passes it over
    /// (`rt6_score_route` in net/ipv6/route.c). And it stays when devices go.
    Refused,
    /// Where the carrier jumps to: it does nothing.
    End,
}

impl Turn {
    /// How many priorities there are.
    pub(super) const COUNT: u32 = Self::End as u32 + 1;
}

impl FullTunnel {
    /// The rules that keep queries off the underlay, in the order in which they are to be set: the way
    /// around for the carrier first. They are for both families, whatever the tunnel takes of them.
    pub(crate) fn leak_guard_rules(&self, endpoints: &[Endpoint], links: &[LinkName]) -> Vec<Rule> {
        if !self.leak_guard {
            return Vec::new();
        }
        let of_family = |family| {
            let mut rules = self.around(family, endpoints);
            if family == Family::V4 {
                let table = RuleAction::Lookup(self.table_of(Layer::Bound));
                rules.extend(links.iter().flat_map(|link| {
                    let bound = self.queries(family, Turn::Bound, table).into_iter();
                    bound.map(|rule| Rule {
                        output: Some(*link),
                        ..rule
                    })
                }));
            }
            let table = RuleAction::Lookup(self.table_of(Layer::Dns));
            rules.extend(self.queries(family, Turn::Tunnel, table));
            rules.extend(self.queries(family, Turn::Refused, RuleAction::Unreachable));
            rules
        };
        Family::BOTH.into_iter().flat_map(of_family).collect()
    }

    /// The jump's end, and the jumps: for the carrier's mark, and for an endpoint with a port of DNS.
    fn around(&self, family: Family, endpoints: &[Endpoint]) -> Vec<Rule> {
        let jump = RuleAction::Goto(self.guard_priority(Turn::End));
        let marked = Some(self.carrier_mark()).filter(|mark| *mark != Fwmark(0));
        let marked = marked.map(|mark| self.guard(family, Turn::Carrier, jump).marked(mark));
        let asks = |endpoint: &&Endpoint| {
            let port = endpoint.port.is_some_and(|port| PORTS.contains(&port));
            port && Family::of(endpoint.address) == family
        };
        let to_endpoints = endpoints.iter().filter(asks).flat_map(|endpoint| {
            let to = Some(endpoint.net().net());
            let port = endpoint.port.unwrap_or_default();
            PROTOCOLS.map(|protocol| Rule {
                to,
                ..self
                    .guard(family, Turn::Carrier, jump)
                    .sent_to_port(protocol, port)
            })
        });
        let jumps: Vec<_> = marked.into_iter().chain(to_endpoints).collect();
        let end = self.guard(family, Turn::End, RuleAction::Nop);
        let end = (!jumps.is_empty()).then_some(end);
        end.into_iter().chain(jumps).collect()
    }

    fn queries(&self, family: Family, turn: Turn, action: RuleAction) -> Vec<Rule> {
        let rule = self.guard(family, turn, action);
        let each = |protocol| PORTS.map(|port| rule.sent_to_port(protocol, port));
        PROTOCOLS.into_iter().flat_map(each).collect()
    }

    fn guard(&self, family: Family, turn: Turn, action: RuleAction) -> Rule {
        Rule {
            protocol: FPS_ROUTE_PROTOCOL,
            ..Rule::new(family, self.guard_priority(turn), action)
        }
    }

    fn guard_priority(&self, turn: Turn) -> RulePriority {
        RulePriority(self.priority.0.saturating_add(turn as u32))
    }
}

/// Whether a rule is part of such a guard. No other of ours chooses by ports, jumps or does nothing.
pub(crate) fn is_leak_guard(rule: &Rule) -> bool {
    let jumps = matches!(rule.action, RuleAction::Goto(_) | RuleAction::Nop);
    rule.protocol == FPS_ROUTE_PROTOCOL && (rule.is_narrow() || jumps)
}

/// The end of the jumps, which goes last.
pub(crate) fn is_end(rule: &Rule) -> bool {
    rule.action == RuleAction::Nop
}

/// How far the rules of one guard lie apart at most.
pub(crate) fn is_near(one: RulePriority, other: RulePriority) -> bool {
    one.0.abs_diff(other.0) < Turn::COUNT
}
