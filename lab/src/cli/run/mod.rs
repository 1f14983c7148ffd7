//! `fps-lab run`.

mod github;
mod page;
mod paint;
mod progress;
mod skip;
mod terminal;

use std::fs::TryLockError;
use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use clap::ArgAction;
use tokio::sync::watch;

use paint::paint;
use terminal::Terminal;

use super::builds::Builds;
use super::{Exit, check, signals};
use crate::desk::RuntimeFolder;
use crate::doctor;
use crate::folder::Folder;
use crate::lab::Site;
use crate::limits;
use crate::play::Keep;
use crate::report::{OutcomeFile, Record, RunEnd};
use crate::run::{Catch, Counts, Line, Options, Outcome, Shard, run, unplayed};
use crate::scenario::ScenarioFile;

#[derive(Debug, clap::Args)]
#[command(
    disable_help_flag = true,
    after_help = "Example: fps-lab run scenarios/split-tunnel.toml"
)]
pub(super) struct Arguments {
    /// Scenario files, or folders of them
    #[arg(required = true, value_name = "FILE|DIR")]
    paths: Vec<PathBuf>,
    /// Skip what needs this program, where the machine has none; once for each
    #[arg(long, value_name = "PROGRAM")]
    may_lack: Vec<String>,
    /// Sabotages: `with`, `without`, or `only` what caught each
    #[arg(
        long,
        value_name = "HOW",
        default_value = "with",
        hide_possible_values = true
    )]
    sabotage: Sabotages,
    /// Play a part of the files: `2/4` is the second of four
    #[arg(long, value_name = "N/M")]
    shard: Option<Shard>,
    /// Stop at the first play that fails
    #[arg(long)]
    fail_fast: bool,
    /// Keep packets and snapshots of steps: `failed` or `all`
    #[arg(
        long,
        value_name = "WHICH",
        default_value = "failed",
        hide_possible_values = true
    )]
    keep: Keep,
    /// Print what came of it as JSON (outcome.json), and nothing else
    #[arg(long)]
    json: bool,
    /// The folder that logs and reports go to
    #[arg(long, value_name = "DIR", default_value = "fps-lab-out")]
    out: PathBuf,
    /// How many plays at once; five a core, or as many as limits of files allow
    #[arg(long, value_name = "N", value_parser = jobs)]
    jobs: Option<NonZeroUsize>,
    /// Stop where something fails, with the lab held; Enter goes on
    #[arg(long)]
    pause_on_failure: bool,
    #[command(flatten)]
    builds: Builds,
    /// Print help
    // Everybody knows it, and the line is the one that a screen does not have.
    #[arg(short, long, action = ArgAction::Help, hide = true)]
    help: Option<bool>,
}

/// How many plays at once for each core. A play waits for its deadlines and its programs nine tenths of
/// its time.
const A_CORE: NonZeroUsize = NonZeroUsize::new(5).expect("not zero");

/// What is done about sabotages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Sabotages {
    With,
    Without,
    Only,
}

impl Arguments {
    /// Where a lab is found that is held; told before anything is played, for nobody could find it.
    fn pause(&self) -> io::Result<Option<RuntimeFolder>> {
        match self.pause_on_failure {
            true => RuntimeFolder::find().map(Some).map_err(io::Error::other),
            false => Ok(None),
        }
    }

    fn jobs(&self) -> NonZeroUsize {
        let cores = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        match self.pause_on_failure {
            true => NonZeroUsize::MIN,
            false => self
                .jobs
                .unwrap_or(cores.saturating_mul(A_CORE).min(limits::labs())),
        }
    }

    /// Plays, and prints what is said of plays where that is wanted.
    fn play(&self, files: &[ScenarioFile], options: &Options<'_>, width: usize) -> Vec<Outcome> {
        let aloud = !self.json && self.sabotage != Sabotages::Only;
        if self.pause_on_failure {
            // Somebody is waited for, and is to know why. No line of progress is drawn over it.
            return run(files, options, &|Line { play, text }: Line| {
                let line = format!("{play:width$}  {}", paint(&text));
                drop(match aloud {
                    true => writeln!(anstream::stdout().lock(), "{line}"),
                    false => writeln!(anstream::stderr().lock(), "{line}"),
                });
            });
        }
        let sabotages = usize::from(options.sabotages);
        let plays = files
            .iter()
            .map(|file| 1 + file.sabotages.len() * sabotages);
        let terminal = Terminal::new(width, aloud, plays.sum());
        let outcomes = run(files, options, &terminal);
        terminal.end();
        outcomes
    }
}

