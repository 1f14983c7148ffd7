//! `fps-lab schema`.

use super::Exit;
use super::output::put;
use crate::report;
use crate::scenario::schema::Form;

#[derive(Debug, clap::Args)]
#[command(after_help = "Example: fps-lab schema > scenario.schema.json")]
pub(super) struct Arguments {
    /// Which kind of file it is for
    #[arg(long, value_name = "FORM", default_value = "scenario")]
    of: Kind,
}

/// A kind of file that the lab reads or leaves.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Kind {
    /// A scenario
    Scenario,
    /// What another program leaves in a host, which scenarios name by `use`
    Footprint,
    /// The outcome.json of a run
    Outcome,
    /// A line of the timeline.jsonl of a play
    Timeline,
}

pub(super) fn main(arguments: &Arguments) -> Exit {
    let text = match arguments.of {
        Kind::Scenario => Form::Scenario.text(),
        Kind::Footprint => Form::Footprint.text(),
        Kind::Outcome => report::schema(),
        Kind::Timeline => report::timeline_schema(),
    };
    put("the schema", text)
}
