//! In what the kernel differs from the plan.

use super::Finding;
use super::finding::Kind;
use crate::change::differences;
use crate::{Change, DnsChange, Error, KernelState, Ownership, Plan};

/// A finding for each thing that is missing, changed, foreign, shadowed or left over.
pub(super) fn findings(plan: &Plan, state: &KernelState, ownership: &Ownership) -> Vec<Finding> {
    let (needed, in_the_way) = match differences(plan, state, ownership) {
        Ok(both) => both,
        Err(error) => return vec![Kind::Missing.of(error.chain())],
    };
    let in_the_way = in_the_way.iter().map(|error| match error {
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
    });
    let steps = needed.steps.iter().filter_map(|step| {
        let operation = needed.operation(plan, step);
        if step.reason.is_leftover() {
            return None;
        }
        Some(match &step.change {
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
            Change::Dns(DnsChange::Servers(_) | DnsChange::Domains(_)) => match &state.dns {
                Some(dns) if !dns.is_empty() => {
                    Kind::Changed.of(format!("{operation}: it is `{dns}`"))
                }
                _ => Kind::Missing.of(operation.to_string()),
            },
            _ => Kind::Missing.of(operation.to_string()),
        })
    });
    let left = needed
        .leftovers
        .iter()
        .filter(|operation| !is_guard(operation));
    let left = left.map(|operation| Kind::LeftOver.of(format!("undone by: {operation}")));
    in_the_way.chain(steps).chain(left).collect()
}

/// A guard is no leftover: it would come and go with what is needed.
fn is_guard(operation: &crate::Operation) -> bool {
    matches!(operation, crate::Operation::AddRule(_))
}
