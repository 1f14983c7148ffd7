//! `prints`

use schemars::JsonSchema;

use crate::scenario::schema::text::{Command, Duration, ExitCode, Name, Text};

/// `prints`: a command prints this text and no other, on both standard streams together: `{ on = "laptop", command = ["cat", "/etc/hostname"], text = "laptop\n" }`.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Prints {
    /// The expectation's name; what it says where not given.
    name: Option<Text>,
    /// The host: `"laptop"`.
    on: Name,
    /// The command, the program first; no shell reads it.
    command: Command,
    /// The whole of what it prints.
    text: Text,
    /// The code that it must end with, 0 to 255.
    #[schemars(extend("default" = 0))]
    exit: Option<ExitCode>,
    /// How long it may take.
    #[schemars(extend("default" = "10s"))]
    within: Option<Duration>,
}
