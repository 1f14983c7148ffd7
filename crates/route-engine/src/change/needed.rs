//! The pure core: what of a plan is needed, given what the kernel holds.

use fps_netlink::Route;

use super::apply::for_apply;
use super::cleanup::for_cleanup;
use super::holder::Holders;
use super::spread::spread;
use super::{Change, Reason, Step};
use crate::{Action, Error, KernelState, Operation, Ownership, Plan, PlannedRoute};

/// What is to be done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needed {
    /// In an order that is safe on a live machine.
    pub steps: Vec<Step>,
    /// The operations beyond those of the plan: what an earlier call left.
    pub leftovers: Vec<Operation>,
}

/// What must be done for a plan. What stands already is left alone, so that a second time nothing
/// is needed; what an earlier apply for the same device left, and the plan does not want, goes.
/// Fails, without anything having changed, where a device is missing, where another program's route
/// or rule is in the way, or where somebody else has the tables or priorities.
pub fn needed(plan: &Plan, state: &KernelState, ownership: &Ownership) -> Result<Needed, Error> {
    let (needed, hindered) = needed_but_bypasses(plan, state, ownership)?;
    match hindered.into_iter().next() {
        Some(error) => Err(error),
        None => Ok(needed),
    }
}

/// The same but for bypasses whose device is missing, and what there is to say of those.
pub(crate) fn needed_but_bypasses(
    plan: &Plan,
    state: &KernelState,
    ownership: &Ownership,
) -> Result<(Needed, Vec<Error>), Error> {
    let look = Look {
        plan,
        state,
        ownership,
        holders: Holders::new(plan.intent().tun(), state, ownership),
    };
    let (mut needed, in_the_way) = match plan.action() {
        Action::Plan | Action::Apply => for_apply(&look)?,
        Action::Cleanup { .. } => (for_cleanup(&look), Vec::new()),
    };
    let hinders = |error: &Error| !matches!(error, Error::NoBypassDevice(_));
    let (mut in_the_way, hindered): (Vec<_>, Vec<_>) = in_the_way.into_iter().partition(hinders);
    if !in_the_way.is_empty() {
        return Err(in_the_way.swap_remove(0));
    }
    spread(&mut needed.steps);
    Ok((needed, hindered))
}

/// The same for one who does not mean to change anything: what would be needed, and all that is in
/// the way. Fails only where the device is missing.
pub(crate) fn differences(
    plan: &Plan,
    state: &KernelState,
    ownership: &Ownership,
) -> Result<(Needed, Vec<Error>), Error> {
    for_apply(&Look {
        plan,
        state,
        ownership,
        holders: Holders::new(plan.intent().tun(), state, ownership),
    })
}

/// What there is to look at.
pub(super) struct Look<'a> {
    pub(super) plan: &'a Plan,
    pub(super) state: &'a KernelState,
    pub(super) ownership: &'a Ownership,
    pub(super) holders: Holders,
}

impl Needed {
    /// The operation that needs a step.
    pub fn operation<'a>(&'a self, plan: &'a Plan, step: &Step) -> &'a Operation {
        step.reason.operation(plan, &self.leftovers)
    }

    /// An operation beyond the plan, which needs one change.
    pub(super) fn leave(&mut self, operation: Operation, change: Change) {
        let reason = self.leave_for(operation);
        self.steps.push(change.because(reason));
    }

    /// A route beyond the plan, which goes; unless its interface has gone with it meanwhile.
    pub(super) fn leave_route(&mut self, route: &Route, state: &KernelState) {
        if let Some(planned) = PlannedRoute::of(route, &state.links) {
            let change = Change::DeleteRoute(route.clone());
            self.leave(Operation::DeleteRoute(planned), change);
        }
    }

    /// An operation beyond the plan.
    pub(super) fn leave_for(&mut self, operation: Operation) -> Reason {
        self.leftovers.push(operation);
        Reason::Leftover(self.leftovers.len() - 1)
    }
}