pub(super) fn main(arguments: &Arguments) -> Exit {
    match to_its_end(arguments) {
        Ok(exit) | Err(Stopped::Exit(exit)) => exit,
        Err(Stopped::Error(error)) => {
            complain!("fps-lab: {error}");
            Exit::NoLab
        }
    }
}

/// Why a run came to no end.
enum Stopped {
    /// It was said already.
    Exit(Exit),
    /// The machine did not let us.
    Error(io::Error),
}

impl From<io::Error> for Stopped {
    fn from(error: io::Error) -> Self {
        Self::Error(error)
    }
}

fn to_its_end(arguments: &Arguments) -> Result<Exit, Stopped> {
    let files = check::load(&arguments.paths).map_err(Stopped::Exit)?;
    let files = match arguments.shard {
        Some(shard) => share(files, shard).map_err(Stopped::Exit)?,
        None => files,
    };
    let width = width(&files);
    let (site, folder, _lock) = prepare(arguments)?;
    let mut record = Record::new(&folder, command_line(), arguments.shard);
    let (files, skipped) = skip::skip(files, &arguments.may_lack, (width, !arguments.json));
    let count = skipped.len();
    record.skipped(skipped);
    if files.is_empty() {
        let why = "nothing was played: install what is missing, or name more scenarios";
        leave(arguments, &folder, record.write_no_lab(why)?)?;
        complain!("fps-lab: {why}");
        return Ok(Exit::NoLab);
    }
    // Kept until the end: while the kernel clears one away, it makes no others.
    let _stands = stand(arguments, (&site, &folder), &mut record)?;
    let pause = arguments.pause()?;
    let sabotages = arguments.sabotage != Sabotages::Without;
    // A run that is killed leaves this.
    let begun = record.write(&files, &unplayed(&files, sabotages), RunEnd::Unfinished)?;
    page::begin(&folder, begun)?;
    let (interrupt, stop) = watch::channel(false);
    signals::listen(interrupt)
        .map_err(|error| io::Error::other(format!("listen for Ctrl-C: {error}")))?;
    let options = Options {
        site: &site,
        folder: &folder,
        jobs: arguments.jobs(),
        pause: pause.as_ref(),
        sabotages,
        fail_fast: arguments.fail_fast,
        keep: arguments.keep,
        stop: stop.clone(),
    };
    let start = Instant::now();
    let outcomes = arguments.play(&files, &options, width);
    let exit = match *stop.borrow() {
        true => Exit::Interrupted,
        false => verdict(&outcomes),
    };
    let outcome = record.write(&files, &outcomes, end(exit))?;
    let left = leave(arguments, &folder, outcome);
    if exit == Exit::Interrupted && !arguments.json {
        say!("interrupted: every lab is torn down");
        return Ok(left.map(|()| exit).or_else(|error| unheard(exit, error))?);
    }
    let told = left.and_then(|()| heard(tell(arguments, &outcomes, outcome)));
    if !arguments.json {
        summarise(&outcomes, count, start.elapsed(), folder.path());
    }
    Ok(told.map(|()| exit).or_else(|error| unheard(exit, error))?)
}

fn jobs(text: &str) -> Result<NonZeroUsize, &'static str> {
    text.parse().map_err(|_| "a number from 1 on is meant")
}

/// What came of a run stands whether or not it could be told; but a pass that nobody hears of is none.
fn unheard(exit: Exit, error: io::Error) -> io::Result<Exit> {
    if exit == Exit::Passed {
        return Err(error);
    }
    complain!("fps-lab: {error}");
    Ok(exit)
}

/// A closed pipe ends nothing: the exit code still tells.
fn heard(told: io::Result<()>) -> io::Result<()> {
    match told {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(io::Error::other(format!("print what came of it: {error}")))
        }
        _ => Ok(()),
    }
}

/// Leaves what people and CI read of a run that is over.
fn leave(arguments: &Arguments, folder: &Folder, outcome: &OutcomeFile) -> io::Result<()> {
    page::end(folder, outcome)?;
    if arguments.json || !github::is_there() {
        return Ok(());
    }
    heard(github::tell(outcome, &mut io::stdout().lock()))
}

/// Makes a sandbox before the first of many plays finds out that there can be none.
fn stand(
    arguments: &Arguments,
    (site, folder): (&Site, &Folder),
    record: &mut Record<'_>,
) -> Result<impl Sized + use<>, Stopped> {
    let lack = match doctor::stand(&site.helper) {
        Ok(stands) => return Ok(stands),
        Err(lack) => lack,
    };
    leave(arguments, folder, record.write_no_lab(&lack.to_string())?)?;
    complain!("fps-lab: NO LAB   {lack}\nfps-lab: `fps-lab doctor` looks at all of the machine");
    Err(Stopped::Exit(Exit::NoLab))
}

