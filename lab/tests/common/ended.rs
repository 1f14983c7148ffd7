//! What is expected of a program that has ended.

use std::os::unix::process::ExitStatusExt;

use super::process::Ended;

impl Ended {
    /// Fails unless it ended with this exit code; gives what it wrote.
    pub(crate) fn expect_exit(self, code: i32) -> String {
        assert!(
            self.status.code() == Some(code),
            "{}: {} (signal {:?}), where exit code {code} was expected\n{}",
            self.command,
            self.status,
            self.status.signal(),
            self.text
        );
        self.text
    }
}

/// Fails unless the text holds all of these.
#[track_caller]
pub(crate) fn assert_says(text: &str, signs: &[&str]) {
    for sign in signs {
        assert!(text.contains(sign), "there is no {sign:?} in\n{text}");
    }
}
