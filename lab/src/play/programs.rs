//! Programs by name: started, waited for, ended; their output in the run's folder.

use std::fmt;
use std::fs::File;
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use indexmap::IndexMap;
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::folder::Folder;
use crate::sandbox::{Exit, HostId, Running, Sandbox, SandboxError, Signal};
use crate::scenario::{HostName, Ready, ReadyWhen};

/// How long a program may take to end after SIGTERM.
const GRACE: Duration = Duration::from_secs(5);
/// How many of its last lines an error shows.
const LAST_LINES: usize = 12;

/// What to start, and where.
#[derive(Debug)]
pub(super) struct Order<'a> {
    pub(super) name: &'a str,
    pub(super) host: &'a HostName,
    pub(super) id: HostId,
    pub(super) command: &'a [String],
}

/// A program that did not do what it should. Its last lines are part of the text.
#[derive(Debug, thiserror::Error)]
pub enum ProgramError {
    /// It could not be started.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// Its log cannot be written.
    #[error("write the log of {program}")]
    Log {
        /// The program.
        program: String,
        /// The errno.
        #[source]
        cause: std::io::Error,
    },
    /// It runs already.
    #[error("{program} runs already: stop or kill it before it is started again")]
    Runs {
        /// The program.
        program: String,
    },
    /// It does not run.
    #[error("{program} does not run{}", last_words(last))]
    Idle {
        /// The program.
        program: String,
        /// Its last lines, where it has run before.
        last: Vec<String>,
    },
    /// It ended before it was ready.
    #[error(
        "{program} on {host} ended before it was ready: {exit}{}",
        last_words(last)
    )]
    Ended {
        /// The program.
        program: String,
        /// Its host.
        host: HostName,
        /// How it ended.
        exit: Exit,
        /// Its last lines.
        last: Vec<String>,
    },
    /// It was not ready in time.
    #[error(
        "{program} on {host} was not ready within {within:?}: no line with `{sign}`{}",
        last_words(last)
    )]
    NotReady {
        /// The program.
        program: String,
        /// Its host.
        host: HostName,
        /// What it was to print.
        sign: String,
        /// How long it had.
        within: Duration,
        /// Its last lines.
        last: Vec<String>,
    },
    /// A command did not end in time.
    #[error(
        "`{command}` on {host} did not end within {within:?}{}",
        last_words(last)
    )]
    Endless {
        /// The command.
        command: String,
        /// Its host.
        host: HostName,
        /// How long it had.
        within: Duration,
        /// Its last lines.
        last: Vec<String>,
    },
    /// A command ended in another way than it should.
    #[error(
        "`{command}` on {host}: {exit}, where exit code {expected} was expected{}",
        last_words(last)
    )]
    WrongExit {
        /// The command.
        command: String,
        /// Its host.
        host: HostName,
        /// How it ended.
        exit: Exit,
        /// The exit code that was expected.
        expected: i32,
        /// Its last lines.
        last: Vec<String>,
    },
}

fn last_words(lines: &[String]) -> String {
    if lines.is_empty() {
        return "; it printed nothing".to_owned();
    }
    let lines: Vec<String> = lines.iter().map(|line| format!("\n    | {line}")).collect();
    format!("; its last lines:{}", lines.concat())
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0.code(), self.0.signal()) {
            (Some(code), _) => write!(f, "exit code {code}"),
            (None, Some(signal)) => match nix::sys::signal::Signal::try_from(signal) {
                Ok(signal) => write!(f, "ended by {signal}"),
                Err(_) => write!(f, "ended by signal {signal}"),
            },
            (None, None) => write!(f, "{}", self.0),
        }
    }
}

/// The programs of a play.
#[derive(Debug, Default)]
pub(super) struct Programs {
    programs: IndexMap<String, Program>,
}

/// A program that was started, and has perhaps ended.
#[derive(Debug)]
struct Program {
    host: HostName,
    running: Running,
    output: Output,
    exit: Option<Exit>,
}

impl Programs {
    /// Starts a program and waits until it is ready.
    pub(super) async fn start(
        &mut self,
        sandbox: &Sandbox,
        folder: &Folder,
        order: Order<'_>,
        ready: &Ready,
    ) -> Result<(), ProgramError> {
        let program = order.name.to_owned();
        if self
            .programs
            .get(order.name)
            .is_some_and(|program| program.exit.is_none())
        {
            return Err(ProgramError::Runs { program });
        }
        let started = Program::start(sandbox, folder, &order)?;
        // Kept even where it does not get ready: it is to be killed with the others.
        self.programs.insert(program, started);
        match &ready.when {
            ReadyWhen::Started => Ok(()),
            ReadyWhen::Output(sign) => self.await_output(order.name, sign, ready.within).await,
        }
    }

