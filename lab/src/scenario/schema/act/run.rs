//! `run`

use schemars::JsonSchema;

use crate::scenario::schema::text::{Command, Duration, ExitCode, Name};

/// `run`: a command that runs to its end: `{ on = "laptop", command = ["ip", "route", "flush", "cache"] }`.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Run {
    /// The host: `"laptop"`.
    on: Name,
    /// The command, the program first; no shell reads it.
    command: Command,
    /// The code that it must end with, 0 to 255.
    #[schemars(extend("default" = 0))]
    exit: Option<ExitCode>,
    /// How long it may take.
    #[schemars(extend("default" = "10s"))]
    within: Option<Duration>,
}
