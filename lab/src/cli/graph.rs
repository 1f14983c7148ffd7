//! `fps-lab graph`.

use std::path::PathBuf;

use super::output::put;
use super::{Exit, check};
use crate::draw::{Layout, Plan, mermaid, svg_file, text};
use crate::report::Topology;

#[derive(Debug, clap::Args)]
#[command(after_help = "Example: fps-lab graph scenarios/split-tunnel.toml --as svg > lab.svg")]
pub(super) struct Arguments {
    /// The scenario file
    file: PathBuf,
    /// What is printed
    #[arg(long = "as", value_name = "FORM", default_value = "text")]
    form: Form,
}

/// A form of the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Form {
    /// Lines of characters
    Text,
    /// An SVG file, for light and dark
    Svg,
    /// A Mermaid flowchart
    Mermaid,
}

pub(super) fn main(arguments: &Arguments) -> Exit {
    let files = match check::load(std::slice::from_ref(&arguments.file)) {
        Ok(files) => files,
        Err(exit) => return exit,
    };
    let [file] = files.as_slice() else {
        let path = arguments.file.display();
        complain!(
            "fps-lab: {path} is a folder of {} scenarios: name one of them",
            files.len()
        );
        return Exit::Invalid;
    };
    let plan = Plan::of(&file.scenario.title, &Topology::from(&file.scenario));
    // Mermaid finds the places itself.
    let is_empty = !plan.hosts.is_empty() && Layout::of(&plan).hosts.is_empty();
    if arguments.form != Form::Mermaid && is_empty {
        complain!(
            "fps-lab: found no picture in which nothing overlaps: `--as mermaid` leaves that to others"
        );
        return Exit::NoLab;
    }
    let picture = match arguments.form {
        Form::Text => text(&plan),
        Form::Svg => svg_file(&plan),
        Form::Mermaid => mermaid(&plan),
    };
    put("the picture", picture)
}
