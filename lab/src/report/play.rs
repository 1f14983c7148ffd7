//! One play: what was done, what was expected and what was seen, and when.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Capture, Explanation, Hop, Log, Place, Snapshots, Time};

/// One run of a scenario, or of a scenario with one sabotage, in a lab of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Play {
    /// Its folder, relative to the run's.
    pub folder: String,
    /// How it ended.
    pub end: PlayEnd,
    /// How long it took, in milliseconds.
    pub took_ms: f64,
    /// When the lab was built; none where it could not be.
    pub built: Option<Time>,
    /// When the tunnel was started, until it carried; none where no tunnel starts by itself.
    pub tunnel: Option<Time>,
    /// The steps that were played, the last of them perhaps in part.
    pub steps: Vec<Step>,
    /// The expectations that it never came to, in the file's order; of a sabotage's play none are told, since it
    /// is over when it is clear whether it bites.
    pub unreached: Vec<Unreached>,
    /// Its events as they came, one JSON object a line; none where it was never begun.
    pub timeline: Option<String>,
    /// What its programs have printed.
    pub logs: Vec<Log>,
}

impl Play {
    /// Whether it was played to its end, and everything in it held.
    pub fn passed(&self) -> bool {
        self.end == PlayEnd::Played && self.expectations().all(Expectation::held)
    }

    /// The expectations that were checked, in order.
    pub fn expectations(&self) -> impl Iterator<Item = &Expectation> {
        self.steps.iter().flat_map(|step| &step.expectations)
    }
}

/// How a play ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum PlayEnd {
    /// As far as it was to go.
    Played,
    /// The lab could not be built.
    NotBuilt {
        /// Why.
        why: String,
    },
    /// An act failed, or a program ended by itself, after which the rest would say nothing.
    ActFailed {
        /// The step that it belongs to, or what was done before the first.
        step: String,
        /// Why.
        why: String,
    },
    /// Somebody stopped it.
    Interrupted,
    /// It was never begun.
    NotBegun,
}

/// A step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Step {
    /// Its number in this play, from 1.
    pub number: usize,
    /// Its name.
    pub name: String,
    /// Where it stands in the file; none for one that a sabotage adds.
    pub place: Option<Place>,
    /// When it was played.
    pub time: Time,
    /// What was done.
    pub acts: Vec<Act>,
    /// What was expected, in the file's order.
    pub expectations: Vec<Expectation>,
    /// The network of each host before and after it.
    pub snapshots: Vec<Snapshots>,
    /// The packets of each host in it, where they were kept.
    pub captures: Vec<Capture>,
}

/// An expectation that was never checked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Unreached {
    /// Its step.
    pub step: String,
    /// Its name.
    pub name: String,
    /// What is checked, in the file's word for it.
    pub kind: String,
    /// Where it stands in the file.
    pub place: Option<Place>,
}

/// Something that was done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Act {
    /// What, in words.
    pub act: String,
    /// When.
    pub time: Time,
    /// Why it failed; none where it did not.
    pub error: Option<String>,
}

/// Something that was expected.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Expectation {
    /// Its name, which no other of the scenario has.
    pub name: String,
    /// What is checked, in the file's word for it: `reach`, `silent`, `not-asked`.
    pub kind: String,
    /// Where it stands in the file; none for one that a sabotage adds.
    pub place: Option<Place>,
    /// When it was checked. An outage is watched from before the step's acts.
    pub time: Time,
    /// Whether it has to hold.
    pub role: Role,
    /// What came of it.
    pub verdict: Verdict,
    /// What was seen, in one line; where it failed also what was expected.
    pub why: String,
    /// What was seen, line by line; only where it failed.
    pub evidence: Vec<String>,
    /// The packets in it, where they were seen; only where it failed.
    pub hops: Vec<Hop>,
    /// Why it came to that, as far as the lab can tell; only where it failed.
    pub explanation: Option<Explanation>,
    /// The longest times without an answer, in order of time; only of an outage.
    pub gaps: Vec<Gap>,
}

impl Expectation {
    /// Whether it held.
    pub fn held(&self) -> bool {
        self.verdict == Verdict::Held
    }

    /// What shows and explains it, line by line, as the terminal has it.
    pub fn details(&self) -> Vec<String> {
        let explained = self.explanation.iter().flat_map(|it| &it.text);
        self.evidence.iter().chain(explained).cloned().collect()
    }
}

/// Whether an expectation has to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// It has to hold.
    MustHold,
    /// It has to fail, by the sabotage that is played.
    MustFail,
    /// It may fail by that sabotage.
    MayFail,
}

/// What came of an expectation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It held.
    Held,
    /// It did not.
    Failed,
    /// It could not be told, which counts as failed.
    Inconclusive,
}

/// A time without an answer.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Gap {
    /// From the last answer before it to the first after it, or to the end of the watch.
    pub time: Time,
    /// Whether an answer ended it.
    pub over: bool,
    /// How much of it may be the lab's own: milliseconds in which no question was sent though one was
    /// due.
    pub late_ms: f64,
}
