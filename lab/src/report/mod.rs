//! What came of a run, as data for others: `outcome.json`, and the lines of `timeline.jsonl`.
//!
//! These types are a format. They own what they hold, they can be read back, and the schemas made of
//! them are `docs/outcome.schema.json` and `docs/timeline.schema.json`. Nothing in them is a path of the machine: files are named
//! relative to the run's folder.
//!
//! - [`OutcomeFile`]: the whole of `outcome.json`: [`Run`], [`Scenario`]s, [`Skipped`]
//! - [`Topology`]: what a scenario's lab is made of
//! - [`Play`]: its [`Step`]s, [`Act`]s and [`Expectation`]s, each with its [`Time`]
//! - [`Hop`]: where a packet was seen
//! - [`Explanation`]: how kernels decided about a packet, and what is likely the cause
//! - [`Finding`]: what is wrong, and where in the file
//! - [`junit()`]: the same as `junit.xml`
//! - [`Moment`]: a line of `timeline.jsonl`
//! - [`schema`], [`timeline_schema`]: the JSON schemas

mod convert;
mod explanation;
mod files;
mod finding;
mod hop;
mod junit;
mod moment;
mod play;
mod record;
mod run;
mod scenario;
mod schema;
mod time;
mod topology;

pub use convert::TIMELINE;
pub use explanation::{Change, Decision, Drop, Explanation, HostCounters, Rule, Walk};
pub use files::{Capture, Log, Snapshots};
pub use finding::Finding;
pub use hop::{Hop, Way};
pub use junit::junit;
pub use moment::{Event, Moment};
pub use play::{Act, Expectation, Gap, Play, PlayEnd, Role, Step, Unreached, Verdict};
pub use record::Record;
pub use run::{FORMAT, OutcomeFile, Run, RunEnd, Shard, Skipped, Totals};
pub use scenario::{Place, Sabotage, Scenario, ScenarioEnd};
pub use schema::{schema, timeline_schema};
pub use time::{Time, ms};
pub use topology::{Host, Link, Net, Program, Service, Topology, Tunnel, TunnelEnd, TunnelProgram};
