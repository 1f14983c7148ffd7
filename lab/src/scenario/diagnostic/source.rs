//! The texts that a scenario is read from.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::Span;

/// A scenario's own text, and after it those of the footprints that it plays. All have one count of
/// bytes, so that a place tells which text it is in, and values of several can stand in one tree.
#[derive(Debug)]
pub(crate) struct Sources {
    texts: RefCell<Vec<Rc<Source>>>,
}

/// A text, and where its bytes begin to count.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Source {
    /// The file, as messages name it.
    pub(crate) path: PathBuf,
    /// What it holds.
    pub(crate) text: String,
    /// The place of its first byte.
    pub(crate) start: usize,
}

impl Sources {
    /// The scenario's own text.
    pub(crate) fn new(path: &Path, text: &str) -> Self {
        let source = Source {
            path: path.to_owned(),
            text: text.to_owned(),
            start: 0,
        };
        Self {
            texts: RefCell::new(vec![Rc::new(source)]),
        }
    }

    /// The folder that the scenario is in.
    pub(crate) fn folder(&self) -> PathBuf {
        let path = &self.texts.borrow()[0].path;
        path.parent().unwrap_or(Path::new("")).to_owned()
    }

    /// Another text, which is kept once however often it is read.
    pub(crate) fn add(&self, path: &Path, text: &str) -> Rc<Source> {
        let mut texts = self.texts.borrow_mut();
        let known = texts[1..]
            .iter()
            .find(|it| it.path == path && it.text == text);
        if let Some(known) = known {
            return Rc::clone(known);
        }
        // One byte apart, or the end of a text would be the start of the next.
        let start = texts
            .last()
            .map_or(0, |last| last.start + last.text.len() + 1);
        let source = Rc::new(Source {
            path: path.to_owned(),
            text: text.to_owned(),
            start,
        });
        texts.push(Rc::clone(&source));
        source
    }

    /// All of them, the scenario's own first.
    pub(crate) fn to_texts(&self) -> Vec<Source> {
        let texts = self.texts.borrow();
        let copy = |source: &Rc<Source>| Source {
            path: source.path.clone(),
            text: source.text.clone(),
            start: source.start,
        };
        texts.iter().map(copy).collect()
    }
}

impl Source {
    /// Whether a place is in this text.
    pub(crate) fn holds(&self, span: Span) -> bool {
        (self.start..=self.start + self.text.len()).contains(&span.start)
    }

    /// A place of the whole as one of this text alone.
    pub(crate) fn own(&self, span: Span) -> std::ops::Range<usize> {
        span.start - self.start..span.end - self.start
    }

    /// A place of this text alone as one of the whole.
    pub(crate) fn shifted(&self, span: std::ops::Range<usize>) -> Span {
        Span {
            start: span.start + self.start,
            end: span.end + self.start,
        }
    }
}
