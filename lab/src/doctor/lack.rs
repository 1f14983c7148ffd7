//! Something that this machine does not have.

/// What is not there, and what to do about it. `run` and `doctor` say it in the same words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}: {remedy}")]
pub struct Lack {
    /// What was tried, and how it failed.
    pub what: String,
    /// The commands that mend it on this machine.
    pub remedy: String,
}

impl Lack {
    pub(super) fn new(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            remedy: remedy.into(),
        }
    }
}
