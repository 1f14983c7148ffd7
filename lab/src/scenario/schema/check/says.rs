//! `says`

use schemars::JsonSchema;

use crate::scenario::schema::text::{Duration, Name, Text};

/// `says`: a line of a program's output holds the text, since it was last started: `{ who = "carrier", text = "connected" }`.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Says {
    /// The expectation's name; what it says where not given.
    name: Option<Text>,
    /// `"client"`, `"server"`, `"origin"`, `"carrier"`, or a `[program]`.
    who: Name,
    /// What the line holds.
    text: Text,
    /// The deadline.
    #[schemars(extend("default" = "1s"))]
    within: Option<Duration>,
}
