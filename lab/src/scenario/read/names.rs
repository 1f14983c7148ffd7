//! The names of expectations, unique in a scenario.

use crate::scenario::diagnostic::Span;
use crate::scenario::syntax::Word;

/// The names given so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    taken: Vec<Taken>,
    /// Whether the names given from now on belong to a step that a sabotage drops.
    pub(crate) dropped: bool,
    /// Whether an expectation is too broken to have a name.
    pub(crate) incomplete: bool,
}

#[derive(Clone, Debug)]
struct Taken {
    name: String,
    span: Span,
    dropped: bool,
}

impl Names {
    /// Gives an expectation the name that the file has for it.
    pub(crate) fn explicit(&mut self, word: Word<'_>) -> String {
        if let Some(other) = self.taken.iter().find(|taken| taken.name == word.text) {
            let wrong = word.wrong(format!("two expectations are named `{}`", word.text));
            word.add(wrong.label("the second").other(other.span, "the first"));
        }
        self.take(word.text.to_owned(), word.span)
    }

    /// Gives an expectation at a place the name that says what it checks.
    pub(crate) fn canonical(&mut self, text: &str, span: Span) -> String {
        let mut name = text.to_owned();
        let mut number = 2;
        while self.taken.iter().any(|taken| taken.name == name) {
            name = format!("{text} ({number})");
            number += 1;
        }
        self.take(name, span)
    }

    /// All names of expectations that are played.
    pub(crate) fn played(&self) -> impl Iterator<Item = &str> {
        self.taken
            .iter()
            .filter(|taken| !taken.dropped)
            .map(|taken| taken.name.as_str())
    }

    /// All names, each with its place.
    pub(crate) fn places(&self) -> impl Iterator<Item = (&str, Span)> {
        self.taken
            .iter()
            .map(|taken| (taken.name.as_str(), taken.span))
    }

    /// Whether a name belongs to a step that a sabotage drops.
    pub(crate) fn is_dropped(&self, name: &str) -> bool {
        self.taken
            .iter()
            .any(|taken| taken.dropped && taken.name == name)
    }

    /// How many names were given.
    pub(crate) fn count(&self) -> usize {
        self.taken.len()
    }

    fn take(&mut self, name: String, span: Span) -> String {
        self.taken.push(Taken {
            name: name.clone(),
            span,
            dropped: self.dropped,
        });
        name
    }
}
