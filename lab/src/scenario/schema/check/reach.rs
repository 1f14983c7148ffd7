//! `reach`, `unreachable` and `outage`

use schemars::JsonSchema;
use serde_json::{Value, json};

use super::probe::Probe;
use crate::scenario::schema::many::OneOrMany;
use crate::scenario::schema::rule;
use crate::scenario::schema::text::{Bytes, Duration, LinkName};

/// `reach`: probes are answered by the target itself, and leave by the link named and no other: `{ from = "laptop", to = "web", with = "tcp", via = "wlan0" }`.
#[derive(JsonSchema)]
#[schemars(
    rename_all = "kebab-case",
    deny_unknown_fields,
    transform = rule::at_most_one("within for"),
    transform = rule::at_most_one("bulk for"),
    transform = rule::at_most_one("bulk size"),
    transform = rule::needs("port path status server-name", "with")
)]
pub(super) struct Reach {
    #[schemars(flatten)]
    probe: Probe,
    bulk: Option<Bulk>,
    /// The only link of `from`, or TUN device on it, by which probes may leave: `"wlan0"`.
    via: Option<LinkName>,
    /// One probe is answered before this deadline.
    #[schemars(extend("default" = "1s"))]
    within: Option<Duration>,
    /// Each probe is answered, all this time: `"500ms"`. Not with `within`.
    r#for: Option<Duration>,
}

/// `unreachable`: no probe is answered, though the target answers the same question when it asks itself: `{ from = "laptop", to = "web", for = "300ms" }`.
#[derive(JsonSchema)]
#[schemars(
    rename_all = "kebab-case",
    deny_unknown_fields,
    transform = rule::at_most_one("bulk size"),
    transform = rule::needs("port path status server-name", "with")
)]
pub(super) struct Unreachable {
    #[schemars(flatten)]
    probe: Probe,
    bulk: Option<Bulk>,
    /// It must hold all this time.
    #[schemars(extend("default" = "500ms"))]
    r#for: Option<Duration>,
    /// One or many ways in which it may be so; any where not given, and then what is none of them as well.
    how: Option<OneOrMany<How>>,
}

/// `outage`: from before the step's first act on no gap between two answers is longer than `at-most`: `{ from = "laptop", to = "web", with = "tcp", at-most = "300ms" }`.
#[derive(JsonSchema)]
#[schemars(
    rename_all = "kebab-case",
    deny_unknown_fields,
    transform = rule::needs("port path status server-name", "with"),
    transform = rule::all_of(not_by_https())
)]
pub(super) struct Outage {
    #[schemars(flatten)]
    probe: Probe,
    /// The longest gap between two answers: `"300ms"`.
    at_most: Duration,
    /// How long after the acts at least it is asked.
    #[schemars(extend("default" = "500ms"))]
    r#for: Option<Duration>,
}

/// A capture does not see which question was answered.
fn not_by_https() -> Value {
    json!({ "properties": { "with": { "not": { "const": "https" } } } })
}

/// A transfer over one TCP connection, of which both ends compare hashes: `"1MB"` both ways, or `{ up = "1MB", down = "64kB" }`.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub(super) enum Bulk {
    /// Both ways: `"1MB"`.
    Both(Bytes),
    Ways(Ways),
}

/// So much each way; up is to the target.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields, transform = rule::at_least_one("up down"))]
pub(super) struct Ways {
    /// To the target: `"1MB"`.
    up: Option<Bytes>,
    /// From the target: `"64kB"`.
    down: Option<Bytes>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", inline)]
pub(super) enum How {
    /// The target itself has refused.
    Refused,
    /// Somebody on the way has, or has lost it.
    Filtered,
    /// The kernel of the sender, or of the last host that has seen it, knows no way.
    Unrouted,
}
