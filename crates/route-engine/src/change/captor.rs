//! Rules of others that take what a tunnel is to take.

use std::net::IpAddr;

use fps_netlink::{
    Family, Flow, Fwmark, Route, RouteKind, Rule, RuleAction, RulePriority, TableId,
};
use ipnet::IpNet;

use crate::intent::everything;
use crate::{FullTunnel, KernelState, Selector};

/// Packets of this host, as far as rules tell them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Selected {
    pub(crate) family: Family,
    mark: Fwmark,
    from: Option<IpNet>,
}

/// A rule that takes such packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Captor<'a> {
    pub(crate) rule: &'a Rule,
    /// Those to these addresses.
    pub(crate) net: IpNet,
    /// All of those; or only some, by what else it chooses by.
    pub(crate) all: bool,
    pub(crate) how: How<'a>,
}

/// What becomes of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How<'a> {
    /// They leave by a route.
    Route(&'a Route),
    /// They are refused.
    Refused,
    /// They pass over all rules before this priority.
    Jump(RulePriority),
}

/// How many of some packets a rule is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Share {
    None,
    Some,
    All,
}

impl Selected {
    /// Those that nobody has marked.
    pub(crate) fn ordinary(family: Family) -> Self {
        Self {
            family,
            mark: Fwmark(0),
            from: None,
        }
    }

    /// Those that a full tunnel takes.
    pub(crate) fn of(full: &FullTunnel, v6: bool) -> Vec<Self> {
        let families = Family::BOTH.into_iter();
        let each = families.flat_map(|family| full.selectors.iter().map(move |it| (family, it)));
        let chosen = each.filter(|(family, selector)| selector.concerns(*family, v6));
        let selected = chosen.map(|(family, selector)| match selector {
            Selector::Marked(mark) => Self {
                mark: *mark,
                ..Self::ordinary(family)
            },
            Selector::From(net) => Self {
                from: Some(net.net()),
                ..Self::ordinary(family)
            },
            Selector::Unmarked(_) => Self::ordinary(family),
        });
        selected.collect()
    }

    /// One of them that goes to this address.
    pub(crate) fn flow(&self, to: IpAddr) -> Flow {
        let flow = Flow::to(to).marked(self.mark);
        match self.from {
            Some(net) => flow.sent_from(net.addr()),
            None => flow,
        }
    }

    /// How many of them a rule is for, whatever their destination.
    fn share(&self, rule: &Rule) -> Share {
        let source = match (rule.from, self.from) {
            (None, _) => Share::All,
            (Some(theirs), Some(ours)) if theirs.contains(&ours) => Share::All,
            (Some(theirs), Some(ours)) if !ours.contains(&theirs) => Share::None,
            (Some(_), _) => Share::Some,
        };
        let other_mark = rule.mark.is_some_and(|mark| !mark.chooses(self.mark));
        // What a host sends itself comes in by the loopback device.
        let elsewhere = rule.input.as_ref().is_some_and(|it| it.as_str() != "lo");
        let share = if rule.family != self.family || other_mark || elsewhere {
            Share::None
        } else if rule.output.is_some() || rule.is_narrow() {
            source.min(Share::Some)
        } else {
            source
        };
        match (rule.inverted, share) {
            (false, share) => share,
            (true, _) if rule.family != self.family => Share::None,
            (true, Share::All) if rule.to.is_none() => Share::None,
            (true, Share::None) => Share::All,
            (true, _) => Share::Some,
        }
    }
}

impl Share {
    fn min(self, other: Self) -> Self {
        if self as u8 <= other as u8 {
            self
        } else {
            other
        }
    }
}

impl Captor<'_> {
    /// Whether nothing is left: half of all addresses counts as all, since some set the two halves
    /// to leave the default route alone.
    pub(crate) fn is_whole(&self) -> bool {
        self.all && self.net.prefix_len() <= 1
    }

    /// What becomes of the packets, in words.
    pub(crate) fn what(&self, state: &KernelState) -> String {
        match self.how {
            How::Route(route) => format!("leads them out by `{}`", state.describe(route)),
            How::Refused => "refuses them".to_owned(),
            How::Jump(_) => "leads them past other rules".to_owned(),
        }
    }
}

/// What a rule takes of some packets: the largest first.
pub(crate) fn captures<'a>(
    state: &'a KernelState,
    rule: &'a Rule,
    selected: &Selected,
) -> Vec<Captor<'a>> {
    let share = selected.share(rule);
    if share == Share::None || rule.table() == Some(TableId::LOCAL) {
        return Vec::new();
    }
    let to = rule.to.filter(|_| !rule.inverted);
    let to = to.unwrap_or_else(|| everything(rule.family));
    let captor = |net, how| Captor {
        rule,
        net,
        all: share == Share::All,
        how,
    };
    match rule.action {
        RuleAction::Unreachable | RuleAction::Prohibit | RuleAction::Blackhole => {
            vec![captor(to, How::Refused)]
        }
        RuleAction::Goto(target) => {
            let mut rules = state.rules.iter();
            // One that leads to nowhere is passed over.
            let there = rules.any(|it| it.family == rule.family && it.priority == target);
            let jump = there.then(|| captor(to, How::Jump(target)));
            jump.into_iter().collect()
        }
        RuleAction::Nop | RuleAction::Other => Vec::new(),
        RuleAction::Lookup(table) => {
            let mut captors: Vec<_> = routes(state, rule, table)
                .filter_map(|route| Some(captor(common(route.to, to)?, How::Route(route))))
                .collect();
            captors.sort_by_key(|captor| captor.net.prefix_len());
            captors
        }
    }
}

