//! A host of a lab that stands.

use super::{Background, Command};
use crate::api::thread::Line;

/// A host, in which programs run.
#[derive(Clone, Copy, Debug)]
pub struct Host<'a> {
    line: &'a Line,
    name: &'a str,
}

impl<'a> Host<'a> {
    pub(super) fn new(line: &'a Line, name: &'a str) -> Self {
        Self { line, name }
    }

    /// Runs a program to its end, which must be with exit code 0 where nothing else is said. No shell
    /// reads the command.
    pub fn run(self, command: impl IntoIterator<Item = impl Into<String>>) -> Command<'a> {
        let command = command.into_iter().map(Into::into).collect();
        Command::new(self.line, self.name, command)
    }

    /// Starts a program, which goes on until it is stopped or the lab ends. The name is for acts,
    /// expectations and its log.
    pub fn start(
        self,
        name: &str,
        command: impl IntoIterator<Item = impl Into<String>>,
    ) -> Background<'a> {
        let command = command.into_iter().map(Into::into).collect();
        Background::new(self.line, self.name, name, command)
    }
}
