//! How soon a file is looked at after somebody has written it.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Time for a script that writes line by line.
const QUIET: Duration = Duration::from_millis(20);
/// With so many looks within a while somebody else writes whenever we do;
const MANY: usize = 20;
const WHILE: Duration = Duration::from_secs(10);
/// then this long is waited each time.
const SLOW: Duration = Duration::from_secs(1);

/// The last looks.
#[derive(Debug, Default)]
pub(super) struct Pace(VecDeque<Instant>);

impl Pace {
    /// When to look after a change; takes note of it.
    pub(super) fn next(&mut self, now: Instant) -> Instant {
        self.0.retain(|look| now.duration_since(*look) < WHILE);
        let wait = if self.0.len() < MANY { QUIET } else { SLOW };
        let at = now + wait;
        self.0.push_back(now);
        at
    }

    /// Whether it has become slow with the last look.
    pub(super) fn is_slow(&self) -> bool {
        self.0.len() > MANY
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_writes_all_the_time_is_answered_slowly() {
        let (mut pace, begin) = (Pace::default(), Instant::now());
        for _ in 0..MANY {
            assert_eq!(pace.next(begin), begin + QUIET);
            assert!(!pace.is_slow());
        }
        assert_eq!(pace.next(begin), begin + SLOW);
        assert!(pace.is_slow());
        let later = begin + WHILE;
        assert_eq!(pace.next(later), later + QUIET);
    }
}
