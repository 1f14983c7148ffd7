//! Programs by name: started, waited for, ended; their output in the run's folder.

mod diary;
mod error;
mod output;
mod sign;

use std::collections::HashMap;
use std::os::unix::process::ExitStatusExt;
use std::time::Duration;

use indexmap::IndexMap;
use indexmap::map::Entry;
use nix::libc::{SIGKILL, SIGTERM};
use tokio::time::{Instant, sleep_until, timeout_at};

use diary::Diary;
pub use error::ProgramError;
use output::Output;
use sign::Sign;

use super::timeline::Timeline;
use crate::folder::Folder;
use crate::sandbox::{Exit, HostId, PATH, PROGRAMS, Running, Sandbox, Signal};
use crate::scenario::{HostName, Ready};

/// How long a program may take to end after SIGTERM.
const GRACE: Duration = Duration::from_secs(5);

/// What to start, and where.
#[derive(Debug)]
pub(super) struct Order<'a> {
    pub(super) name: &'a str,
    pub(super) host: &'a HostName,
    pub(super) id: HostId,
    pub(super) command: &'a [String],
    /// Whether it may end by itself.
    pub(super) may_end: bool,
}

/// Why a line is not there.
#[derive(Debug)]
pub(super) enum Unsaid {
    /// Nobody has started the program.
    NeverStarted,
    /// It said something else; its last lines.
    Other(Vec<String>),
}

/// A place in the output of a program: which of its lives, and how many lines.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    life: usize,
    lines: usize,
}

/// What was read of a program's output.
#[derive(Debug)]
pub(super) struct Heard {
    pub(super) lines: Vec<String>,
    /// The program runs.
    pub(super) runs: bool,
    /// Nobody can write any more, and all was read.
    pub(super) to_its_end: bool,
}

/// How often it is looked whether all was read.
const DRAINED: Duration = Duration::from_millis(5);

/// The programs of a play.
#[derive(Debug)]
pub(super) struct Programs {
    timeline: Timeline,
    programs: IndexMap<String, Program>,
}

/// A program that was started, and has perhaps ended.
#[derive(Debug)]
struct Program {
    host: HostName,
    running: Running,
    output: Output,
    /// A step has ended it, or nobody minds if it ends.
    may_end: bool,
    /// What was printed each time that it was started before.
    former: Vec<Output>,
}

impl Programs {
    /// None yet. What they do is written to the timeline.
    pub(super) fn new(timeline: Timeline) -> Self {
        Self {
            timeline,
            programs: IndexMap::new(),
        }
    }

    /// Starts a program and waits until it is ready.
    pub(super) async fn start(
        &mut self,
        sandbox: &Sandbox,
        folder: &Folder,
        order: Order<'_>,
        ready: &Ready,
    ) -> Result<(), ProgramError> {
        let program = order.name.to_owned();
        if self.is_running(order.name) {
            return Err(ProgramError::Runs { program });
        }
        let sign = Sign::of(&ready.when, sandbox, order.id)?;
        let started = Program::start(sandbox, (folder, &self.timeline), &order)?;
        // Kept even where it does not get ready: it is to be killed with the others.
        match self.programs.entry(program) {
            Entry::Vacant(entry) => {
                entry.insert(started);
            }
            Entry::Occupied(mut entry) => {
                let before = entry.insert(started);
                let former = &mut entry.get_mut().former;
                *former = before.former;
                former.push(before.output);
            }
        }
        match sign {
            None => Ok(()),
            Some(sign) => self.await_sign(order.name, sign, ready.within).await,
        }
    }

    /// Waits until a program has printed a line that holds `text`, since it was started.
    pub(super) async fn await_output(
        &mut self,
        name: &str,
        text: &str,
        within: Duration,
    ) -> Result<(), ProgramError> {
        self.await_sign(name, Sign::Line(text), within).await
    }

