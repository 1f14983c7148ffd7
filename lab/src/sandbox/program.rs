//! A program that runs in a host, as the runner sees it.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe;
use tokio::sync::watch;

use super::protocol::{Reply, Request, SpawnSpec};
use super::{HostId, Sandbox, SandboxError};

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

/// A request to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGTERM: end in order.
    Terminate,
    /// SIGKILL: end now.
    Kill,
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
        let operation = format!(
            "start {}",
            command.first().map_or("nothing", String::as_str)
        );
        let plumbing = |e: io::Error| SandboxError::lost(e);
        let stdin = std::fs::File::open("/dev/null").map_err(plumbing)?.into();
        let (output, stdout) = io::pipe().map_err(plumbing)?;
        let (end, status) = io::pipe().map_err(plumbing)?;
        let stdout: OwnedFd = stdout.into();
        let status: OwnedFd = status.into();
        let spec = SpawnSpec {
            host,
            command: command.to_vec(),
            environment: environment.to_vec(),
        };
        let with = [&stdin, &stdout, &stdout, &status];
        let (reply, []) = self.call(&Request::Spawn(spec), &with, &operation)?;
        let Reply::Process(pid) = reply else {
            return Err(SandboxError::confused(&operation));
        };
        let (tell, exit) = watch::channel(None);
        tokio::spawn(report_end(receiver(end).map_err(plumbing)?, tell));
        let output = Some(receiver(output).map_err(plumbing)?);
        Ok(Running { pid, exit, output })
    }

    /// Sends a signal to a program and its process group; nothing happens where it has ended.
    pub fn signal(&self, program: &Running, signal: Signal) -> Result<(), SandboxError> {
        let number = match signal {
            Signal::Terminate => nix::libc::SIGTERM,
            Signal::Kill => nix::libc::SIGKILL,
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
    /// Waits until the program has ended.
    pub async fn wait(&self) -> Result<Exit, SandboxError> {
        let mut exit = self.exit.clone();
        match exit.wait_for(Option::is_some).await.as_deref() {
            Ok(Some(exit)) => Ok(*exit),
            _ => Err(SandboxError::lost(io::ErrorKind::UnexpectedEof.into())),
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
