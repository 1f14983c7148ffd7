//! What holds packets back while the rules change.

use fps_netlink::{FPS_ROUTE_PROTOCOL, Rule, RuleAction, RulePriority};

use crate::intent::is_leak_guard;

/// Rules that refuse the packets that either set of rules chooses, with a priority before all.
///
/// One set of rules cannot take the other's place in one step, and in between the tables may be
/// the old ones and the rules the new: what shall stay out could be led into the tunnel, or what
/// belongs there out of it. So for these milliseconds such packets are refused; TCP sends them
/// again. Nor could both sets stand together: of rules with one priority and one mark the kernel
/// does not tell the inverted one from the other (`rule_exists` in net/core/fib_rules.c).
pub(super) fn guard(old: &[Rule], new: &[Rule]) -> Vec<Rule> {
    let all = || old.iter().chain(new);
    let first = all().map(|rule| rule.priority.0).min().unwrap_or(1);
    let mut guard: Vec<Rule> = Vec::new();
    for rule in all() {
        let refusing = Rule {
            action: RuleAction::Unreachable,
            // With priority 0 it comes behind the rule for table local, which is older.
            priority: RulePriority(first.saturating_sub(1)),
            ..*rule
        };
        let same = |other: &Rule| (other.mark, other.from) == (rule.mark, rule.from);
        let both_ways = |other: &Rule| same(other) && other.inverted != rule.inverted;
        if guard.contains(&refusing) {
            continue;
        }
        // Both would be all packets; and the kernel would take the second for the first.
        match guard
            .iter_mut()
            .find(|other| other.family == rule.family && both_ways(other))
        {
            Some(other) => (other.mark, other.from, other.inverted) = (None, None, false),
            None => guard.push(refusing),
        }
    }
    guard
}

/// Whether a rule is part of a guard: also one that a crash has left.
pub(super) fn is_guard(rule: &Rule) -> bool {
    rule.protocol == FPS_ROUTE_PROTOCOL
        && rule.action == RuleAction::Unreachable
        && !is_leak_guard(rule)
}
