//! The forwarding information base: which rule and which route decide about a packet.
//!
//! The kernel says by which route a packet leaves (`ip route get`), but not which rule led to it,
//! nor what it would say after a change. This works both out, as `fib_rules_lookup`
//! (net/core/fib_rules.c), `fib_table_lookup` (net/ipv4/fib_trie.c) and `fib6_table_lookup`
//! (net/ipv6/route.c) do, for packets of the host itself and for those that it sends on. A test
//! holds it against the kernel.

use std::cmp::Reverse;

use crate::{Family, Flow, IfIndex, Link, LinkName, Route, RouteKind, Rule, RuleAction, TableId};

/// Rules and routes to look in.
#[derive(Clone, Copy, Debug)]
pub struct Fib<'a> {
    /// The rules, in the order of their turns among those with one priority.
    pub rules: &'a [Rule],
    /// The routes of the tables that they lead to.
    pub routes: &'a [Route],
    /// The interfaces, by whose names rules choose.
    pub links: &'a [Link],
}

/// What came of a rule when its turn came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn<'a> {
    /// It is not for this packet.
    NotChosen,
    /// It chooses by more than a [`Rule`] or a [`Flow`] tells, and was passed over.
    Unknown,
    /// Its table has no route for the packet.
    NoRoute,
    /// The route of its table ends the search there (`throw`).
    Throws(&'a Route),
    /// The route of its table does not count, since its prefix is too short
    /// (`suppress_prefixlength`).
    Suppressed(&'a Route),
    /// It does nothing, or sends on to a later rule.
    PassedOn,
    /// It decided.
    Decided,
}

/// What becomes of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict<'a> {
    /// It leaves by this route, to which this rule led.
    Leaves {
        /// The rule.
        rule: &'a Rule,
        /// The route.
        route: &'a Route,
    },
    /// It is refused or dropped: by this rule itself, or by a route of its table.
    Refused {
        /// The rule.
        rule: &'a Rule,
        /// The route.
        route: Option<&'a Route>,
    },
    /// No rule led to a route.
    Lost,
    /// The same or a refusal, but the socket is bound to this interface: of IPv4 the kernel then
    /// takes the destination for a neighbour (`ip_route_output_key_hash_rcu` in net/ipv4/route.c).
    TakenForNeighbour(IfIndex),
}

impl<'a> Verdict<'a> {
    /// The interface by which it leaves: what a local route takes stays here, whatever its interface
    /// (`RTN_LOCAL` in `ip_route_output_key_hash_rcu`).
    pub fn link(&self) -> Option<IfIndex> {
        match self {
            Self::Leaves { route, .. } if route.kind == RouteKind::Local => Some(IfIndex::LOOPBACK),
            Self::Leaves { route, .. } => route.link,
            Self::TakenForNeighbour(link) => Some(*link),
            Self::Refused { .. } | Self::Lost => None,
        }
    }

    /// The rule that decided.
    pub fn rule(&self) -> Option<&'a Rule> {
        match self {
            Self::Leaves { rule, .. } | Self::Refused { rule, .. } => Some(rule),
            Self::Lost | Self::TakenForNeighbour(_) => None,
        }
    }
}

