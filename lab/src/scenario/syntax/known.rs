//! What the reader knows at each place of a text: the keys of a table, the words of a value. Tests compare
//! it with the schema.

use std::cell::RefCell;

use crate::scenario::diagnostic::Span;

thread_local! {
    static NOTES: RefCell<Vec<Note>> = const { RefCell::new(Vec::new()) };
}

/// What kind of thing is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The keys of a table, of which a verb is one.
    Keys,
    /// The words of a string.
    Words,
}

/// What is known at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Note {
    pub(crate) span: Span,
    pub(crate) kind: Kind,
    /// What messages call it.
    pub(crate) what: String,
    /// The keys or words, sorted.
    pub(crate) words: Vec<String>,
}

/// Writes down what the reader knows at a place.
pub(crate) fn note(span: Span, kind: Kind, what: &str, words: &[&str]) {
    let mut words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    words.sort();
    let what = what.to_owned();
    NOTES.with_borrow_mut(|notes| {
        notes.push(Note {
            span,
            kind,
            what,
            words,
        })
    });
}

/// All that this thread has written down since it was last asked.
pub(crate) fn take() -> Vec<Note> {
    NOTES.take()
}
