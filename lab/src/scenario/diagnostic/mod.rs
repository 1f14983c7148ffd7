//! What is wrong with a scenario file, and where.
//!
//! - [`Diagnostic`]: one mistake
//! - [`Problems`]: all that were found so far
//! - [`Sources`]: the texts that they are in
//! - [`suggest`]: the name that was probably meant

mod problems;
mod render;
mod source;
pub(crate) mod suggest;

use std::ops::Range;

pub(crate) use problems::Problems;
pub(crate) use render::render;
pub(crate) use source::{Source, Sources};

/// A piece of one of the [`Sources`], in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl From<Range<usize>> for Span {
    fn from(range: Range<usize>) -> Self {
        Self {
            start: range.start,
            end: range.end,
        }
    }
}

/// What stands below a diagnostic's source lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Footer {
    /// A fact about the file.
    Note(String),
    /// What to type.
    Help(String),
}

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Diagnostic {
    /// What is wrong, in one line.
    pub(crate) title: String,
    /// The token to change.
    pub(crate) span: Span,
    /// What stands beside the pointer.
    pub(crate) label: Option<String>,
    /// Other places that the mistake involves.
    pub(crate) others: Vec<(Span, String)>,
    /// Facts and advice.
    pub(crate) footers: Vec<Footer>,
}

impl Diagnostic {
    /// A mistake without further words.
    pub(crate) fn new(span: Span, title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            span,
            label: None,
            others: Vec::new(),
            footers: Vec::new(),
        }
    }

    /// Adds the words beside the pointer.
    pub(crate) fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Adds another place.
    pub(crate) fn other(mut self, span: Span, label: impl Into<String>) -> Self {
        self.others.push((span, label.into()));
        self
    }

    /// Adds a fact.
    pub(crate) fn note(mut self, note: impl Into<String>) -> Self {
        self.footers.push(Footer::Note(note.into()));
        self
    }

    /// Adds advice.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.footers.push(Footer::Help(help.into()));
        self
    }

    /// Adds advice, if there is any.
    pub(crate) fn help_if(self, help: Option<impl Into<String>>) -> Self {
        match help {
            Some(help) => self.help(help),
            None => self,
        }
    }

    /// Says which name was probably meant, and which there are.
    pub(crate) fn meant<'n>(
        mut self,
        text: &str,
        plural: &str,
        names: impl IntoIterator<Item = &'n str>,
    ) -> Self {
        let names: Vec<&str> = names.into_iter().collect();
        if let Some(nearest) = suggest::nearest(text, &names) {
            self.label = Some(format!("did you mean `{nearest}`?"));
        }
        if names.is_empty() {
            self.note(format!("there are no {plural}"))
        } else {
            self.note(format!("{plural} are: {}", names.join(", ")))
        }
    }

    /// Whether both are the same mistake at the same place.
    pub(crate) fn repeats(&self, other: &Self) -> bool {
        self.span == other.span && self.title == other.title
    }
}
