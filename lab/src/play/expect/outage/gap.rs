//! The time without an answer.

use std::time::{Duration, Instant};

/// A time in which no answer came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Gap {
    /// The last answer before it.
    pub(super) from: Instant,
    /// The first answer after it, or when nobody waited for one any more.
    pub(super) to: Instant,
    /// Whether it had ended by then.
    pub(super) over: bool,
    /// How much of it may be the lab's own: time in which no question was sent though one was due.
    pub(super) late: Duration,
}

impl Gap {
    pub(super) fn length(&self) -> Duration {
        self.to.saturating_duration_since(self.from)
    }

    /// How much of it is the network's without a doubt.
    pub(super) fn certain(&self) -> Duration {
        self.length().saturating_sub(self.late)
    }
}

/// The gaps between answers, the longest first. `sent` and `answered` are in order of time, and `end`
/// is when the watch ended.
pub(super) fn gaps(
    sent: &[Instant],
    answered: &[Instant],
    end: Instant,
    pace: Duration,
) -> Vec<Gap> {
    let ends = answered.iter().skip(1).map(|at| (*at, true));
    let ends = ends.chain([(end, false)]);
    let mut gaps: Vec<Gap> = answered
        .iter()
        .zip(ends)
        .map(|(from, (to, over))| Gap {
            from: *from,
            to: to.max(*from),
            over,
            late: late(sent, (*from, to, over), pace),
        })
        .collect();
    gaps.sort_by_key(|gap| std::cmp::Reverse(gap.length()));
    gaps
}

/// By how much questions came later than they were due. The time from the last one to an answer is the
/// network's; to the end of the watch, which may have come late itself, further ones were due.
fn late(sent: &[Instant], (from, to, over): (Instant, Instant, bool), pace: Duration) -> Duration {
    // A tick of the timer may be late by itself, so that one pace too many is nobody's fault.
    let due = 2 * pace;
    let mut last = from;
    let mut late = Duration::ZERO;
    for at in sent.iter().filter(|at| **at > from && **at < to) {
        late += at.saturating_duration_since(last).saturating_sub(due);
        last = *at;
    }
    if !over {
        late += to.saturating_duration_since(last).saturating_sub(due);
    }
    late
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACE: Duration = Duration::from_millis(5);

    /// Moments, in milliseconds after one of them.
    struct Clock(Instant);

    impl Clock {
        fn at(&self, times: impl IntoIterator<Item = u64>) -> Vec<Instant> {
            let moments = times.into_iter();
            moments
                .map(|ms| self.0 + Duration::from_millis(ms))
                .collect()
        }

        fn gaps(&self, sent: &[Instant], answered: &[Instant], end: u64) -> Vec<Gap> {
            gaps(sent, answered, self.at([end])[0], PACE)
        }
    }

    #[test]
    fn the_longest_is_first_and_runs_from_answer_to_answer() {
        let clock = Clock(Instant::now());
        let sent = clock.at((0..80).map(|n| n * 5));
        let answered = clock.at((1..=101).step_by(5).chain((301..=396).step_by(5)));
        let gaps = clock.gaps(&sent, &answered, 398);
        assert_eq!(gaps[0].length(), Duration::from_millis(200));
        assert_eq!((gaps[0].over, gaps[0].late), (true, Duration::ZERO));
        assert_eq!(gaps[1].length(), PACE);
    }

    #[test]
    fn one_that_is_not_over_counts_up_to_the_end() {
        let clock = Clock(Instant::now());
        let sent = clock.at((0..60).map(|n| n * 5));
        let gaps = clock.gaps(&sent, &clock.at([1, 6, 11]), 300);
        assert_eq!(gaps[0].length(), Duration::from_millis(289));
        assert_eq!((gaps[0].over, gaps[0].late), (false, Duration::ZERO));
    }

    #[test]
    fn what_the_lab_did_not_ask_is_not_the_networks() {
        let clock = Clock(Instant::now());
        let sent = clock.at([0, 5, 150, 155]);
        let gaps = clock.gaps(&sent, &clock.at([1, 6, 151, 156]), 157);
        assert_eq!(gaps[0].length(), Duration::from_millis(145));
        assert_eq!(gaps[0].late, Duration::from_millis(134));
    }

    #[test]
    fn a_long_way_is_not_the_labs_lateness() {
        let clock = Clock(Instant::now());
        let sent = clock.at((0..20).map(|n| n * 5));
        let gaps = clock.gaps(&sent, &clock.at([60, 160]), 161);
        assert_eq!(gaps[0].length(), Duration::from_millis(100));
        assert_eq!(gaps[0].late, Duration::ZERO);
    }

    #[test]
    fn without_an_answer_there_is_none() {
        let clock = Clock(Instant::now());
        assert_eq!(clock.gaps(&clock.at([0, 5]), &[], 10), []);
    }

    #[test]
    fn a_watch_that_ends_late_is_the_labs_own() {
        let clock = Clock(Instant::now());
        let sent = clock.at((0..=20).map(|n| n * 5));
        let answered = clock.at((1..=101).step_by(5));
        let stalled = clock.gaps(&sent, &answered, 401)[0];
        assert_eq!(stalled.length(), Duration::from_millis(300));
        assert_eq!(stalled.late, Duration::from_millis(290));
        // Who goes on asking and is not answered sees an outage.
        let sent = clock.at((0..=80).map(|n| n * 5));
        let cut = clock.gaps(&sent, &answered, 401)[0];
        assert_eq!(cut.length(), Duration::from_millis(300));
        assert_eq!(cut.late, Duration::ZERO);
    }
}
