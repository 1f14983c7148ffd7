//! `fps-lab up`.

mod choice;
mod detach;

use std::fs::{File, TryLockError};
use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::slice;

use detach::{Background, Side};
use tokio::sync::watch;

use super::builds::Builds;
use super::{Exit, check, signals};
use crate::desk::{LabName, RuntimeFolder};
use crate::folder::Folder;
use crate::play::{End, Keep, Report};
use crate::run::{HeldLab, Line, Options};
use crate::scenario::ScenarioFile;

#[derive(Debug, clap::Args)]
#[command(after_help = "Example: fps-lab up scenarios/split-tunnel.toml --to 2")]
pub(super) struct Arguments {
    /// A scenario file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Play the steps up to this one, by name or number; none where not given
    #[arg(long, value_name = "STEP")]
    to: Option<String>,
    /// Build the lab of a sabotage, by name or number
    #[arg(long, value_name = "NAME|N")]
    sabotage: Option<String>,
    /// What the lab is called; as the file where not given
    #[arg(long, value_name = "LAB")]
    name: Option<LabName>,
    /// Hold it in the background, and return when it stands
    #[arg(short, long)]
    detach: bool,
    /// The folder that logs go to
    #[arg(long, value_name = "DIR", default_value = "fps-lab-out")]
    out: PathBuf,
    #[command(flatten)]
    builds: Builds,
}

pub(super) fn main(arguments: &Arguments) -> Exit {
    let files = match check::load(slice::from_ref(&arguments.file)) {
        Ok(files) => files,
        Err(exit) => return exit,
    };
    let [file] = &files[..] else {
        complain!("fps-lab: name one scenario file: a lab is built of one");
        return Exit::Invalid;
    };
    let plan = match Plan::of(file, arguments) {
        Ok(plan) => plan,
        Err(why) => {
            complain!("fps-lab: {}: {why}", file.path.display());
            return Exit::Invalid;
        }
    };
    let side = match arguments.detach {
        true => detach::fork(),
        false => Ok(Side::Holder(Background::none())),
    };
    match side {
        Ok(Side::Caller(exit)) => exit,
        Ok(Side::Holder(background)) => match hold(file, arguments, plan, &background) {
            Ok(exit) => exit,
            Err(error) => {
                background.complain(&format!("fps-lab: {error}"));
                Exit::NoLab
            }
        },
        Err(error) => {
            complain!("fps-lab: hold the lab in the background: {error}");
            Exit::NoLab
        }
    }
}

/// What of the file is built and played.
struct Plan {
    name: LabName,
    sabotage: Option<usize>,
    steps: usize,
}

impl Plan {
    fn of(file: &ScenarioFile, arguments: &Arguments) -> Result<Self, String> {
        let sabotage = match &arguments.sabotage {
            Some(text) => Some(choice::sabotage(file, text)?),
            None => None,
        };
        let scenario = match sabotage {
            Some(number) => &file.sabotages[number].scenario,
            None => &file.scenario,
        };
        let name = arguments.name.clone();
        Ok(Self {
            name: name.unwrap_or_else(|| LabName::of_scenario(&file.name)),
            steps: match &arguments.to {
                Some(text) => choice::steps(scenario, text)?,
                None => 0,
            },
            sabotage,
        })
    }
}

fn hold(
    file: &ScenarioFile,
    arguments: &Arguments,
    plan: Plan,
    background: &Background,
) -> io::Result<Exit> {
    let runtime_folder = RuntimeFolder::find().map_err(io::Error::other)?;
    let site = arguments.builds.site()?;
    let (folder, _lock) = folder(arguments, &plan.name)?;
    background.begin(&folder, &plan.name)?;
    let (interrupt, stop) = watch::channel(false);
    signals::listen(interrupt)?;
    let options = Options {
        site: &site,
        folder: &folder,
        jobs: NonZeroUsize::MIN,
        sabotages: false,
        fail_fast: false,
        pause: None,
        keep: Keep::Failed,
        stop: stop.clone(),
    };
    let lab = HeldLab {
        file,
        sabotage: plan.sabotage,
        steps: plan.steps,
        folder: runtime_folder,
        name: plan.name.clone(),
        standing: &|| background.stands(),
    };
    let report = lab.hold(&options, &|Line { play, text }: Line| {
        background.say(&format!("{play}  {text}"));
    });
    let report = report.map_err(io::Error::other)?;
    Ok(told(&report, &plan.name, *stop.borrow(), background))
}

/// How it ended. What did not hold before was told, and is no failure of the lab's.
fn told(report: &Report, name: &LabName, stopped: bool, background: &Background) -> Exit {
    if let End::NotBuilt(why) = &report.end {
        background.complain(&format!("fps-lab: {name}: NO LAB {why}"));
        return Exit::NoLab;
    }
    background.say(&format!("{name}  down     nothing of it is left"));
    match stopped {
        true => Exit::Interrupted,
        false => Exit::Passed,
    }
}

/// The folder for logs, in which no other lab of this name is held: it might be another user's, or one
/// that is found in another place.
fn folder(arguments: &Arguments, name: &LabName) -> io::Result<(Folder, File)> {
    let out = arguments.out.display();
    let folder = Folder::create(&arguments.out)
        .map_err(|error| io::Error::other(format!("create {out}: {error}; see --out")))?;
    let lock = folder.append(&format!(".{name}.lock"))?;
    match lock.try_lock() {
        Ok(()) => Ok((folder, lock)),
        Err(TryLockError::WouldBlock) => Err(io::Error::other(format!(
            "a lab called {name} writes to {out} already: end it with `fps-lab down {name}`, or give \
             this one another name with --name"
        ))),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Prints a line where it can be read; a pipe that somebody has closed ends nothing.
fn print(mut to: impl Write, line: &str) {
    drop(writeln!(to, "{line}"));
}
