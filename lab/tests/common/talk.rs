//! What a program says while it runs.

use std::time::{Duration, Instant};

use super::process::{Event, Process};

impl Process {
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
