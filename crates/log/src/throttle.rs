//! Keeps a noisy error from filling the log.

use std::cell::Cell;
use std::time::{Duration, Instant};

/// How far apart two lines about the same trouble are at least.
const PAUSE: Duration = Duration::from_secs(10);

/// Counts one kind of trouble, and says when it is worth a line again.
#[derive(Debug, Default)]
pub struct Throttle {
    count: Cell<u64>,
    suppressed: Cell<u64>,
    last: Cell<Option<Instant>>,
}

impl Throttle {
    /// Counts one more. `Some((count, suppressed))` if it should be logged: how often it happened
    /// in all, and how often since the last line.
    pub fn hit(&self, now: Instant) -> Option<(u64, u64)> {
        self.count.set(self.count.get() + 1);
        if self
            .last
            .get()
            .is_some_and(|last| now.duration_since(last) < PAUSE)
        {
            self.suppressed.set(self.suppressed.get() + 1);
            return None;
        }
        self.last.set(Some(now));
        Some((self.count.get(), self.suppressed.take()))
    }

    /// How often it happened in all.
    pub fn count(&self) -> u64 {
        self.count.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_in_ten_seconds_that_tells_how_many_it_stands_for() {
        let (throttle, start) = (Throttle::default(), Instant::now());
        let after = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(throttle.hit(start), Some((1, 0)));
        assert_eq!(throttle.hit(after(1)), None);
        assert_eq!(throttle.hit(after(9)), None);
        assert_eq!(throttle.hit(after(10)), Some((4, 2)));
        assert_eq!(throttle.count(), 4);
    }
}
