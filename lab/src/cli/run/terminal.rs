//! What is said while scenarios are played.

use std::io::Write;

use super::github::{self, Groups};
use super::paint::paint;
use super::progress::Progress;
use crate::run::{Audience, Line};

/// Prints the lines of plays: in colour and above a line of progress on a terminal, plainly elsewhere, and
/// in groups for GitHub.
#[derive(Debug)]
pub(super) struct Terminal {
    /// How wide the column of the plays' names is.
    width: usize,
    /// Whether the lines of plays are printed at all.
    aloud: bool,
    progress: Option<Progress>,
    groups: Option<Groups>,
}

impl Terminal {
    /// For so many plays. Where stdout is for data, nothing but the progress is shown.
    pub(super) fn new(width: usize, aloud: bool, plays: usize) -> Self {
        Self {
            width,
            aloud,
            progress: Progress::begin(plays),
            groups: (aloud && github::is_there()).then(Groups::default),
        }
    }

    /// Takes the line of progress away: what comes now is printed by others.
    pub(super) fn end(&self) {
        if let Some(progress) = &self.progress {
            progress.end();
        }
    }

    fn print(&self, text: &str) {
        let print = || {
            // A closed pipe ends nothing: the exit code still tells.
            drop(writeln!(anstream::stdout().lock(), "{text}"));
        };
        match &self.progress {
            Some(progress) => progress.above(print),
            None => print(),
        }
    }
}

impl Audience for Terminal {
    fn line(&self, line: Line) {
        let Line { play, text } = line;
        let width = self.width;
        match &self.groups {
            _ if !self.aloud => {}
            // GitHub shows colours, but where a line begins with an escape it sees no command.
            Some(groups) => groups.add(&play, format!("{play:width$}  {text}")),
            None => self.print(&format!("{play:width$}  {}", paint(&text))),
        }
    }

    fn begins(&self, play: &str) {
        if let Some(progress) = &self.progress {
            progress.begins(play);
        }
    }

    fn ends(&self, play: &str, well: bool) {
        if let Some(progress) = &self.progress {
            progress.ends(play, well);
        }
        let lines = self.groups.as_ref().map(|groups| groups.end(play, well));
        // In one piece, since plays end side by side.
        if let Some(lines) = lines.filter(|lines| !lines.is_empty()) {
            self.print(&lines.join("\n"));
        }
    }
}
