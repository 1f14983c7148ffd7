//! In what the kernel differs from the plan.

use super::Finding;
use super::finding::Kind;
use crate::change::{differences, is_placeholder};
use crate::{Change, DnsChange, Error, KernelState, Needed, Ownership, Plan, Step};

/// A finding for each thing that is missing, changed, foreign, shadowed or left over.
pub(super) fn findings(plan: &Plan, state: &KernelState, ownership: &Ownership) -> Vec<Finding> {
    let (needed, in_the_way) = match differences(plan, state, ownership) {
        Ok(both) => both,
        Err(error) => return vec![Kind::Missing.of(error.chain())],
    };
    let steps = needed.steps.iter();
    let found = steps.filter_map(|step| match step.reason.is_leftover() {
        true => beyond(&needed, plan, state, step),
        false => Some(planned(&needed, plan, state, step)),
    });
    let mut findings: Vec<_> = in_the_way.iter().map(hindrance).chain(found).collect();
    // Of an address that goes there are several steps.
    findings.dedup();
    findings
}

fn hindrance(error: &Error) -> Finding {
    match error {
        Error::Captured {
            rule, owner, what, ..
        } => Kind::Shadowed.of(format!(
            "the rule `{rule}`, which is {owner}, takes all packets and {what}"
        )),
        Error::Taken {
            what,
            theirs,
            owner,
        } => Kind::Foreign.of(format!("{what}: the {theirs} has it, which is {owner}")),
        Error::Foreign {
            command, theirs, ..
        } => Kind::Foreign.of(format!("{command}: the {theirs} stands in its place")),
        error => Kind::Missing.of(error.chain()),
    }
}

/// What an operation of the plan finds.
fn planned(needed: &Needed, plan: &Plan, state: &KernelState, step: &Step) -> Finding {
    let operation = needed.operation(plan, step);
    match &step.change {
        Change::SetMtu { from, .. } => Kind::Changed.of(format!("{operation}: it is {from}")),
        Change::SetUp(_) => Kind::Changed.of(format!("{operation}: it is down")),
        Change::ReplaceRoute(routes) => {
            let is = state.describe(&routes.0);
            Kind::Changed.of(format!("{operation}: it is `{is}`"))
        }
        // One too many with this prefix and metric.
        Change::DeleteRoute(route) => Kind::LeftOver.of(format!(
            "{operation}: beside it `{}`",
            state.describe(route)
        )),
        Change::Dns(DnsChange::DefaultRoute(_)) => Kind::Changed.of(operation.to_string()),
        Change::Dns(DnsChange::Servers(_) | DnsChange::Domains(_)) => match &state.dns {
            Some(dns) if !dns.is_empty() => Kind::Changed.of(format!("{operation}: it is `{dns}`")),
            _ => Kind::Missing.of(operation.to_string()),
        },
        _ => Kind::Missing.of(operation.to_string()),
    }
}

/// What a step beyond the plan finds: something that is there and is not wanted. What would come and
/// go with the steps alone, as guards and placeholders do, is nothing.
fn beyond(needed: &Needed, plan: &Plan, state: &KernelState, step: &Step) -> Option<Finding> {
    let there = match &step.change {
        Change::DeleteRule(rule) => state.rules.contains(rule),
        Change::DeleteRoute(route) => state.routes.contains(route),
        Change::DeleteAddress(address) => state.holds_address(address),
        Change::Dns(_) => true,
        // A route that comes with an address, and has been taken away.
        Change::AddRoute(route) if !is_placeholder(route) => {
            let operation = needed.operation(plan, step);
            return Some(Kind::Missing.of(operation.to_string()));
        }
        _ => false,
    };
    let operation = needed.operation(plan, step);
    there.then(|| Kind::LeftOver.of(format!("undone by: {operation}")))
}
