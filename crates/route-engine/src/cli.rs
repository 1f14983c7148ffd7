//! The command `fps-route`.
//!
//! Its exit codes: 0, all is well; 1, an operation failed; 2, a usage error or a missing device,
//! and nothing has changed; 4, the capability CAP_NET_ADMIN is missing.

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Args, Parser, Subcommand};
use fps_netlink::LinkName;

use crate::{Action, Destination, Error, Executor, Intent, Mtu, Plan, TunAddress};

/// Plans, applies and cleans up the routes around a TUN device.
#[derive(Debug, Parser)]
#[command(name = "fps-route", version, after_help = EXIT_CODES)]
struct Arguments {
    #[command(subcommand)]
    action: Verb,
}

const EXIT_CODES: &str = "Exit codes:
  0  all is well
  1  an operation failed
  2  a usage error or a missing device; nothing has changed
  4  the capability CAP_NET_ADMIN is missing";

#[derive(Debug, Subcommand)]
enum Verb {
    /// Print what `apply` would do; needs neither root nor the device
    Plan(Options),
    /// Set addresses, MTU and routes; a second time changes nothing
    Apply(Options),
    /// Take away what `apply` with the same options set; what is absent already is no error
    Cleanup(Options),
}

#[derive(Args, Debug)]
struct Options {
    /// The TUN device
    #[arg(long, value_name = "DEV")]
    tun: LinkName,
    /// An address of the device, such as 10.66.0.2/30; may be given more than once
    #[arg(long = "tun-address", value_name = "CIDR")]
    addresses: Vec<TunAddress>,
    /// The device's MTU in bytes
    #[arg(long, value_name = "N")]
    mtu: Option<Mtu>,
    /// A network to reach through the device, such as 10.66.1.0/24; may be given more than once
    #[arg(long = "route", value_name = "CIDR")]
    routes: Vec<Destination>,
    /// Leave DNS alone, as this version always does
    #[arg(long)]
    no_dns: bool,
    /// With `cleanup`: set the device down at the end
    #[arg(long)]
    down: bool,
    /// Print the operations and change nothing
    #[arg(long)]
    dry_run: bool,
}

/// How the command ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Exit {
    Done = 0,
    Failed = 1,
    Usage = 2,
    MissingCapability = 4,
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
    let Options {
        tun,
        addresses,
        mtu,
        routes,
        dry_run,
        ..
    } = options;
    let plan = match Intent::new(tun, addresses, mtu, routes) {
        Ok(intent) => Plan::new(action, intent),
        Err(error) => {
            complain(&error);
            return Exit::Usage;
        }
    };
    let outcome = if dry_run || action == Action::Plan {
        print(plan.to_string())
    } else {
        carry_out(&plan)
    };
    match outcome {
        Ok(exit) => exit,
        Err(error) => report(&error),
    }
}

fn print(text: String) -> Result<Exit, Error> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(Error::Output)?;
    Ok(Exit::Done)
}

fn carry_out(plan: &Plan) -> Result<Exit, Error> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Error::Runtime)?
        .block_on(async {
            let executor = Executor::open()?;
            match plan.action() {
                Action::Cleanup { .. } => clean_up(plan, &executor).await,
                Action::Plan | Action::Apply => apply(plan, &executor).await,
            }
        })
}

/// Stops at the first failure: the operations after it build on it.
async fn apply(plan: &Plan, executor: &Executor) -> Result<Exit, Error> {
    executor.require_device(plan.intent().tun()).await?;
    print(format!("{}\n", plan.header(true)))?;
    for (done, operation) in plan.operations().iter().enumerate() {
        print(format!("+ {operation}\n"))?;
        if let Err(error) = executor.execute(operation).await {
            let exit = report(&error);
            if done > 0 {
                complain(
                    &"what came before it stays: `fps-route cleanup` with the same options \
                           takes it away",
                );
            }
            return Ok(exit);
        }
    }
    Ok(Exit::Done)
}

/// Goes on after a failure, since what can be taken away should be.
async fn clean_up(plan: &Plan, executor: &Executor) -> Result<Exit, Error> {
    print(format!("{}\n", plan.header(true)))?;
    let mut exit = Exit::Done;
    for operation in plan.operations() {
        print(format!("+ {operation}\n"))?;
        match executor.execute(operation).await {
            Ok(()) => {}
            // No other will fare better.
            Err(error @ Error::MissingCapability { .. }) => return Err(error),
            Err(error) => exit = report(&error),
        }
    }
    Ok(exit)
}

/// Says what failed.
fn report(error: &Error) -> Exit {
    complain(&error.chain());
    match error {
        Error::NoDevice(_) => Exit::Usage,
        Error::MissingCapability { .. } => Exit::MissingCapability,
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
            Ok(exit) => exit,
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
