//! What could not be done, and when that is tried again without an event.

use std::time::{Duration, Instant};

/// The longest wait.
const AT_MOST: Duration = Duration::from_secs(60);

/// A failure, until it is over.
#[derive(Debug)]
pub(super) struct Trouble {
    /// How long to wait after the first failure; each time twice as long.
    first: Duration,
    /// The last wait; none before the first.
    waited: Option<Duration>,
    /// When to try again; none while it is tried.
    at: Option<Instant>,
    told: Option<String>,
}

impl Trouble {
    /// None yet.
    pub(super) fn none(first: Duration) -> Self {
        Self {
            first,
            waited: None,
            at: None,
            told: None,
        }
    }

    /// Takes note of a failure; says whether it is another than the last.
    pub(super) fn has(&mut self, failure: String) -> bool {
        let is_new = self.told.as_ref() != Some(&failure);
        self.told = Some(failure);
        self.try_again();
        is_new
    }

    /// Has it tried again after a while, each time after a longer one.
    pub(super) fn try_again(&mut self) {
        let last = self.waited;
        let wait = last.map_or(self.first, |last| (last * 2).min(AT_MOST));
        self.waited = Some(wait);
        self.at = Some(Instant::now() + wait);
    }

    /// Something has happened that may have been waited for: the next wait is as short as the first.
    pub(super) fn may_be_over(&mut self) {
        self.waited = None;
        self.at = None;
    }

    /// How long it is until it is to be tried again.
    pub(super) fn wait(&self) -> Option<Duration> {
        let at = self.at?;
        Some(at.saturating_duration_since(Instant::now()))
    }

    /// It is tried now: what comes of that is told.
    pub(super) fn is_tried(&mut self) {
        self.at = None;
    }

    /// It is over; says whether there was any that has been told.
    pub(super) fn is_over(&mut self) -> bool {
        self.may_be_over();
        self.told.take().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Duration = Duration::from_secs(25);

    #[test]
    fn each_wait_is_twice_the_one_before_up_to_the_most() {
        let mut trouble = Trouble::none(FIRST);
        assert_eq!((trouble.wait(), trouble.waited), (None, None));
        let failures = [("no", true), ("no", false), ("another", true)];
        for ((failure, is_new), seconds) in failures.into_iter().zip([25, 50, 60]) {
            assert_eq!(trouble.has(failure.to_owned()), is_new);
            assert_eq!(trouble.waited, Some(Duration::from_secs(seconds)));
            assert!(trouble.wait() <= trouble.waited);
        }
    }

    /// A resolver that hangs is not asked again while it is asked.
    #[test]
    fn nothing_is_waited_for_while_it_is_tried() {
        let mut trouble = Trouble::none(FIRST);
        trouble.try_again();
        trouble.is_tried();
        assert_eq!(trouble.wait(), None);
        trouble.try_again();
        assert_eq!(trouble.waited, Some(FIRST * 2));
        assert!(trouble.wait().is_some());
    }

    #[test]
    fn what_may_be_over_is_tried_again_soon_and_not_told_again() {
        let mut trouble = Trouble::none(FIRST);
        assert!(trouble.has("no".to_owned()));
        trouble.may_be_over();
        assert!(!trouble.has("no".to_owned()));
        assert_eq!(trouble.waited, Some(FIRST));
        assert!(trouble.is_over());
        assert!(!trouble.is_over());
        assert_eq!(trouble.wait(), None);
    }
}
