//! `fps-lab schema`.

use std::io::{self, Write};

use super::Exit;
use crate::scenario::schema::Form;

#[derive(Debug, clap::Args)]
#[command(after_help = "Example: fps-lab schema > scenario.schema.json")]
pub(super) struct Arguments {
    /// Which kind of file it is for
    #[arg(long, value_name = "FORM", default_value = "scenario")]
    of: Form,
}

pub(super) fn main(arguments: &Arguments) -> Exit {
    // A closed pipe ends nothing: the exit code still tells.
    drop(
        io::stdout()
            .lock()
            .write_all(arguments.of.text().as_bytes()),
    );
    Exit::Passed
}
