//! When a step's other expectations are through: absence is to come of what they do, either.

use tokio::sync::watch;

use crate::scenario::Check;

/// The expectations of a step for which those wait that say what does not happen.
pub(in crate::play) struct Others(watch::Sender<usize>);

impl Others {
    /// Of expectations that are checked side by side.
    pub(in crate::play) fn among<'a>(checks: impl Iterator<Item = &'a Check>) -> Self {
        let count = checks.filter(|check| !waits(check)).count();
        Self(watch::Sender::new(count))
    }

    /// One is through.
    pub(in crate::play) fn ended(&self, check: &Check) {
        if !waits(check) {
            self.0.send_modify(|left| *left -= 1);
        }
    }

    /// Whether all are.
    pub(super) fn are_through(&self) -> bool {
        *self.0.borrow() == 0
    }

    /// Waits until all are.
    pub(super) async fn through(&self) {
        let mut left = self.0.subscribe();
        left.wait_for(|left| *left == 0)
            .await
            .expect("its sender is this");
    }
}

/// Whether an expectation goes on until the others are through.
fn waits(check: &Check) -> bool {
    matches!(check, Check::Silent(_) | Check::NoCarrierLoop(_))
}
