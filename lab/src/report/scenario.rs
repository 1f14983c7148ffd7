//! One scenario with its sabotages.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Play, Topology};
pub use crate::scenario::Place;

/// A scenario, and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Scenario {
    /// Its name, which no other of the run has.
    pub name: String,
    /// One line for people.
    pub title: String,
    /// The report or document that it comes from.
    pub origin: Option<String>,
    /// Its file, as the command line leads to it.
    pub file: String,
    /// What came of it, its sabotages included.
    pub end: ScenarioEnd,
    /// What its lab is made of.
    pub topology: Topology,
    /// Its play, unharmed.
    pub play: Play,
    /// Its sabotages, in the file's order; none where they were not to be played.
    pub sabotages: Vec<Sabotage>,
}

/// What came of a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ScenarioEnd {
    /// Everything held, and every sabotage bit.
    Passed,
    /// Something did not hold, or a sabotage did not bite.
    Failed,
    /// A lab could not be built.
    NoLab,
    /// It was not played, or not to its end, and nothing had failed by then.
    Unfinished,
}

/// A way to break a scenario, and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Sabotage {
    /// Its name.
    pub name: String,
    /// Where it stands in the file.
    pub place: Option<Place>,
    /// The names of the expectations that must fail by it.
    pub must_fail: Vec<String>,
    /// The names of those that may.
    pub may_fail: Vec<String>,
    /// Whether it bit: all that must fail did, and nothing else that may not.
    pub bit: bool,
    /// Why it did not; none where it did.
    pub no_bite: Option<String>,
    /// Its play, which ends when it is clear whether it bites.
    pub play: Play,
}
