//! What a test prints that fails.

use std::fmt;

use crate::play::{ExpectationReport, Verdict};

/// Something that did not hold, or could not be done. Its text, also by `Debug`, is what the command
/// `fps-lab` prints: what was seen, why the kernel decided so, and what is likely the cause.
#[derive(Clone)]
pub struct Failure {
    kind: FailureKind,
    text: String,
    causes: Vec<String>,
}

/// What has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FailureKind {
    /// The lab could not be built: the helper or something of the machine is missing.
    NoLab,
    /// The lab, an act or an expectation says what cannot be.
    Mistake,
    /// An act could not be done, or a program has ended by itself.
    Act,
    /// An expectation does not hold.
    Expectation,
    /// Nobody can tell whether an expectation holds, which counts as failed.
    Unsure,
}

impl Failure {
    /// What has failed.
    pub fn kind(&self) -> FailureKind {
        self.kind
    }

    /// What is likely the cause of an expectation that does not hold, the likeliest first.
    pub fn likely(&self) -> &[String] {
        &self.causes
    }

    pub(super) fn new(kind: FailureKind, text: impl Into<String>) -> Self {
        Self {
            kind,
            text: text.into(),
            causes: Vec::new(),
        }
    }

    pub(super) fn no_lab(text: impl Into<String>) -> Self {
        Self::new(FailureKind::NoLab, text)
    }

    pub(super) fn mistake(text: impl Into<String>) -> Self {
        Self::new(FailureKind::Mistake, text)
    }

    /// The lab has gone while it was asked.
    pub(super) fn gone() -> Self {
        Self::no_lab("the lab has ended while it was asked; what it printed last says why")
    }

    /// Of expectations that were checked together; none where all held.
    pub(super) fn of(reports: &[ExpectationReport], kept: Option<&str>) -> Option<Self> {
        let mut failed = reports.iter().filter(|report| !report.verdict.passed());
        let sure = failed.clone().find_map(|report| match &report.verdict {
            Verdict::Failed { explanation, .. } => Some(explanation),
            Verdict::Held(_) | Verdict::Inconclusive(_) => None,
        });
        failed.clone().next()?;
        let texts = failed
            .by_ref()
            .map(|report| crate::run::told(report, "    | "));
        let mut text = texts.collect::<Vec<_>>().join("\n");
        if let Some(files) = kept {
            text += &format!("\nkept: {files}HOST.pcapng and .json, with logs beside them");
        }
        Some(Self {
            kind: match sure {
                Some(_) => FailureKind::Expectation,
                None => FailureKind::Unsure,
            },
            text,
            causes: match sure {
                Some(Some(explanation)) => explanation.causes.clone(),
                _ => Vec::new(),
            },
        })
    }

    pub(super) fn and(mut self, text: &str) -> Self {
        self.text += &format!("\n{text}");
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// As `unwrap` and a test that returns an error print it.
impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Failure {}
