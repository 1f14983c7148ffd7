//! The whole of `outcome.json`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Scenario;
pub use crate::run::Shard;

/// The version of the format. It changes when a reader of the one before would go wrong; what is only
/// added does not change it.
pub const FORMAT: u32 = 1;

/// What came of a run of `fps-lab`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct OutcomeFile {
    /// The version of this format.
    pub format: u32,
    /// The run as a whole.
    pub run: Run,
    /// The scenarios that were to be played, in the order of the command line.
    pub scenarios: Vec<Scenario>,
    /// Those that were left out.
    pub skipped: Vec<Skipped>,
}

/// The run as a whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Run {
    /// The version of `fps-lab`.
    pub version: String,
    /// When it started: UTC, as RFC 3339 has it.
    pub started: String,
    /// How long it took, in milliseconds.
    pub took_ms: f64,
    /// The kernel's release, as `uname -r` says it.
    pub kernel: String,
    /// The command line, the program's name first.
    pub command: Vec<String>,
    /// Which part of the scenarios it was to play, where not all.
    pub shard: Option<Shard>,
    /// How it ended.
    pub end: RunEnd,
    /// Why nothing was played, where there was no lab at all.
    pub why: Option<String>,
    /// What it adds up to.
    pub totals: Totals,
}

/// How a run ended; each but the first has its exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RunEnd {
    /// It has not: it runs still, or it was killed.
    Unfinished,
    /// Everything held and every sabotage bit (0).
    Passed,
    /// Something did not hold, or a sabotage did not bite (1).
    Failed,
    /// A lab could not be built, or nothing was left to play (3).
    NoLab,
    /// Ctrl-C or SIGTERM (130).
    Interrupted,
}

/// What a run adds up to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Totals {
    /// Scenarios in which everything held.
    pub passed: usize,
    /// Scenarios in which something did not, or that have no lab.
    pub failed: usize,
    /// Scenarios that were not played, or not to their end.
    pub unfinished: usize,
    /// Scenarios that were left out.
    pub skipped: usize,
    /// Sabotages that bit.
    pub bit: usize,
    /// Sabotages that did not, those included that were not played.
    pub no_bite: usize,
}

/// A scenario that was left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Skipped {
    /// Its name.
    pub name: String,
    /// Its title.
    pub title: String,
    /// Its file, as the command line leads to it.
    pub file: String,
    /// Why it was left out.
    pub why: String,
}
