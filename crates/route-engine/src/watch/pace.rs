//! How soon after one look the next may come.

use std::time::{Duration, Instant};

/// The most, where looks take long: beyond it what follows would not follow.
const MOST: Duration = Duration::from_millis(200);

/// When the last look ended, and how long it took.
///
/// A roam is a dozen events within a tenth of a millisecond, and their last ones come seconds later:
/// so the first is acted on at once, no quiet is waited for, and what comes meanwhile is gathered
/// until the next look.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pace {
    last: Option<(Instant, Duration)>,
}

impl Pace {
    /// Takes note of a look.
    pub(super) fn looked(&mut self, began: Instant, ended: Instant) {
        self.last = Some((ended, ended.saturating_duration_since(began)));
    }

    /// How long the next has to wait: nothing after a while of quiet. However fast events come, it is
    /// no longer than the last look took, so that at most half of the time is spent looking, and
    /// that it waits does not depend on whether more come.
    pub(super) fn wait(&self, now: Instant) -> Duration {
        let Some((ended, took)) = self.last else {
            return Duration::ZERO;
        };
        (ended + took.min(MOST)).saturating_duration_since(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_event_waits_for_nothing_and_the_next_for_a_bounded_time() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let mut pace = Pace::default();
        assert_eq!(pace.wait(at(0)), Duration::ZERO);
        pace.looked(at(0), at(1));
        assert_eq!(pace.wait(at(1)), Duration::from_millis(1));
        assert_eq!(pace.wait(at(2)), Duration::ZERO);
        // A look that took long.
        pace.looked(at(10), at(60));
        assert_eq!(pace.wait(at(60)), Duration::from_millis(50));
        pace.looked(at(1000), at(9000));
        assert_eq!(pace.wait(at(9000)), MOST);
    }
}
