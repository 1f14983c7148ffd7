//! The command `fps-dns`.
//!
//! Its exit codes: 0, a signal has ended it; 1, something failed while it ran; 2, the command line or
//! the configuration is wrong.

mod host;
mod options;

use std::ffi::OsString;
use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;
use fps_log::chain;

use options::Options;

use crate::forward::{RunError, run};

/// How the command ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Exit {
    Done = 0,
    Failed = 1,
    Usage = 2,
}

/// The command line.
pub fn command() -> clap::Command {
    <Options as clap::CommandFactory>::command()
}

/// Runs the command; `arguments` begin with the program's name.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let exit = match Options::try_parse_from(arguments) {
        Ok(Options {
            verb: Some(verb), ..
        }) => host::run(&verb),
        Ok(options) => forward(&options),
        Err(error) => refuse(&error),
    };
    ExitCode::from(exit as u8)
}

fn forward(options: &Options) -> Exit {
    let config = match options.config() {
        Ok(config) => config,
        Err(error) => {
            complain(&chain(&error));
            return Exit::Usage;
        }
    };
    let log = &options.log;
    fps_log::start("fps_dns", "fps-dns", log.log_level, log.log_format);
    let again = || options.config().map_err(|error| chain(&error));
    match run(&config, again) {
        Ok(()) => Exit::Done,
        Err(error) => {
            tracing::error!(event = "failed", error = chain(&error));
            match error {
                RunError::Config(_) => Exit::Usage,
                _ => Exit::Failed,
            }
        }
    }
}

/// Says what is wrong with the command line, in one line; or shows the help that was asked for.
fn refuse(error: &clap::Error) -> Exit {
    let text = error.render().to_string();
    if matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
    ) {
        let mut out = io::stdout().lock();
        return match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Ok(()) => Exit::Done,
            Err(_) => Exit::Failed,
        };
    }
    // The usage is behind an empty line.
    let lines = text.lines().take_while(|line| !line.is_empty());
    let line = lines.map(str::trim).collect::<Vec<_>>().join(" ");
    let line = line.strip_prefix("error: ").unwrap_or(&line);
    complain(&format!("{line}; see `fps-dns --help`"));
    Exit::Usage
}

fn complain(text: &impl Display) {
    // Where standard error is closed there is no one left to tell.
    let _ = writeln!(io::stderr(), "fps-dns: {text}");
}
