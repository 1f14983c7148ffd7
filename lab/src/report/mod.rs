//! What came of a run, as data for others: `outcome.json`, and the lines of `timeline.jsonl`.
//!
//! These types are a format. They own what they hold, they can be read back, and the schema made of
//! them is in `docs/outcome.schema.json`. Nothing in them is a path of the machine: files are named
//! relative to the run's folder.
//!
//! - [`OutcomeFile`]: the whole of `outcome.json`: [`Run`], [`Scenario`]s, [`Skipped`]
//! - [`Topology`]: what a scenario's lab is made of
//! - [`Play`]: its [`Step`]s, [`Act`]s and [`Expectation`]s, each with its [`Time`]
//! - [`Explanation`]: how kernels decided about a packet, and what is likely the cause
//! - [`schema`]: the JSON schema

mod convert;
mod explanation;
mod files;
mod play;
mod record;
mod run;
mod scenario;
mod schema;
mod time;
mod topology;

pub use convert::TIMELINE;
pub use explanation::{Change, Decision, Explanation, HostCounters, Rule, Walk};
pub use files::{Capture, Log, Snapshots};
pub use play::{Act, Expectation, Gap, Play, PlayEnd, Role, Step, Verdict};
pub use record::Record;
pub use run::{FORMAT, OutcomeFile, Run, RunEnd, Shard, Skipped, Totals};
pub use scenario::{Place, Sabotage, Scenario, ScenarioEnd};
pub use schema::schema;
pub use time::{Time, ms};
pub use topology::{Host, Link, Net, Program, Service, Topology, Tunnel, TunnelEnd, TunnelProgram};