/// The files of one part; none where it is empty, which nobody shall take for a pass.
fn share(files: Vec<ScenarioFile>, shard: Shard) -> Result<Vec<ScenarioFile>, Exit> {
    let count = files.len();
    let part = shard.pick(files);
    if part.is_empty() {
        complain!(
            "fps-lab: nothing was played: shard {shard} is empty, since there are {count} \
             scenarios; use no more shards than that"
        );
        return Err(Exit::NoLab);
    }
    Ok(part)
}

/// How wide the names of plays are, with those of sabotages.
fn width(files: &[ScenarioFile]) -> usize {
    let names = files.iter().map(|file| file.name.len() + 2);
    names.max().unwrap_or(0)
}

fn command_line() -> Vec<String> {
    let words = std::env::args_os();
    words
        .map(|word| word.to_string_lossy().into_owned())
        .collect()
}

fn end(exit: Exit) -> RunEnd {
    match exit {
        Exit::Passed => RunEnd::Passed,
        Exit::Failed => RunEnd::Failed,
        // A run with an invalid scenario has no record.
        Exit::NoLab | Exit::Invalid => RunEnd::NoLab,
        Exit::Interrupted => RunEnd::Interrupted,
    }
}

/// What came of it as data, or the sabotages alone.
fn tell(arguments: &Arguments, outcomes: &[Outcome], outcome: &OutcomeFile) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let catches = Catch::all(outcomes);
    match (arguments.sabotage, arguments.json) {
        (Sabotages::Only, true) => {
            serde_json::to_writer_pretty(&mut out, &catches)?;
            writeln!(out)
        }
        (_, true) => {
            serde_json::to_writer_pretty(&mut out, outcome)?;
            writeln!(out)
        }
        (Sabotages::Only, false) => catches.iter().try_for_each(|catch| {
            writeln!(out, "{}: {}", catch.scenario, catch.sabotage)?;
            for caught in &catch.caught_by {
                writeln!(out, "    caught by {}: {}", caught.expectation, caught.why)?;
                for cause in &caught.likely {
                    writeln!(out, "        likely: {cause}")?;
                }
            }
            match &catch.no_bite {
                Some(why) => writeln!(out, "    NO BITE {why}"),
                None => Ok(()),
            }
        }),
        (Sabotages::With | Sabotages::Without, false) => Ok(()),
    }
}

/// The folder, locked against a second run in the same place.
fn prepare(arguments: &Arguments) -> io::Result<(Site, Folder, std::fs::File)> {
    let site = arguments.builds.site()?;
    let out = arguments.out.display();
    let folder = Folder::create(&arguments.out)
        .map_err(|error| io::Error::other(format!("create {out}: {error}; see --out")))?;
    let lock = folder.append(".lock")?;
    match lock.try_lock() {
        Ok(()) => Ok((site, folder, lock)),
        Err(TryLockError::WouldBlock) => Err(io::Error::other(format!(
            "another run writes to {out}: wait for it, or name another folder with --out"
        ))),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

fn summarise(outcomes: &[Outcome], skipped: usize, took: Duration, folder: &Path) {
    say!("");
    for outcome in outcomes.iter().filter(|outcome| !outcome.passed()) {
        // Said once, and not again for each sabotage, which had no lab either.
        if let Some(why) = outcome.not_built() {
            say!("{}", paint(&format!("NO LAB   {}: {why}", outcome.name)));
            continue;
        }
        if !outcome.play.passed() {
            say!("{}", paint(&format!("FAILED   {}", outcome.name)));
        }
        for sabotage in &outcome.sabotages {
            if let Some(why) = &sabotage.no_bite {
                let name = &outcome.name;
                say!(
                    "{}",
                    paint(&format!("NO BITE  {name}: {}: {why}", sabotage.name))
                );
            }
        }
    }
    let Counts {
        passed,
        failed,
        bit,
        harmless,
    } = Counts::of(outcomes);
    let skipped = match skipped {
        0 => String::new(),
        skipped => format!(", {skipped} SKIPPED"),
    };
    let (took, folder) = (took.as_secs_f64(), folder.display());
    say!(
        "scenarios: {passed} passed, {failed} failed{skipped}; sabotages: {bit} bit, {harmless} did not; \
         {took:.2} s; logs and reports in {folder}"
    );
}

fn verdict(outcomes: &[Outcome]) -> Exit {
    if outcomes.iter().any(|outcome| outcome.not_built().is_some()) {
        return Exit::NoLab;
    }
    if outcomes.iter().all(Outcome::passed) {
        Exit::Passed
    } else {
        Exit::Failed
    }
}
