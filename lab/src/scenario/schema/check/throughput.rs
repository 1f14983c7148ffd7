//! `throughput`

use schemars::JsonSchema;

use super::probe::Way;
use crate::scenario::schema::text::{Duration, Part, Text};

/// `throughput`: what `to` sends to `from` over TCP is at least that part of what comes by the way of `of`: `{ from = "laptop", to = "intranet", at-least = 0.2, of = { from = "laptop", to = "web" } }`.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Throughput {
    /// The expectation's name; what it says where not given.
    name: Option<Text>,
    #[schemars(flatten)]
    way: Way,
    of: OtherWay,
    /// The least part, 0.001 to 1000: `0.2`.
    at_least: Part,
    /// How long each way is measured.
    #[schemars(extend("default" = "300ms"))]
    r#for: Option<Duration>,
}

/// The way that it is measured against: `{ from = "laptop", to = "web" }`.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct OtherWay {
    #[schemars(flatten)]
    way: Way,
}
