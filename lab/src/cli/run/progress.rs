//! The line at the bottom of a terminal: what is played, and what came of it so far.

use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// How often the line shows that it is alive.
const TICK: Duration = Duration::from_millis(120);
/// How many plays are named.
const NAMED: usize = 4;

/// A line that stays at the bottom, while others go by above it.
#[derive(Debug)]
pub(super) struct Progress {
    bar: ProgressBar,
    playing: Mutex<Playing>,
}

#[derive(Debug, Default)]
struct Playing {
    now: Vec<String>,
    failed: usize,
}

impl Progress {
    /// One, where somebody sees it: both outputs are a terminal that can move its cursor, and nobody's CI.
    pub(super) fn begin(plays: usize) -> Option<Self> {
        let terminal = std::io::stdout().is_terminal() && std::io::stderr().is_terminal();
        let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb" || term.is_empty());
        let ci = std::env::var_os("CI").is_some_and(|ci| !ci.is_empty() && ci != "false");
        if !terminal || dumb || ci {
            return None;
        }
        let style = ProgressStyle::with_template("{spinner} {elapsed} {pos}/{len} plays{wide_msg}");
        let bar = ProgressBar::new(plays as u64);
        bar.set_style(style.expect("the template is valid"));
        bar.enable_steady_tick(TICK);
        let playing = Mutex::default();
        Some(Self { bar, playing })
    }

    /// Prints something above the line.
    pub(super) fn above(&self, print: impl FnOnce()) {
        self.bar.suspend(print);
    }

    /// A play begins.
    pub(super) fn begins(&self, play: &str) {
        self.change(|playing| playing.now.push(play.to_owned()));
    }

    /// A play has ended.
    pub(super) fn ends(&self, play: &str, well: bool) {
        self.change(|playing| {
            playing.now.retain(|other| other != play);
            playing.failed += usize::from(!well);
        });
        self.bar.inc(1);
    }

    /// Takes the line away.
    pub(super) fn end(&self) {
        self.bar.finish_and_clear();
    }

    fn change(&self, change: impl FnOnce(&mut Playing)) {
        let mut playing = self.playing.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut playing);
        self.bar.set_message(playing.text());
    }
}

impl Playing {
    fn text(&self) -> String {
        let failed = match self.failed {
            0 => String::new(),
            failed => format!(", {failed} FAILED"),
        };
        let named = self.now.iter().take(NAMED);
        let named: Vec<&str> = named.map(String::as_str).collect();
        let more = self.now.len().saturating_sub(NAMED);
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        match named.is_empty() {
            true => failed,
            false => format!("{failed}; {}{more}", named.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crowd_is_not_named_whole() {
        let now = ["a", "b", "c", "d", "e", "f"].map(str::to_owned).to_vec();
        let playing = Playing { now, failed: 2 };
        assert_eq!(playing.text(), ", 2 FAILED; a, b, c, d and 2 more");
    }
}