    async fn await_sign(
        &mut self,
        name: &str,
        mut sign: Sign<'_>,
        within: Duration,
    ) -> Result<(), ProgramError> {
        let program = self.running(name)?;
        let deadline = Instant::now() + within;
        let Program {
            running, output, ..
        } = program;
        let seen = async {
            match &mut sign {
                Sign::Device(device) => device.appears().await,
                Sign::Line(text) if output.wait_for(text).await => Ok(()),
                // It has closed its output. How it ended comes by the other way, a moment later.
                Sign::Line(_) => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            seen = seen => Ok(seen?),
            exit = running.wait() => {
                let exit = exit?;
                // What it said last may still be on its way through the pipe.
                program.output.finish().await;
                if let Sign::Line(text) = sign && program.output.find(text).is_some() {
                    return Ok(());
                }
                Err(ProgramError::Ended {
                    program: name.to_owned(),
                    host: program.host.clone(),
                    exit,
                    last: program.output.last_lines(),
                })
            }
            () = sleep_until(deadline) => Err(ProgramError::NotReady {
                program: name.to_owned(),
                host: program.host.clone(),
                sign: sign.to_string(),
                within,
                last: program.output.last_lines(),
            }),
        }
    }

    /// Waits until a program has printed a line that holds `text`, be it long ago; gives the line.
    pub(super) async fn line(
        &self,
        name: &str,
        text: &str,
        within: Duration,
    ) -> Result<String, Unsaid> {
        let program = self.programs.get(name).ok_or(Unsaid::NeverStarted)?;
        let said = async {
            match program.output.line(text).await {
                Some(line) => line,
                // It has closed its output. That it has ended, if so, comes by another way, a
                // moment later, and is to be known when this is.
                None => std::future::pending().await,
            }
        };
        let line = timeout_at(Instant::now() + within, said).await;
        line.map_err(|_| Unsaid::Other(program.output.last_lines()))
    }

    /// Where the output of each program stands now that was ever started.
    pub(super) fn marks(&self) -> impl Iterator<Item = (String, Mark)> {
        self.programs.iter().map(|(name, program)| {
            let mark = Mark {
                life: program.former.len(),
                lines: program.output.count(),
            };
            (name.clone(), mark)
        })
    }

    /// What a program has printed behind a mark, however often it was started since; all that it has
    /// since it was last started, where there is none.
    pub(super) fn heard(&self, name: &str, since: Option<Mark>) -> Option<Heard> {
        let program = self.programs.get(name)?;
        let lives = program.former.len();
        let Mark { life, lines } = since.unwrap_or(Mark {
            life: lives,
            lines: 0,
        });
        let outputs = program.outputs().enumerate().skip(life);
        let heard = outputs.flat_map(|(of, output)| {
            let first = if of == life { lines } else { 0 };
            output.lines_from(first)
        });
        Some(Heard {
            lines: heard.collect(),
            runs: program.runs(),
            to_its_end: program.output.has_ended(),
        })
    }

    /// Waits until all was read that a program has written; false where that takes too long, or
    /// where it was never started.
    pub(super) async fn all_is_heard(&self, name: &str, within: Duration) -> bool {
        let Some(program) = self.programs.get(name) else {
            // Of which somebody else tells.
            return true;
        };
        let deadline = Instant::now() + within;
        while !program.outputs().all(Output::is_drained) {
            if Instant::now() >= deadline {
                return false;
            }
            sleep_until(Instant::now() + DRAINED).await;
        }
        true
    }

    /// Ends a program in order, or at once; waits until it has ended. One that does not end in
    /// order is an error, and dies with the lab.
    pub(super) async fn end(
        &mut self,
        sandbox: &Sandbox,
        name: &str,
        signal: Signal,
    ) -> Result<(), ProgramError> {
        let program = self.running(name)?;
        program.may_end = true;
        sandbox.signal(&program.running, signal)?;
        let ended = timeout_at(Instant::now() + GRACE, program.running.wait()).await;
        let (program, last) = (name.to_owned(), program.output.last_lines());
        let Ok(exit) = ended else {
            return Err(match signal {
                Signal::Terminate | Signal::Number(_) => ProgramError::Stubborn {
                    program,
                    grace: GRACE,
                    last,
                },
                Signal::Kill => ProgramError::Undead { program },
            });
        };
        let exit = exit?;
        match exit.0.signal() {
            // With which exit code it answers SIGTERM is its own affair.
            None | Some(SIGTERM | SIGKILL) => Ok(()),
            Some(_) => Err(ProgramError::Crashed {
                program,
                exit,
                last,
            }),
        }
    }

    /// What the programs that run are called, by their numbers in the sandbox.
    pub(super) fn names(&self) -> HashMap<i32, String> {
        let running = self.programs.iter().filter(|(_, program)| program.runs());
        running
            .map(|(name, program)| (program.running.pid(), name.clone()))
            .collect()
    }

    /// Kills whatever still runs, without waiting.
    pub(super) fn kill_all(&mut self, sandbox: &Sandbox) {
        for program in self.programs.values().filter(|program| program.runs()) {
            // Where the sandbox is gone the programs are, too.
            drop(sandbox.signal(&program.running, Signal::Kill));
        }
    }

    /// Whether a program was started and has not ended.
    pub(super) fn is_running(&self, name: &str) -> bool {
        self.programs.get(name).is_some_and(Program::runs)
    }

    /// The programs that have ended by themselves, in words.
    pub(super) fn obituaries(&self) -> Vec<String> {
        let unexpected = self.programs.iter().filter(|(_, program)| !program.may_end);
        unexpected
            .filter_map(|(name, program)| {
                let exit = program.running.exit()?;
                let last = program.output.last_lines();
                let last = last
                    .last()
                    .map_or_else(String::new, |line| format!("; it said: {line}"));
                Some(format!(
                    "{name} on {} has ended: {exit}{last}",
                    program.host
                ))
            })
            .collect()
    }

    fn running(&mut self, name: &str) -> Result<&mut Program, ProgramError> {
        let last = self.last_lines(name);
        match self.programs.get_mut(name) {
            Some(program) if program.runs() => Ok(program),
            _ => Err(ProgramError::Idle {
                program: name.to_owned(),
                last,
            }),
        }
    }

    fn last_lines(&self, name: &str) -> Vec<String> {
        self.programs
            .get(name)
            .map(|program| program.output.last_lines())
            .unwrap_or_default()
    }
}

/// How a command has ended, and all that it has printed.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) exit: Exit,
    pub(super) text: String,
}

