//! The command `fps-route`.
//!
//! Its exit codes: 0, all is well; 1, an operation failed, or `verify` found a fault; 2, a usage error or a missing device,
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

use crate::{
    Action, Engine, Error, Intent, Numbering, Operation, Plan, ResolverKind, Store, Verification,
    WatchOptions, watch,
};

/// Plans, applies and cleans up the routes around a TUN device.
#[derive(Debug, Parser)]
#[command(
    name = "fps-route",
    version,
    arg_required_else_help = false,
    disable_help_subcommand = true,
    after_help = EXIT_CODES
)]
struct Arguments {
    #[command(subcommand)]
    action: Verb,
}

const EXIT_CODES: &str = "Exit codes:
  0  all is well
  1  an operation failed; or `verify` found that not all is as it shall be
  2  a usage error or a missing device; nothing has changed
  3  an operation of `apply` failed; all is rolled back to what it was
  4  the capability CAP_NET_ADMIN is missing
  5  another program's route or rule is in the way, or a watch; nothing has changed

Example: fps-route apply --tun tun0 --tun-address 10.66.0.2/30 --route 10.66.1.0/24";

#[derive(Debug, Subcommand)]
enum Verb {
    /// Print what `apply` would do; needs neither root nor the device
    #[command(after_help = "Example: fps-route plan --tun tun0 --route 10.66.1.0/24")]
    Plan(Options),
    /// Set addresses, MTU and routes; a second time changes nothing
    #[command(
        after_help = "Example: fps-route apply --tun tun0 --tun-address 10.66.0.2/30 --route 10.66.1.0/24"
    )]
    Apply(Options),
    /// Take away what `apply` set; what is absent already is no error
    #[command(after_help = "Example: fps-route cleanup --tun tun0")]
    Cleanup(Options),
    /// Compare what was applied, or is asked for, with what the kernel holds
    #[command(after_help = "Example: fps-route verify --tun tun0")]
    Verify(Options),
    /// Apply, and keep it true; SIGTERM cleans up, SIGHUP reads files again
    #[command(
        after_help = "Example: fps-route watch --tun tun0 --full-tunnel --except-fwmark 0x465053"
    )]
    Watch(Options),
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

/// The command line.
pub fn command() -> clap::Command {
    <Arguments as clap::CommandFactory>::command()
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
        Verb::Plan(options) => (Some(Action::Plan), options),
        Verb::Apply(options) => (Some(Action::Apply), options),
        Verb::Cleanup(options) => (Some(Action::Cleanup { down: options.down }), options),
        Verb::Verify(options) => (None, options),
        Verb::Watch(options) if options.dry_run => (Some(Action::Apply), options),
        Verb::Watch(options) => return run_watch(options),
    };
    if action.is_none_or(Action::adds) {
        tell_what_is_left_out(&options);
    }
    let call = Call {
        execute: !options.dry_run,
        json: options.json,
        numbering: options.numbering(),
        records: options.state_dir.clone(),
    };
    let resolver = resolver(&options);
    let intent = match options.intent() {
        Ok(intent) => intent,
        Err(error) => {
            complain(&error);
            return Exit::Usage;
        }
    };
    let intent = intent.with_resolver(resolver);
    let outcome = runtime().and_then(|runtime| match action {
        Some(action) => runtime.block_on(call.carry_out(action, intent)),
        None => runtime.block_on(call.verify(intent)),
    });
    match outcome {
        Ok(exit) => exit,
        Err(error) => report(&error),
    }
}

/// Which resolver is told. A record that cannot be read is told of later.
fn resolver(options: &Options) -> ResolverKind {
    let known = Store::open(&options.state_dir).map(|store| store.record(options.tun()));
    let recorded = known.ok().and_then(Result::ok).flatten();
    options.resolver(recorded.and_then(|record| record.resolvers().first().copied()))
}