/// The routes of a table that end the search of a rule.
fn routes<'a>(
    state: &'a KernelState,
    rule: &'a Rule,
    table: TableId,
) -> impl Iterator<Item = &'a Route> {
    state.routes.iter().filter(move |route| {
        let suppressed = |most| !route.refuses() && u32::from(route.to.prefix_len()) <= most;
        route.table == table
            && route.family() == rule.family
            && route.kind != RouteKind::Throw
            && route.tos == 0
            && !rule.suppress_prefix.is_some_and(suppressed)
    })
}

/// The addresses of both networks.
fn common(one: IpNet, other: IpNet) -> Option<IpNet> {
    match (one.contains(&other), other.contains(&one)) {
        (true, _) => Some(other),
        (_, true) => Some(one),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(action: RuleAction) -> Rule {
        Rule::new(Family::V4, RulePriority(100), action)
    }

    #[test]
    fn a_rule_takes_all_some_or_none() {
        let ordinary = Selected::ordinary(Family::V4);
        let marked = Selected {
            mark: Fwmark(17),
            ..ordinary
        };
        let from = Selected {
            from: Some("10.66.0.0/30".parse().unwrap()),
            ..ordinary
        };
        let all = rule(RuleAction::Unreachable);
        let net = |text: &str| all.sent_from(text.parse().unwrap());
        let to = Some("10.0.0.0/8".parse().unwrap());
        let output = Some("eth0".parse().unwrap());
        let input = Some("eth0".parse().unwrap());
        for (rule, shares) in [
            (all, [Share::All, Share::All, Share::All]),
            (
                all.marked(Fwmark(17)),
                [Share::None, Share::All, Share::None],
            ),
            (
                all.marked(Fwmark(17)).inverted(),
                [Share::All, Share::None, Share::All],
            ),
            (net("10.66.0.0/16"), [Share::Some, Share::Some, Share::All]),
            (net("10.66.0.2/32"), [Share::Some, Share::Some, Share::Some]),
            (net("10.9.0.0/16"), [Share::Some, Share::Some, Share::None]),
            (all.inverted(), [Share::None, Share::None, Share::None]),
            (
                Rule { to, ..all }.inverted(),
                [Share::Some, Share::Some, Share::Some],
            ),
            (
                Rule { output, ..all },
                [Share::Some, Share::Some, Share::Some],
            ),
            (
                Rule { input, ..all },
                [Share::None, Share::None, Share::None],
            ),
        ] {
            let found = [ordinary, marked, from].map(|selected| selected.share(&rule));
            assert_eq!(found, shares, "{rule}");
        }
        let v6 = Selected::ordinary(Family::V6);
        assert_eq!(v6.share(&all), Share::None);
        assert_eq!(v6.share(&all.inverted()), Share::None);
    }

    #[test]
    fn what_is_taken_is_what_is_left_of_all_that_chooses() {
        let mut state = KernelState::default();
        let mut add = |to: &str, kind| {
            let route = Route::new(to.parse().unwrap()).in_table(TableId(7));
            state.routes.push(route.of_kind(kind));
        };
        add("192.0.2.0/24", RouteKind::Unicast);
        add("0.0.0.0/1", RouteKind::Unicast);
        add("128.0.0.0/1", RouteKind::Throw);
        let lookup = rule(RuleAction::Lookup(TableId(7)));
        let nets = |rule: Rule| {
            let captors = captures(&state, &rule, &Selected::ordinary(Family::V4));
            let nets = captors.iter().map(|captor| captor.net.to_string());
            nets.collect::<Vec<_>>()
        };
        assert_eq!(nets(lookup), ["0.0.0.0/1", "192.0.2.0/24"]);
        let suppress_prefix = Some(1);
        assert_eq!(
            nets(Rule {
                suppress_prefix,
                ..lookup
            }),
            ["192.0.2.0/24"]
        );
        let to = Some("10.0.0.0/8".parse().unwrap());
        assert_eq!(nets(Rule { to, ..lookup }), ["10.0.0.0/8"]);
        let nowhere = rule(RuleAction::Goto(RulePriority(200)));
        assert_eq!(nets(nowhere), [""; 0]);
        state.rules.push(Rule {
            priority: RulePriority(200),
            ..lookup
        });
        let captors = captures(&state, &nowhere, &Selected::ordinary(Family::V4));
        assert!(captors[0].is_whole());
    }
}
