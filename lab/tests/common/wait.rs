//! Waiting for what the kernel sends no word of.

use std::sync::mpsc;
use std::time::{Duration, Instant};

/// Lets time pass, where time itself is what is waited for.
pub(crate) fn pass(time: Duration) {
    let (_nobody, never) = mpsc::channel::<()>();
    let waited = never.recv_timeout(time);
    assert_eq!(waited, Err(mpsc::RecvTimeoutError::Timeout));
}

/// Waits until something is so.
#[track_caller]
pub(crate) fn await_that(within: Duration, what: &str, mut is_so: impl FnMut() -> bool) {
    const BETWEEN: Duration = Duration::from_millis(5);
    let deadline = Instant::now() + within;
    while !is_so() {
        assert!(Instant::now() < deadline, "not within {within:?}: {what}");
        pass(BETWEEN);
    }
}