    /// Waits until a program has printed a line that holds `sign`, since it was started.
    pub(super) async fn await_output(
        &mut self,
        name: &str,
        sign: &str,
        within: Duration,
    ) -> Result<(), ProgramError> {
        let program = self.running(name)?;
        let deadline = Instant::now() + within;
        let Program {
            running, output, ..
        } = program;
        let said = async {
            if !output.wait_for(sign).await {
                // It has closed its output. How it ended comes by the other way, a moment later.
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            biased;
            () = said => Ok(()),
            exit = running.wait() => {
                let exit = exit?;
                program.exit = Some(exit);
                // What it said last may still be on its way through the pipe.
                program.output.finish().await;
                if program.output.holds(sign) {
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
                sign: sign.to_owned(),
                within,
                last: program.output.last_lines(),
            }),
        }
    }

    /// Ends a program in order, or at once; waits until it has ended.
    pub(super) async fn end(
        &mut self,
        sandbox: &Sandbox,
        name: &str,
        signal: Signal,
    ) -> Result<(), ProgramError> {
        let program = self.running(name)?;
        sandbox.signal(&program.running, signal)?;
        let deadline = Instant::now() + GRACE;
        let exit = match timeout_at(deadline, program.running.wait()).await {
            Ok(exit) => exit?,
            Err(_) => {
                sandbox.signal(&program.running, Signal::Kill)?;
                program.running.wait().await?
            }
        };
        program.exit = Some(exit);
        Ok(())
    }

    /// Kills whatever still runs, without waiting.
    pub(super) fn kill_all(&mut self, sandbox: &Sandbox) {
        for program in self
            .programs
            .values()
            .filter(|program| program.exit.is_none())
        {
            // Where the sandbox is gone the programs are, too.
            drop(sandbox.signal(&program.running, Signal::Kill));
        }
    }

    fn running(&mut self, name: &str) -> Result<&mut Program, ProgramError> {
        let last = self.last_lines(name);
        match self.programs.get_mut(name) {
            Some(program) if program.exit.is_none() => Ok(program),
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

/// Runs a command to its end.
pub(super) async fn run(
    sandbox: &Sandbox,
    folder: &Folder,
    order: Order<'_>,
    expected: i32,
    within: Duration,
) -> Result<(), ProgramError> {
    let mut program = Program::start(sandbox, folder, &order)?;
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
    if exit.0.code() == Some(expected) {
        return Ok(());
    }
    let last = program.output.last_lines();
    Err(ProgramError::WrongExit {
        command,
        host,
        exit,
        expected,
        last,
    })
}

impl Program {
    fn start(sandbox: &Sandbox, folder: &Folder, order: &Order<'_>) -> Result<Self, ProgramError> {
        let log = folder
            .append(&format!("{}.{}.log", order.host, order.name))
            .map_err(|cause| ProgramError::Log {
                program: order.name.to_owned(),
                cause,
            })?;
        let mut running = sandbox.spawn(order.id, order.command, &environment())?;
        let pipe = running
            .output
            .take()
            .expect("a fresh program has its output");
        Ok(Self {
            host: order.host.clone(),
            running,
            output: Output::new(pipe, log),
            exit: None,
        })
    }
}

/// What every program finds in its environment, whatever the runner's is.
fn environment() -> Vec<(String, String)> {
    let path = "/run/fps-lab/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    [("PATH", path), ("HOME", "/root"), ("LANG", "C.UTF-8")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
}

/// What a program prints: into its log, and by lines for those who wait for one.
#[derive(Debug)]
struct Output {
    lines: Arc<Mutex<Vec<String>>>,
    /// Counts the lines, and closes with the output.
    count: watch::Receiver<usize>,
    pump: JoinHandle<()>,
}

impl Output {
    fn new(pipe: pipe::Receiver, log: File) -> Self {
        let lines = Arc::default();
        let (told, count) = watch::channel(0);
        let pump = tokio::spawn(pump(pipe, log, Arc::clone(&lines), told));
        Self { lines, count, pump }
    }

    /// Waits for a line; false where the output ended without it.
    async fn wait_for(&mut self, sign: &str) -> bool {
        loop {
            if self.holds(sign) {
                return true;
            }
            if self.count.changed().await.is_err() {
                return self.holds(sign);
            }
        }
    }

    /// Waits until all has been read; not for a child that keeps the pipe open.
    async fn finish(&mut self) {
        let deadline = Instant::now() + Duration::from_millis(200);
        // Late lines would only be missing from an error's text.
        drop(
            timeout_at(deadline, async {
                while self.count.changed().await.is_ok() {}
            })
            .await,
        );
    }

    fn holds(&self, sign: &str) -> bool {
        self.locked().iter().any(|line| line.contains(sign))
    }

    fn last_lines(&self) -> Vec<String> {
        let lines = self.locked();
        lines[lines.len().saturating_sub(LAST_LINES)..].to_vec()
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, Vec<String>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        self.pump.abort();
    }
}

async fn pump(
    mut pipe: pipe::Receiver,
    mut log: File,
    lines: Arc<Mutex<Vec<String>>>,
    told: watch::Sender<usize>,
) {
    let mut rest = Vec::new();
    let mut buffer = vec![0; 16 << 10];
    while let Ok(length @ 1..) = pipe.read(&mut buffer).await {
        // A full disk costs the log, not the play.
        drop(log.write_all(&buffer[..length]));
        rest.extend_from_slice(&buffer[..length]);
        let mut new = Vec::new();
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = rest.drain(..=end).collect();
            new.push(String::from_utf8_lossy(line.trim_ascii_end()).into_owned());
        }
        let mut lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.append(&mut new);
        told.send_replace(lines.len());
    }
}
