//! The files that a play leaves beside `outcome.json`. All are named relative to the run's folder.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a program has printed, standard output and standard error as they came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Log {
    /// The host that it ran on.
    pub host: String,
    /// Its name, as steps have it.
    pub program: String,
    /// The text file.
    pub file: String,
}

/// The packets that passed a host's links in a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Capture {
    /// The host.
    pub host: String,
    /// The pcapng file, which names each interface.
    pub file: String,
}

/// A host's network before and after a step. Where nothing has changed both are one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Snapshots {
    /// The host.
    pub host: String,
    /// The JSON file of its network before the first act.
    pub before: Option<String>,
    /// And when all expectations were checked.
    pub after: Option<String>,
}
