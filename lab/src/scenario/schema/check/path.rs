//! `path`

use schemars::JsonSchema;

use super::probe::Probe;
use crate::scenario::schema::rule;
use crate::scenario::schema::text::{Duration, Hop};

/// `path`: a probe is answered, and its question passes these links and no others: `{ from = "laptop", to = "web", hops = ["laptop:wlan0", "router:lan", "web:eth0"] }`.
#[derive(JsonSchema)]
#[schemars(
    rename_all = "kebab-case",
    deny_unknown_fields,
    transform = rule::needs("port path status server-name", "with")
)]
pub(super) struct Trace {
    #[schemars(flatten)]
    probe: Probe,
    /// The link by which it leaves `from`, then that by which it comes in at each further host, up to the target's: `["laptop:wlan0", "printer:eth0"]`.
    #[schemars(length(min = 2))]
    hops: Vec<Hop>,
    /// The deadline.
    #[schemars(extend("default" = "1s"))]
    within: Option<Duration>,
}
