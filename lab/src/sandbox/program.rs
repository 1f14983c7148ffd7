//! A program that runs in a host, as the runner sees it.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe;
use tokio::sync::watch;

use super::protocol::{Reply, Request, SpawnSpec};
use super::{HostId, Sandbox, SandboxError};
use crate::limits;

/// A program that was started.
#[derive(Debug)]
pub struct Running {
    /// Its pid inside the sandbox.
    pid: i32,
    /// How it ended, once the helper has reaped it. Closes where the helper is gone.
    exit: watch::Receiver<Option<Exit>>,
    /// What it writes to stdout and stderr.
    pub output: Option<pipe::Receiver>,
}

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exit(pub ExitStatus);

/// A program to start, and how.
#[derive(Clone, Debug, Default)]
pub struct Start {
    /// The program and its arguments.
    pub command: Vec<OsString>,
    /// All that is in its environment.
    pub environment: Vec<(OsString, OsString)>,
    /// Where it starts: in `/` where there is no such folder in the host.
    pub folder: Option<OsString>,
    /// Whether its stdin is a terminal that is to be its own, with a session that it leads.
    pub terminal: bool,
}

/// A signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGTERM: end in order.
    Terminate,
    /// SIGKILL: end now.
    Kill,
    /// Any, by its number (signal(7)).
    Number(i32),
}

impl Sandbox {
    /// Starts a program in a host, with stdin empty and stdout and stderr in one pipe.
    ///
    /// Returns once the exec has succeeded or failed.
    pub fn spawn(
        &self,
        host: HostId,
        command: &[String],
        environment: &[(String, String)],
    ) -> Result<Running, SandboxError> {
        let stdin = File::open("/dev/null").map_err(SandboxError::lost)?.into();
        let (output, stdout) = io::pipe().map_err(SandboxError::lost)?;
        let stdout: OwnedFd = stdout.into();
        let start = Start {
            command: command.iter().map(OsString::from).collect(),
            environment: environment
                .iter()
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
            ..Start::default()
        };
        let mut running = self.start_program(host, start, [&stdin, &stdout, &stdout])?;
        running.output = Some(receiver(output).map_err(SandboxError::lost)?);
        Ok(running)
    }

    /// Starts a program in a host with somebody else's stdin, stdout and stderr.
    ///
    /// Returns once the exec has succeeded or failed.
    pub fn start_program(
        &self,
        host: HostId,
        start: Start,
        [stdin, stdout, stderr]: [&OwnedFd; 3],
    ) -> Result<Running, SandboxError> {
        let operation = match start.command.first() {
            Some(program) => format!("start {}", program.display()),
            None => "start nothing".to_owned(),
        };
        let (end, status) = io::pipe().map_err(SandboxError::lost)?;
        let status: OwnedFd = status.into();
        let spec = SpawnSpec {
            host,
            command: start.command,
            environment: start.environment,
            folder: start.folder,
            terminal: start.terminal,
            open_files: limits::open_files_of_programs(),
        };
        let with = [stdin, stdout, stderr, &status];
        let (reply, []) = self.call(&Request::Spawn(spec), &with, &operation)?;
        let Reply::Process(pid) = reply else {
            return Err(SandboxError::confused(&operation));
        };
        let (tell, exit) = watch::channel(None);
        tokio::spawn(report_end(receiver(end).map_err(SandboxError::lost)?, tell));
        Ok(Running {
            pid,
            exit,
            output: None,
        })
    }

    /// Sends a signal to a program and its process group; nothing happens where it has ended.
    pub fn signal(&self, program: &Running, signal: Signal) -> Result<(), SandboxError> {
        let number = match signal {
            Signal::Terminate => nix::libc::SIGTERM,
            Signal::Kill => nix::libc::SIGKILL,
            Signal::Number(number) => number,
        };
        let request = Request::Signal {
            pid: program.pid,
            signal: number,
        };
        let [] = self.call(&request, &[], "send a signal to a program")?.1;
        Ok(())
    }
}

impl Running {
    /// Its pid inside the sandbox.
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// Waits until the program has ended.
    pub fn wait(&self) -> impl Future<Output = Result<Exit, SandboxError>> + use<> {
        let mut exit = self.exit.clone();
        async move {
            match exit.wait_for(Option::is_some).await.as_deref() {
                Ok(Some(exit)) => Ok(*exit),
                _ => Err(SandboxError::lost(io::ErrorKind::UnexpectedEof.into())),
            }
        }
    }

    /// How the program ends, when it does; none where the helper has gone before.
    pub fn ending(&self) -> impl Future<Output = Option<Exit>> + use<> {
        let mut exit = self.exit.clone();
        async move { *exit.wait_for(Option::is_some).await.ok()? }
    }

    /// How the program has ended, if it has.
    pub fn exit(&self) -> Option<Exit> {
        *self.exit.borrow()
    }
}

/// Reads the wait status, which the helper writes when it has reaped the program.
async fn report_end(mut end: pipe::Receiver, tell: watch::Sender<Option<Exit>>) {
    let mut status = [0; 4];
    // Without a status the helper is gone, which shows when `tell` is dropped.
    if end.read_exact(&mut status).await.is_ok() {
        let status = ExitStatus::from_raw(i32::from_ne_bytes(status));
        tell.send_replace(Some(Exit(status)));
    }
}

fn receiver(pipe: io::PipeReader) -> io::Result<pipe::Receiver> {
    pipe::Receiver::from_owned_fd(pipe.into())
}
