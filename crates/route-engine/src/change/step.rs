//! A change, and what needs it.

use super::Change;
use crate::{Operation, Plan};

/// A change, and why it is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Which operation needs it.
    pub reason: Reason,
    /// What the kernel is told.
    pub change: Change,
}

/// An operation by its place. There may be 100 000 of them, so that none is kept twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// One of the plan.
    Planned(usize),
    /// One beyond it: for what an earlier call left.
    Leftover(usize),
}

impl Reason {
    /// The operation.
    pub(super) fn operation<'a>(self, plan: &'a Plan, leftovers: &'a [Operation]) -> &'a Operation {
        match self {
            Self::Planned(at) => &plan.operations()[at],
            Self::Leftover(at) => &leftovers[at],
        }
    }

    /// Whether it is beyond the plan.
    pub(crate) fn is_leftover(self) -> bool {
        matches!(self, Self::Leftover(_))
    }
}
