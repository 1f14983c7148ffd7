//! The lines of each play together: plays go on side by side, and groups cannot.

use std::sync::{Mutex, PoisonError};

use indexmap::IndexMap;

/// Keeps the lines of plays until they have ended.
#[derive(Debug, Default)]
pub(in crate::cli::run) struct Groups(Mutex<IndexMap<String, Vec<String>>>);

impl Groups {
    /// One more line of a play.
    pub(in crate::cli::run) fn add(&self, play: &str, line: String) {
        let mut plays = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        plays.entry(play.to_owned()).or_default().push(line);
    }

    /// A play has ended: all that it has said, folded where it came well.
    pub(in crate::cli::run) fn end(&self, play: &str, well: bool) -> Vec<String> {
        let mut plays = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut lines = plays.shift_remove(play).unwrap_or_default();
        if let Some(last) = lines.last().filter(|_| well).cloned() {
            lines.insert(0, format!("::group::{last}"));
            lines.push("::endgroup::".to_owned());
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_well_is_folded_below_its_last_line() {
        let groups = Groups::default();
        for (play, line) in [
            ("a", "a  step"),
            ("b", "b  step"),
            ("a", "a  passed"),
            ("b", "b  FAILED"),
        ] {
            groups.add(play, line.to_owned());
        }
        assert_eq!(
            groups.end("a", true),
            ["::group::a  passed", "a  step", "a  passed", "::endgroup::"]
        );
        assert_eq!(groups.end("b", false), ["b  step", "b  FAILED"]);
    }
}
