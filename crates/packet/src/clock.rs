//! The kernel's stamps on the program's clock.

use std::time::{Duration, Instant, SystemTime};

use nix::sys::time::TimeSpec;

/// Both clocks read at one time, to bring a packet's stamp from the one to the other.
///
/// The kernel stamps packets by the wall clock (`SO_TIMESTAMPNS` in socket(7)). A wall clock that
/// is set between the stamp and this reading shifts the result by as much.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    monotonic: Instant,
    wall: SystemTime,
}

impl Clock {
    /// Reads both clocks as nearly at one time as three attempts get: the thread may lose its CPU
    /// between the two.
    ///
    /// The wall clock comes first, so that no instant is too early: what passed after an act never
    /// seems to have passed before it.
    pub(crate) fn read() -> Self {
        let attempt = |_| {
            let before = Instant::now();
            let wall = SystemTime::now();
            let monotonic = Instant::now();
            (monotonic - before, Self { monotonic, wall })
        };
        let [first, second, third] = [0, 1, 2].map(attempt);
        let nearest =
            [second, third].into_iter().fold(
                first,
                |best, next| {
                    if next.0 < best.0 { next } else { best }
                },
            );
        nearest.1
    }

    /// The instant of a stamp; now, where a packet has none.
    pub(crate) fn instant(&self, stamp: Option<TimeSpec>) -> Instant {
        let Some(stamp) = stamp else {
            return Instant::now();
        };
        let stamp = SystemTime::UNIX_EPOCH + Duration::from(stamp);
        let shifted = match self.wall.duration_since(stamp) {
            Ok(age) => self.monotonic.checked_sub(age),
            // Stamped after the clocks were read.
            Err(ahead) => self.monotonic.checked_add(ahead.duration()),
        };
        shifted.unwrap_or(self.monotonic)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_keeps_its_distance() {
        let clock = Clock::read();
        let stamp = |time: SystemTime| {
            Some(TimeSpec::from(
                time.duration_since(SystemTime::UNIX_EPOCH).unwrap(),
            ))
        };
        let gap = Duration::from_millis(250);
        assert_eq!(
            clock.instant(stamp(clock.wall - gap)),
            clock.monotonic - gap
        );
        assert_eq!(
            clock.instant(stamp(clock.wall + gap)),
            clock.monotonic + gap
        );
    }

    #[test]
    fn an_absurd_stamp_does_not_panic() {
        let clock = Clock::read();
        assert!(clock.instant(Some(TimeSpec::new(0, 0))) <= clock.monotonic);
        assert!(clock.instant(None) >= clock.monotonic);
    }
}
