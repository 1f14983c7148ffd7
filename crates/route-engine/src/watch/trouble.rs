//! What could not be done, and when that is tried again without an event.

use std::time::{Duration, Instant};

/// The longest wait.
const AT_MOST: Duration = Duration::from_secs(60);

/// A failure, until it is over.
#[derive(Debug)]
pub(super) struct Trouble {
    /// How long to wait after the first failure; each time twice as long.
    first: Duration,
    /// When to try again, and how long that has been waited for.
    again: Option<(Instant, Duration)>,
    told: Option<String>,
}

impl Trouble {
    /// None yet.
    pub(super) fn none(first: Duration) -> Self {
        Self {
            first,
            again: None,
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
        let after = self
            .again
            .map_or(self.first, |(_, after)| (after * 2).min(AT_MOST));
        self.again = Some((Instant::now() + after, after));
    }

    /// Something has happened that may have been waited for: the next wait is as short as the first.
    pub(super) fn may_be_over(&mut self) {
        self.again = None;
    }

    /// How long it is until it is to be tried again.
    pub(super) fn wait(&self) -> Option<Duration> {
        let (at, _) = self.again?;
        Some(at.saturating_duration_since(Instant::now()))
    }

    /// It is tried now, and if nothing comes of that, after the same time once more.
    pub(super) fn is_tried(&mut self) {
        self.again = self.again.map(|(_, after)| (Instant::now() + after, after));
    }

    /// It is over; says whether there was any that has been told.
    pub(super) fn is_over(&mut self) -> bool {
        self.again = None;
        self.told.take().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Duration = Duration::from_secs(1000);

    fn waits(trouble: &Trouble) -> Option<u64> {
        // A busy machine may take its time in between.
        trouble.wait().map(|wait| wait.as_secs().div_ceil(100))
    }

    #[test]
    fn each_wait_is_twice_the_one_before_up_to_the_most() {
        let mut trouble = Trouble::none(Duration::from_secs(20));
        assert_eq!(trouble.wait(), None);
        for (failure, is_new) in [("no", true), ("no", false), ("another", true)] {
            assert_eq!(trouble.has(failure.to_owned()), is_new);
        }
        let wait = trouble.wait().unwrap();
        assert!(wait > Duration::from_secs(40), "{wait:?}");
        assert!(wait <= AT_MOST, "{wait:?}");
    }

    #[test]
    fn what_may_be_over_is_tried_again_soon_and_not_told_again() {
        let mut trouble = Trouble::none(FIRST);
        assert!(trouble.has("no".to_owned()));
        assert_eq!(waits(&trouble), Some(10));
        trouble.may_be_over();
        assert!(!trouble.has("no".to_owned()));
        assert_eq!(waits(&trouble), Some(10));
        assert!(trouble.is_over());
        assert!(!trouble.is_over());
        assert_eq!(trouble.wait(), None);
    }
}
