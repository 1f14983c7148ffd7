//! `fps-lab explain`.

use std::path::PathBuf;

use super::output::put;
use super::{Exit, check};
use crate::tell::{page, story};

#[derive(Debug, clap::Args)]
#[command(after_help = "Example: fps-lab explain scenarios/split-tunnel.toml")]
pub(super) struct Arguments {
    /// Scenario files, or folders of them
    #[arg(required = true, value_name = "FILE|DIR")]
    paths: Vec<PathBuf>,
    /// What is printed
    #[arg(long = "as", value_name = "FORM", default_value = "text")]
    form: Form,
}

/// A form of the sentences.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Form {
    /// Lines as wide as the terminal
    Text,
    /// Markdown
    Markdown,
}

pub(super) fn main(arguments: &Arguments) -> Exit {
    let files = match check::load(&arguments.paths) {
        Ok(files) => files,
        Err(exit) => return exit,
    };
    let told = files.iter().map(|file| match arguments.form {
        Form::Text => page::text(&story(file), textwrap::termwidth()),
        Form::Markdown => page::markdown(&story(file)),
    });
    let told: Vec<String> = told.collect();
    put("what the scenario does", told.join("\n\n"))
}
