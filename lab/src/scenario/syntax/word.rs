//! A string of the file.

use crate::scenario::diagnostic::{Diagnostic, Problems, Span};

/// A string value or a key, with its place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Word<'a> {
    pub(crate) text: &'a str,
    pub(crate) span: Span,
    pub(crate) problems: &'a Problems,
}

impl Word<'_> {
    /// A mistake at this place, yet to be added.
    pub(crate) fn wrong(&self, title: impl Into<String>) -> Diagnostic {
        Diagnostic::new(self.span, title)
    }

    /// Records a mistake.
    pub(crate) fn add(&self, diagnostic: Diagnostic) {
        self.problems.add(diagnostic);
    }

    /// Records a mistake that makes the value useless.
    pub(crate) fn refuse<T>(&self, diagnostic: Diagnostic) -> Option<T> {
        self.problems.add(diagnostic);
        None
    }
}
