//! What was done, what was expected and what was seen.

use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::explain::Explanation;
use crate::scenario::{Scenario, Step};

/// What came of a play.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// How long the lab took to build; none where it could not be.
    #[serde(serialize_with = "seconds_of_some")]
    pub built: Option<Duration>,
    /// How long everything took.
    #[serde(serialize_with = "seconds")]
    pub took: Duration,
    /// The steps that were played.
    pub steps: Vec<StepReport>,
    /// How it ended.
    pub end: End,
}

/// How a play ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
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
    #[default]
    Interrupted,
}

/// A step that was played.
#[derive(Clone, Debug, Default, Serialize)]
pub struct StepReport {
    /// Its name.
    pub name: String,
    /// What was done.
    pub acts: Vec<ActReport>,
    /// What was expected.
    pub expectations: Vec<ExpectationReport>,
    /// Where the packets and the state of each host are, if something did not hold: what the names of
    /// these files begin with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kept: Option<String>,
}

/// An act that was performed.
#[derive(Clone, Debug, Serialize)]
pub struct ActReport {
    /// What was done, in words.
    pub act: String,
    /// How long it took.
    #[serde(serialize_with = "seconds")]
    pub took: Duration,
    /// Why it failed, where it did.
    pub error: Option<String>,
}

/// An expectation that was checked.
#[derive(Clone, Debug, Serialize)]
pub struct ExpectationReport {
    /// Its name.
    pub name: String,
    /// How long it took to be sure.
    #[serde(serialize_with = "seconds")]
    pub took: Duration,
    /// What came of it.
    pub verdict: Verdict,
}

/// What came of an expectation.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It held; a line of what was seen.
    Held(String),
    /// It did not hold.
    Failed {
        /// What was expected and what was seen instead, in one line.
        why: String,
        /// What was seen, line by line.
        evidence: Vec<String>,
        /// Why it came to that, as far as the lab can tell.
        #[serde(skip_serializing_if = "Option::is_none")]
        explanation: Option<Box<Explanation>>,
    },
    /// It could not be told, which counts as failed: a check that cannot see must not pass.
    Inconclusive(String),
}

impl Verdict {
    /// It did not hold, and nothing explains it yet.
    pub fn failed(why: impl Into<String>, evidence: Vec<String>) -> Self {
        Self::Failed {
            why: why.into(),
            evidence,
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
        /// How long it took.
        took: Duration,
    },
    /// A step begins.
    Step {
        /// The step.
        step: &'a Step,
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
}

/// A duration as a number of seconds.
fn seconds<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(time.as_secs_f64())
}

#[expect(clippy::ref_option, reason = "serde hands the field over by reference")]
fn seconds_of_some<S: Serializer>(
    time: &Option<Duration>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    time.map(|time| time.as_secs_f64()).serialize(serializer)
}