/// Runs a command to its end; `expected` is the exit code that it must have, if it must have one.
pub(super) async fn run(
    sandbox: &Sandbox,
    place: (&Folder, &Timeline),
    order: Order<'_>,
    expected: Option<i32>,
    within: Duration,
) -> Result<Ended, ProgramError> {
    let mut program = Program::start(sandbox, place, &order)?;
    let (command, host) = (order.command.join(" "), order.host.clone());
    let Ok(exit) = timeout_at(Instant::now() + within, program.running.wait()).await else {
        sandbox.signal(&program.running, Signal::Kill)?;
        let last = program.output.last_lines();
        return Err(ProgramError::Endless {
            command,
            host,
            within,
            last,
        });
    };
    let exit = exit?;
    program.output.finish().await;
    let expected = match expected {
        Some(code) if exit.0.code() != Some(code) => code,
        _ => {
            let text = program.output.text();
            return Ok(Ended { exit, text });
        }
    };
    let last = program.output.last_lines();
    Err(ProgramError::WrongExit {
        command,
        host,
        exit,
        expected,
        last,
    })
}

impl Mark {
    /// Before whatever a program has printed.
    pub(super) const BEGIN: Self = Self { life: 0, lines: 0 };
}

impl Program {
    /// What was printed each time that it was started, the last time last.
    fn outputs(&self) -> impl Iterator<Item = &Output> {
        self.former.iter().chain([&self.output])
    }

    fn runs(&self) -> bool {
        self.running.exit().is_none()
    }

    fn start(
        sandbox: &Sandbox,
        (folder, timeline): (&Folder, &Timeline),
        order: &Order<'_>,
    ) -> Result<Self, ProgramError> {
        let log = folder
            .append(&format!("{}.{}.log", order.host, order.name))
            .map_err(|cause| ProgramError::Log {
                program: order.name.to_owned(),
                cause,
            })?;
        let mut running = sandbox.spawn(order.id, order.command, &environment())?;
        let diary = Diary::of(order, timeline);
        diary.starts(order.command);
        tokio::spawn(diary.clone().await_end(running.ending()));
        let pipe = running
            .output
            .take()
            .expect("a fresh program has its output");
        Ok(Self {
            host: order.host.clone(),
            running,
            output: Output::new(pipe, log, diary),
            may_end: order.may_end,
            former: Vec::new(),
        })
    }
}

/// What every program finds in its environment, whatever the runner's is.
pub(crate) fn environment() -> Vec<(String, String)> {
    let path = format!("{PROGRAMS}:{PATH}");
    [
        ("PATH", path.as_str()),
        ("HOME", "/root"),
        ("LANG", "C.UTF-8"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec()
}