impl<'a> Fib<'a> {
    /// What becomes of a packet. A rule that chooses by more than a [`Rule`] or the [`Flow`] tells is
    /// passed over.
    pub fn lookup(&self, flow: &Flow) -> Verdict<'a> {
        self.walk(flow, |_, _| {})
    }

    /// The same; tells of each rule up to the one that decides, in the order of their turns.
    pub fn walk(&self, flow: &Flow, tell: impl FnMut(&'a Rule, Turn<'a>)) -> Verdict<'a> {
        match (self.search(flow, tell), flow.bound_to, Family::of(flow.to)) {
            (Verdict::Lost | Verdict::Refused { .. }, Some(link), Family::V4) => {
                Verdict::TakenForNeighbour(link)
            }
            (verdict, ..) => verdict,
        }
    }

    fn search(&self, flow: &Flow, mut tell: impl FnMut(&'a Rule, Turn<'a>)) -> Verdict<'a> {
        let family = Family::of(flow.to);
        let mut rules: Vec<_> = self.rules.iter().filter(|r| r.family == family).collect();
        rules.sort_by_key(|rule| rule.priority);
        let mut at_least = rules.first().map(|rule| rule.priority);
        for (at, rule) in rules.iter().enumerate() {
            if Some(rule.priority) < at_least {
                continue;
            }
            match self.chooses(rule, flow) {
                Some(true) => {}
                Some(false) => {
                    tell(rule, Turn::NotChosen);
                    continue;
                }
                None => {
                    tell(rule, Turn::Unknown);
                    continue;
                }
            }
            let found = match rule.action {
                RuleAction::Lookup(table) => self.best(table, flow),
                RuleAction::Goto(priority) => {
                    // One that leads to nowhere is passed over (`fib_rules_lookup`).
                    let mut later = rules[at..].iter();
                    if later.any(|other| other.priority == priority) {
                        at_least = Some(priority);
                    }
                    tell(rule, Turn::PassedOn);
                    continue;
                }
                RuleAction::Nop | RuleAction::Other => {
                    tell(rule, Turn::PassedOn);
                    continue;
                }
                RuleAction::Unreachable | RuleAction::Prohibit | RuleAction::Blackhole => {
                    tell(rule, Turn::Decided);
                    return Verdict::Refused { rule, route: None };
                }
            };
            match found {
                None => tell(rule, Turn::NoRoute),
                Some(route) if route.kind == RouteKind::Throw => tell(rule, Turn::Throws(route)),
                Some(route) if route.refuses() => {
                    tell(rule, Turn::Decided);
                    let route = Some(route);
                    return Verdict::Refused { rule, route };
                }
                Some(route) if suppresses(rule, route) => tell(rule, Turn::Suppressed(route)),
                Some(route) => {
                    tell(rule, Turn::Decided);
                    return Verdict::Leaves { rule, route };
                }
            }
        }
        Verdict::Lost
    }

    /// Whether a rule is for a packet (`fib_rule_match`); none where that depends on what is not known.
    fn chooses(&self, rule: &Rule, flow: &Flow) -> Option<bool> {
        let source = flow.from.is_some_and(|from| {
            let net = rule.from;
            net.is_none_or(|net| net.contains(&from))
        });
        let bound = flow.bound_to.and_then(|index| {
            let mut links = self.links.iter();
            links.find(|link| link.index == index)
        });
        let matches = (rule.from.is_none() || source)
            && rule.to.is_none_or(|net| net.contains(&flow.to))
            && chooses_port(rule, flow)
            && rule.mark.is_none_or(|mark| mark.chooses(flow.mark))
            && rule
                .input
                .as_ref()
                .is_none_or(|link| self.came_in(flow, link))
            && rule
                .output
                .as_ref()
                .is_none_or(|name| bound.is_some_and(|link| link.name == *name));
        let unknown = matches && rule.narrower;
        let user = match rule.users.filter(|_| matches) {
            Some(users) => users.contains(flow.user?),
            None => true,
        };
        // Who is not of its users is not chosen, whatever else it may ask for.
        (!unknown || !user).then_some((matches && user) != rule.inverted)
    }

    /// Whether a packet came in by a link: what a host sends itself comes in by the loopback device.
    fn came_in(&self, flow: &Flow, link: &LinkName) -> bool {
        match flow.came_in {
            None => link.as_str() == "lo",
            Some(index) => self
                .links
                .iter()
                .any(|it| it.index == index && it.name == *link),
        }
    }

    /// The route of a table with the longest prefix, and of those that with the lowest metric.
    fn best(&self, table: TableId, flow: &Flow) -> Option<&'a Route> {
        // Of IPv6 an interface only binds as long as there is no source
        // (`ip6_route_output_flags_noref` in net/ipv6/route.c).
        let binds = flow.to.is_ipv4() || flow.from.is_none();
        let bound_to = flow.bound_to.filter(|_| binds);
        // A route that refuses is one of any interface; but of IPv6 it has the loopback device.
        let leaves_by = |route: &Route, link| {
            route.link == Some(link) || (route.refuses() && flow.to.is_ipv4())
        };
        let usable = |route: &&Route| {
            // What is for one type of service alone is for no packet of ours.
            route.table == table
                && route.tos == 0
                && route.to.contains(&flow.to)
                && bound_to.is_none_or(|link| leaves_by(route, link))
        };
        let key = |route: &&Route| (Reverse(route.to.prefix_len()), route.effective_metric());
        self.routes.iter().filter(usable).min_by_key(key)
    }
}

/// Whether a rule takes no route with so short a prefix (`fib4_rule_suppress`,
/// `fib6_rule_suppress`).
fn suppresses(rule: &Rule, route: &Route) -> bool {
    let length = u32::from(route.to.prefix_len());
    rule.suppress_prefix.is_some_and(|most| length <= most)
}

/// Whether a rule is for the protocol of a packet and the port that it goes to.
fn chooses_port(rule: &Rule, flow: &Flow) -> bool {
    let (protocol, port) = flow.port.unzip();
    rule.ip_protocol.is_none_or(|it| protocol == Some(it))
        && rule
            .ports
            .is_none_or(|ports| port.is_some_and(|port| ports.contains(port)))
}
