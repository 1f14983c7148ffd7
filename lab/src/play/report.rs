//! What was done, what was expected and what was seen.

use std::time::Duration;

use super::Evidence;
use crate::explain::Explanation;
use crate::scenario::{Scenario, Step};

/// What came of a play.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// How long the lab took to build; none where it could not be.
    pub built: Option<Duration>,
    /// When the tunnel was started, since the play's start, and how long it took until it carried.
    pub tunnel: Option<(Duration, Duration)>,
    /// How long everything took.
    pub took: Duration,
    /// The steps that were played.
    pub steps: Vec<StepReport>,
    /// How it ended.
    pub end: End,
    /// The logs of its programs in its folder, by name: `HOST.PROGRAM.log`.
    pub logs: Vec<String>,
}

/// How a play ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum End {
    /// As far as it was to go.
    Played,
    /// The lab could not be built.
    NotBuilt(String),
    /// An act failed, after which the rest would say nothing.
    ActFailed {
        /// The step that it belongs to.
        step: String,
        /// Why.
        error: String,
    },
    /// Somebody stopped it.
    Interrupted,
    /// It was never begun.
    #[default]
    NotBegun,
}

/// A step that was played.
#[derive(Clone, Debug, Default)]
pub struct StepReport {
    /// Its name.
    pub name: String,
    /// When it began, since the play's start.
    pub began: Duration,
    /// How long it took.
    pub took: Duration,
    /// What was done.
    pub acts: Vec<ActReport>,
    /// What was expected.
    pub expectations: Vec<ExpectationReport>,
    /// Where each host's network is written down as it was before the step and after it.
    pub states: Vec<StateReport>,
    /// The packets of each host, where they were kept.
    pub captures: Vec<KeptFile>,
}

/// A file in the play's folder that is about a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptFile {
    /// The host.
    pub host: String,
    /// The file's name.
    pub file: String,
}

/// The files in the play's folder that have a host's network before and after a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateReport {
    /// The host.
    pub host: String,
    /// Before.
    pub before: Option<String>,
    /// After; none where the step was not played to its end.
    pub after: Option<String>,
}

/// An act that was performed.
#[derive(Clone, Debug)]
pub struct ActReport {
    /// What was done, in words.
    pub act: String,
    /// When it began, since the play's start.
    pub began: Duration,
    /// How long it took.
    pub took: Duration,
    /// Why it failed, where it did.
    pub error: Option<String>,
}

/// An expectation that was checked.
#[derive(Clone, Debug)]
pub struct ExpectationReport {
    /// Its name.
    pub name: String,
    /// The file's word for what is checked.
    pub kind: &'static str,
    /// When what it looks at began, since the play's start.
    pub began: Duration,
    /// When it was sure, since the play's start.
    pub ended: Duration,
    /// How long it took to be sure, since the acts were done.
    pub took: Duration,
    /// The longest times without an answer that it has measured, in order of time.
    pub gaps: Vec<GapReport>,
    /// What came of it.
    pub verdict: Verdict,
}

/// A time without an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GapReport {
    /// When it began, since the play's start.
    pub began: Duration,
    /// How long it was.
    pub length: Duration,
    /// Whether an answer ended it.
    pub over: bool,
    /// How much of it may be the lab's own.
    pub late: Duration,
}

/// What came of an expectation.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// It held; a line of what was seen.
    Held(String),
    /// It did not hold.
    Failed {
        /// What was expected and what was seen instead, in one line.
        why: String,
        /// What was seen, line by line.
        evidence: Vec<Evidence>,
        /// Why it came to that, as far as the lab can tell.
        explanation: Option<Box<Explanation>>,
    },
    /// It could not be told, which counts as failed: a check that cannot see must not pass.
    Inconclusive(String),
}

impl Verdict {
    /// It did not hold, and nothing explains it yet.
    pub fn failed<E: Into<Evidence>>(why: impl Into<String>, evidence: Vec<E>) -> Self {
        Self::Failed {
            why: why.into(),
            evidence: evidence.into_iter().map(Into::into).collect(),
            explanation: None,
        }
    }

    /// With what explains it, where it failed.
    #[must_use]
    pub fn explained(mut self, with: Explanation) -> Self {
        if let Self::Failed { explanation, .. } = &mut self {
            *explanation = Some(Box::new(with));
        }
        self
    }

    /// What was seen, or why that is not what was expected, in one line.
    pub fn line(&self) -> &str {
        match self {
            Self::Held(line) | Self::Inconclusive(line) => line,
            Self::Failed { why, .. } => why,
        }
    }

    /// Whether the expectation held.
    pub fn passed(&self) -> bool {
        matches!(self, Self::Held(_))
    }
}

impl Report {
    /// Whether everything was played and held.
    pub fn passed(&self) -> bool {
        self.end == End::Played && self.expectations().all(|report| report.verdict.passed())
    }

    /// The expectations that were checked, in order.
    pub fn expectations(&self) -> impl Iterator<Item = &ExpectationReport> {
        self.steps.iter().flat_map(|step| &step.expectations)
    }

    /// What came of the expectation with this name; none where it was not checked.
    pub fn verdict(&self, name: &str) -> Option<&Verdict> {
        self.expectations()
            .find(|report| report.name == name)
            .map(|report| &report.verdict)
    }
}

/// Something that happens while a scenario plays.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// The lab stands.
    Built {
        /// What was built.
        scenario: &'a Scenario,
        /// How long it took.
        took: Duration,
    },
    /// The tunnel's programs run and carry.
    TunnelUp {
        /// When it was started, since the play's start.
        began: Duration,
        /// How long it took.
        took: Duration,
    },
    /// A step begins.
    Step {
        /// The step.
        step: &'a Step,
        /// When it begins, since the play's start.
        at: Duration,
    },
    /// An act was performed.
    Act {
        /// What came of it.
        report: &'a ActReport,
    },
    /// An expectation was checked.
    Expectation {
        /// What came of it.
        report: &'a ExpectationReport,
    },
    /// Something did not hold, and what shows why is in these files.
    Kept {
        /// What their names begin with.
        files: &'a str,
    },
    /// The lab is held for somebody to look at.
    Held {
        /// Where the play stands.
        at: &'a str,
        /// Its hosts and how to enter them, line by line.
        guide: &'a [String],
        /// Whether it goes on from here.
        paused: bool,
    },
    /// The play goes on after it was held.
    Resumed,
    /// Something went wrong with holding the lab, and the play goes on.
    Trouble {
        /// What.
        why: &'a str,
    },
}
