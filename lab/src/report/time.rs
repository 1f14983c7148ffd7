//! Times on the clock of a play.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// From when to when, in milliseconds since the play's start, by a clock that never goes back
/// (`CLOCK_MONOTONIC`). The play starts when its lab is begun.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Time {
    /// Its begin.
    pub from_ms: f64,
    /// Its end.
    pub to_ms: f64,
}

impl Time {
    /// From a begin on, for so long.
    pub fn of(began: Duration, took: Duration) -> Self {
        Self {
            from_ms: ms(began),
            to_ms: ms(began + took),
        }
    }
}

/// Milliseconds, to the microsecond.
pub fn ms(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}
