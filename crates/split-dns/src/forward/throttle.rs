//! Keeps one kind of trouble from filling the log.

use std::cell::Cell;
use std::time::{Duration, Instant};

/// How far apart two lines are at least.
const PAUSE: Duration = Duration::from_secs(10);

/// Counts trouble, and says when it is worth a line.
#[derive(Debug, Default)]
pub(super) struct Throttle {
    count: Cell<u64>,
    last: Cell<Option<Instant>>,
}

impl Throttle {
    /// Counts one more; where it is time for a line, how often it has happened in all.
    pub(super) fn hit(&self, now: Instant) -> Option<u64> {
        self.count.set(self.count.get() + 1);
        let since = |last| now.saturating_duration_since(last);
        if self.last.get().is_some_and(|last| since(last) < PAUSE) {
            return None;
        }
        self.last.set(Some(now));
        Some(self.count.get())
    }

    /// How often it has happened in all.
    #[cfg(test)]
    pub(super) fn count(&self) -> u64 {
        self.count.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_one_line_in_ten_seconds() {
        let (throttle, start) = (Throttle::default(), Instant::now());
        let after = |seconds| throttle.hit(start + Duration::from_secs(seconds));
        assert_eq!(
            [after(0), after(1), after(9), after(10)],
            [Some(1), None, None, Some(4)]
        );
    }
}
