//! `fps-lab schema`.

use super::Exit;
use super::output::put;
use crate::scenario::schema::Form;

#[derive(Debug, clap::Args)]
#[command(after_help = "Example: fps-lab schema > scenario.schema.json")]
pub(super) struct Arguments {
    /// Which kind of file it is for
    #[arg(long, value_name = "FORM", default_value = "scenario")]
    of: Form,
}

pub(super) fn main(arguments: &Arguments) -> Exit {
    put("the schema", arguments.of.text())
}
