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
    /// The part of a string from a byte on, with its own place.
    pub(crate) fn tail(&self, from: usize) -> Self {
        // Only where the string is written without escapes do its bytes tell the place.
        let plain = self.span.end - self.span.start == self.text.len() + 2;
        let start = if plain {
            self.span.start + 1 + from
        } else {
            self.span.start
        };
        let end = if plain {
            self.span.end - 1
        } else {
            self.span.end
        };
        Self {
            text: &self.text[from..],
            span: Span { start, end },
            problems: self.problems,
        }
    }

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
