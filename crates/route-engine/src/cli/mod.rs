//! The command `fps-route`.
//!
//! Its exit codes: 0, all is well; 1, an operation failed; 2, a usage error or a missing device,
//! and nothing has changed; 3, an operation of `apply` failed and all is as before; 4, the
//! capability CAP_NET_ADMIN is missing; 5, another program's route or rule is in the way, and
//! nothing has changed.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Parser, Subcommand};

mod options;

use options::Options;

use crate::{Action, Engine, Error, Intent, Numbering, Operation, Plan};

/// Plans, applies and cleans up the routes around a TUN device.
#[derive(Debug, Parser)]
#[command(name = "fps-route", version, arg_required_else_help = false, after_help = EXIT_CODES)]
struct Arguments {
    #[command(subcommand)]
    action: Verb,
}

const EXIT_CODES: &str = "Exit codes:
  0  all is well
  1  an operation failed
  2  a usage error or a missing device; nothing has changed
  3  an operation of `apply` failed; all is rolled back to what it was
  4  the capability CAP_NET_ADMIN is missing
  5  another program's route or rule is in the way; nothing has changed";

#[derive(Debug, Subcommand)]
enum Verb {
    /// Print what `apply` would do; needs neither root nor the device
    Plan(Options),
    /// Set addresses, MTU and routes; a second time changes nothing
    Apply(Options),
    /// Take away what `apply` with the same options set; what is absent already is no error
    Cleanup(Options),
}

/// How the command ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Exit {
    Done = 0,
    Failed = 1,
    Usage = 2,
    RolledBack = 3,
    MissingCapability = 4,
    Foreign = 5,
}

/// Runs the command; `arguments` begin with the program's name.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let exit = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => run(arguments.action),
        Err(error) => refuse(&error),
    };
    ExitCode::from(exit as u8)
}

fn run(verb: Verb) -> Exit {
    let (action, options) = match verb {
        Verb::Plan(options) => (Action::Plan, options),
        Verb::Apply(options) => (Action::Apply, options),
        Verb::Cleanup(options) => (Action::Cleanup { down: options.down }, options),
    };
    if options.leaves_out_routes() && action.adds() {
        complain(
            &"with --full-tunnel and without --keep-lan no route is set beside it: --route is left \
              out",
        );
    }
    let call = Call {
        action,
        execute: !options.dry_run && action != Action::Plan,
        json: options.json,
        numbering: options.numbering(),
        records: options.state_dir.clone(),
    };
    let intent = match options.intent() {
        Ok(intent) => intent,
        Err(error) => {
            complain(&error);
            return Exit::Usage;
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Error::Runtime);
    let outcome = runtime.and_then(|runtime| runtime.block_on(call.carry_out(intent)));
    match outcome {
        Ok(exit) => exit,
        Err(error) => report(&error),
    }
}

/// How the command was called.
struct Call {
    action: Action,
    execute: bool,
    json: bool,
    numbering: Numbering,
    records: PathBuf,
}

impl Call {
    /// Looks, prints the plan, and carries out what of it is needed.
    async fn carry_out(&self, intent: Intent) -> Result<Exit, Error> {
        let engine = Engine::open(&self.records)?;
        if !self.execute {
            let (plan, complaints) = engine.plan(self.action, intent, self.numbering).await?;
            complaints.iter().for_each(|error| complain(&error.chain()));
            self.print(&plan, &[])?;
            return Ok(Exit::Done);
        }
        let underway = engine.begin(self.action, intent, self.numbering).await?;
        for error in underway.complaints() {
            complain(&error.chain());
        }
        if self.action.adds() {
            underway.transaction().require_resolver()?;
            self.print(underway.plan(), underway.leftovers())?;
            underway.apply().await?;
            return Ok(Exit::Done);
        }
        self.print(underway.plan(), underway.leftovers())?;
        let mut exit = Exit::Done;
        for error in underway.clean_up().await {
            exit = report(&error);
        }
        Ok(exit)
    }

    /// Prints a plan, and behind it what is left from before.
    fn print(&self, plan: &Plan, leftovers: &[Operation]) -> Result<(), Error> {
        print(if self.json {
            format!("{:#}\n", plan.json(self.execute, leftovers))
        } else {
            plan.text(self.execute, leftovers)
        })
    }
}

fn print(text: String) -> Result<(), Error> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(Error::Output)
}

/// Says what failed.
fn report(error: &Error) -> Exit {
    complain(&error.chain());
    match error {
        Error::NoDevice(_) | Error::NoBypassDevice(_) => Exit::Usage,
        Error::MissingCapability { .. } => Exit::MissingCapability,
        Error::Foreign { .. } | Error::Taken { .. } | Error::Captured { .. } => Exit::Foreign,
        // What is missing may be missing for a later step alone, as under a security module.
        Error::RolledBack(_) => Exit::RolledBack,
        _ => Exit::Failed,
    }
}

/// Says what is wrong with the command line, in one line; or shows the help that was asked for.
fn refuse(error: &clap::Error) -> Exit {
    if matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
    ) {
        return match print(error.render().to_string()) {
            Ok(()) => Exit::Done,
            Err(error) => report(&error),
        };
    }
    let text = error.render().to_string();
    // Behind the first empty line come hints and the usage.
    let lines = text
        .lines()
        .take_while(|line| !line.is_empty())
        .map(str::trim);
    let line = lines.collect::<Vec<_>>().join(" ");
    let line = line.strip_prefix("error: ").unwrap_or(&line);
    complain(&format!("{line}; see `fps-route --help`"));
    Exit::Usage
}

fn complain(text: &impl std::fmt::Display) {
    // Where standard error is closed there is no one left to tell.
    let _ = writeln!(io::stderr(), "fps-route: {text}");
}
