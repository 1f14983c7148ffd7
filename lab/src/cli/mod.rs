//! The command line of `fps-lab`.

/// Prints a line, without its colours where nobody sees them. A pipe that somebody has closed ends nothing: the exit code still tells.
macro_rules! say {
    ($($text:tt)*) => {
        drop(std::io::Write::write_fmt(&mut anstream::stdout().lock(), format_args!("{}\n", format_args!($($text)*))))
    };
}

/// The same on standard error.
macro_rules! complain {
    ($($text:tt)*) => {
        drop(std::io::Write::write_fmt(&mut std::io::stderr().lock(), format_args!("{}\n", format_args!($($text)*))))
    };
}

mod attach;
mod builds;
mod capture;
mod check;
mod collect;
mod completions;
mod doctor;
mod down;
mod explain;
mod graph;
mod import;
mod man;
mod new;
mod output;
mod ps;
mod report;
mod run;
mod schema;
mod signals;
mod up;
mod why;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

/// How a command ended, for the shell and for CI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// All passed.
    Passed = 0,
    /// An expectation failed, an act did, or a sabotage did not bite.
    Failed = 1,
    /// A scenario is invalid, or the command line is.
    Invalid = 2,
    /// The lab could not be built, or the machine lacks something that a scenario needs.
    NoLab = 3,
    /// Ctrl-C or SIGTERM; everything is torn down.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// A laboratory for VPN clients on Linux.
#[derive(Debug, Parser)]
#[command(
    name = "fps-lab",
    version,
    disable_help_subcommand = true,
    // The commands alone fill a screen.
    help_template = "{about}. {usage-heading} {usage}\n{subcommands}{after-help}",
    after_help = "Exit codes: 0 all passed; 1 an expectation failed; 2 an invalid scenario; 3 no lab; \
                  130 stopped.\nExample: fps-lab run scenarios/split-tunnel.toml"
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Play scenarios, and the sabotages that prove that they can fail
    Run(Box<run::Arguments>),
    /// Validate scenarios, without playing them
    #[command(after_help = "Example: fps-lab check scenarios")]
    Check {
        /// Scenario files, or folders of them
        #[arg(required = true, value_name = "FILE|DIR")]
        paths: Vec<PathBuf>,
    },
    /// Draw the lab of a scenario
    Graph(graph::Arguments),
    /// Make the page of a run anew, of its outcome.json and the files beside it
    #[command(after_help = "Example: fps-lab report fps-lab-out")]
    Report {
        /// The folder of the run
        #[arg(value_name = "DIR", default_value = "fps-lab-out")]
        folder: PathBuf,
    },
    /// Try what this machine can and cannot do, and say what to do about it
    Doctor(doctor::Arguments),
    /// Build a lab and hold it, for shells and captures
    Up(Box<up::Arguments>),
    /// Open a shell in a host of a held lab
    Shell(attach::Shell),
    /// Run a command in a host of a held lab
    Exec(attach::Exec),
    /// Show the labs that are held, and what runs in them
    Ps(ps::Arguments),
    /// Stream the packets of a link of a held lab, for Wireshark
    Capture(capture::Arguments),
    /// Go on with a play that stopped at a failure
    Resume(down::Resume),
    /// End a held lab
    Down(down::Down),
    /// Say in sentences what scenarios do, and what must hold
    Explain(explain::Arguments),
    /// Write a commented scenario to start from
    New(new::Arguments),
    /// Print the JSON schema of a file, by which editors complete and check
    Schema(schema::Arguments),
    /// Print what has a shell complete the command line
    Completions(completions::Arguments),
    /// Print a page of the manual, or write all of them
    Man(man::Arguments),
    /// Print the script that gathers a customer's network, for him to read and run
    #[command(after_help = "Example: fps-lab collect --one-line")]
    Collect {
        /// Print it as one line for a shell, without its comments
        #[arg(long)]
        one_line: bool,
    },
    /// Turn what a customer has gathered into a scenario
    Import(import::Arguments),
    /// Say where a host sends a packet, and why
    Why(why::Arguments),
}

/// The command line of `fps-lab`.
pub fn command() -> clap::Command {
    Arguments::command()
}

/// Does what the command line says.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    hear();
    let exit = match Arguments::parse_from(arguments).command {
        Command::Run(arguments) => run::main(&arguments),
        Command::Check { paths } => check::main(&paths),
        Command::Graph(arguments) => graph::main(&arguments),
        Command::Report { folder } => report::main(&folder),
        Command::Doctor(arguments) => doctor::main(&arguments),
        Command::Explain(arguments) => explain::main(&arguments),
        Command::New(arguments) => new::main(&arguments),
        Command::Schema(arguments) => schema::main(&arguments),
        Command::Completions(arguments) => completions::main(&arguments),
        Command::Man(arguments) => man::main(&arguments),
        Command::Collect { one_line } => collect::main(one_line),
        Command::Import(arguments) => import::main(&arguments),
        Command::Why(arguments) => why::main(&arguments),
        Command::Up(arguments) => up::main(&arguments),
        Command::Shell(arguments) => return attach::shell(arguments),
        Command::Exec(arguments) => return attach::exec(arguments),
        Command::Ps(arguments) => ps::main(&arguments),
        Command::Capture(arguments) => capture::main(&arguments),
        Command::Resume(arguments) => down::resume(&arguments),
        Command::Down(arguments) => down::down(&arguments),
    };
    exit.into()
}

/// Shows what the libraries warn of, on stderr; RUST_LOG asks for more or less.
fn hear() {
    let filter = EnvFilter::builder()
        .with_default_directive(LevelFilter::WARN.into())
        .from_env_lossy();
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .without_time()
        .init();
}
