//! The mistakes found so far.

use std::cell::{Cell, RefCell};

use super::Diagnostic;

/// Collects mistakes, so that one look at the file finds as many as possible.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    found: RefCell<Vec<Diagnostic>>,
    muted: Cell<bool>,
}

impl Problems {
    /// Records a mistake, unless it is known already.
    pub(crate) fn add(&self, diagnostic: Diagnostic) {
        let mut found = self.found.borrow_mut();
        if !self.muted.get() && !found.iter().any(|known| known.repeats(&diagnostic)) {
            found.push(diagnostic);
        }
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.found.borrow().len()
    }

    /// Runs `f` and forgets what it finds: for what is read only to learn its names.
    pub(crate) fn muted<T>(&self, f: impl FnOnce() -> T) -> T {
        let before = self.muted.replace(true);
        let result = f();
        self.muted.set(before);
        result
    }

    /// All of them, in the order of the file.
    pub(crate) fn into_sorted(self) -> Vec<Diagnostic> {
        let mut found = self.found.into_inner();
        found.sort_by_key(|diagnostic| diagnostic.span.start);
        found
    }
}
