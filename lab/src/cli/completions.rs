//! `fps-lab completions`.

use clap_complete::Shell;

use super::Exit;
use super::output::put;
use crate::multicall;

#[derive(Debug, clap::Args)]
#[command(after_help = "Example: fps-lab completions bash > /etc/bash_completion.d/fps-lab")]
pub(super) struct Arguments {
    /// The shell
    shell: Shell,
    /// The program whose command line the shell completes
    #[arg(long, value_name = "PROGRAM", default_value = "fps-lab", value_parser = names())]
    of: String,
}

fn names() -> clap::builder::PossibleValuesParser {
    let ours = std::iter::once("fps-lab");
    ours.chain(multicall::PROGRAMS).collect::<Vec<_>>().into()
}

pub(super) fn main(arguments: &Arguments) -> Exit {
    let mut commands = multicall::commands().into_iter();
    let command = commands.find(|command| command.get_name() == arguments.of);
    let mut command = command.unwrap_or_else(super::command);
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut command, &arguments.of, &mut script);
    put("the completions", script)
}
