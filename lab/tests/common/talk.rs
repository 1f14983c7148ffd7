//! What passes between a test and a program while it runs.

use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};

use super::process::{Event, Process};

impl Process {
    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        assert!(self.status.is_none(), "it has ended\n{}", self.said);
        kill(self.pid, signal).unwrap_or_else(|e| panic!("{signal} to {}: {e}", self.command));
    }

    /// Waits until it prints a line that holds `sign`.
    pub(crate) fn await_line(&mut self, sign: &str, within: Duration) {
        let deadline = Instant::now() + within;
        while !self.said.lines().any(|line| line.contains(sign)) {
            let Some(event) = self.next(deadline) else {
                panic!(
                    "{}: no line with {sign:?} within {within:?}\n{}",
                    self.command, self.said
                );
            };
            if let Event::Ended(status) = event {
                panic!(
                    "{}: {status} before a line with {sign:?}\n{}",
                    self.command, self.said
                );
            }
        }
    }
}