fn tell_what_is_left_out(options: &Options) {
    if options.leaves_out_routes() {
        complain(
            &"with --full-tunnel and without --keep-lan no route is set beside it: --route is left \
              out",
        );
    }
}

fn runtime() -> Result<tokio::runtime::Runtime, Error> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Error::Runtime)
}

/// Applies, and keeps it so until a signal comes.
fn run_watch(options: Options) -> Exit {
    tell_what_is_left_out(&options);
    let resolver = resolver(&options);
    let intent = || {
        let intent = options.clone().intent()?;
        Ok(intent.with_fallbacks().with_resolver(resolver))
    };
    let again = || match options.reads_once() {
        true => Err("--routes-file is no regular file, which could be read again".to_owned()),
        false => intent(),
    };
    let first = match intent() {
        Ok(intent) => intent,
        Err(error) => {
            complain(&error);
            return Exit::Usage;
        }
    };
    let how = WatchOptions {
        numbering: options.numbering(),
        down: options.down,
    };
    let watched = runtime().and_then(|runtime| {
        runtime.block_on(async {
            let engine = Engine::open(&options.state_dir)?;
            watch(engine, how, again, first).await
        })
    });
    match watched {
        Ok(errors) => errors.iter().fold(Exit::Done, |_, error| report(error)),
        Err(error) => report(&error),
    }
}

/// How the command was called.
struct Call {
    execute: bool,
    json: bool,
    numbering: Numbering,
    records: PathBuf,
}

impl Call {
    /// Looks, prints the plan, and carries out what of it is needed.
    async fn carry_out(&self, action: Action, intent: Intent) -> Result<Exit, Error> {
        let engine = Engine::open(&self.records)?;
        if action == Action::Plan || !self.execute {
            let (plan, complaints) = engine.plan(action, intent, self.numbering).await?;
            complaints.iter().for_each(|error| complain(&error.chain()));
            self.print(&plan, false, &[])?;
            return Ok(Exit::Done);
        }
        let underway = engine.begin(action, intent, self.numbering).await?;
        for error in underway.complaints() {
            complain(&error.chain());
        }
        if underway.plan().leaves_out_ipv6() {
            complain(&"this host has no IPv6: what is for IPv6 is left out");
        }
        if action.adds() {
            underway.transaction().require_resolver()?;
            self.print(underway.plan(), true, underway.leftovers())?;
            for refused in underway.apply().await? {
                complain(&format!("the LAN is not copied whole: {refused}"));
            }
            return Ok(Exit::Done);
        }
        self.print(underway.plan(), true, underway.leftovers())?;
        let mut exit = Exit::Done;
        for error in underway.clean_up().await {
            exit = report(&error);
        }
        Ok(exit)
    }

    /// Says what differs from what is wanted.
    async fn verify(&self, intent: Intent) -> Result<Exit, Error> {
        let engine = Engine::open(&self.records)?;
        // A watch has more than its options say.
        let intent = match engine.applied(intent.tun()) {
            Some(applied) if intent.is_empty() || applied == intent.clone().with_fallbacks() => {
                match intent.dns() {
                    Some(_) => applied,
                    None => applied.with_dns(None),
                }
            }
            _ => intent,
        };
        let found = Verification::new(&engine, intent, self.numbering).await?;
        print(if self.json {
            format!("{:#}\n", found.json())
        } else {
            format!("{found}\n")
        })?;
        Ok(if found.holds() {
            Exit::Done
        } else {
            Exit::Failed
        })
    }

    /// Prints a plan, and behind it what is left from before.
    fn print(&self, plan: &Plan, execute: bool, leftovers: &[Operation]) -> Result<(), Error> {
        print(if self.json {
            format!("{:#}\n", plan.json(execute, leftovers))
        } else {
            plan.text(execute, leftovers)
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
        Error::Foreign { .. }
        | Error::Taken { .. }
        | Error::Captured { .. }
        | Error::Watched { .. } => Exit::Foreign,
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
