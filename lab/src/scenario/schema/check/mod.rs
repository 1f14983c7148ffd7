//! What a step expects: tables with exactly one verb.

mod changes;
mod count;
mod names;
mod path;
mod prints;
mod probe;
mod quiet;
mod reach;
mod says;
mod state;
mod throughput;

use schemars::JsonSchema;

use changes::Changes;
use count::{Counter, Log, Status};
use names::{NotAsked, Resolves};
use path::Trace;
use prints::Prints;
use quiet::{NoCarrierLoop, Silent};
use reach::{Outage, Reach, Unreachable};
use says::Says;
use state::{Kernel, Unchanged};
use throughput::Throughput;

/// An expectation: exactly one verb.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields, extend("minProperties" = 1, "maxProperties" = 1))]
pub(super) struct Expectation {
    reach: Option<Reach>,
    unreachable: Option<Unreachable>,
    outage: Option<Outage>,
    path: Option<Trace>,
    throughput: Option<Throughput>,
    silent: Option<Silent>,
    no_carrier_loop: Option<NoCarrierLoop>,
    says: Option<Says>,
    resolves: Option<Resolves>,
    not_asked: Option<NotAsked>,
    kernel: Option<Kernel>,
    changes: Option<Changes>,
    unchanged: Option<Unchanged>,
    prints: Option<Prints>,
    counter: Option<Counter>,
    log: Option<Log>,
    status: Option<Status>,
}
