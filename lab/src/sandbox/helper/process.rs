//! Programs in hosts: started, signalled, reaped.

use std::collections::HashMap;
use std::io::{ErrorKind, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use nix::errno::Errno;
use nix::libc;
use nix::sys::signal::{SigSet, Signal, killpg};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::unistd::{Pid, setsid};

use super::super::protocol::{Failure, SpawnSpec};
use super::host::Host;
use super::{Result, Step};

/// The programs that run, and the signal that tells when one has ended.
pub(super) struct Processes {
    signals: SignalFd,
    /// By pid: where to write how it ended.
    running: HashMap<i32, std::fs::File>,
}

impl Processes {
    pub(super) fn new() -> Result<Self> {
        let mut child = SigSet::empty();
        child.add(Signal::SIGCHLD);
        child.thread_block().step("block SIGCHLD")?;
        let flags = SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK;
        let signals = SignalFd::with_flags(&child, flags).step("make a signalfd")?;
        Ok(Self {
            signals,
            running: HashMap::new(),
        })
    }

    /// Readable when a child has ended.
    pub(super) fn signals(&self) -> BorrowedFd<'_> {
        self.signals.as_fd()
    }

    /// Starts a program; `with` are its stdin, stdout, stderr and the pipe for its end.
    pub(super) fn spawn(
        &mut self,
        host: &Host,
        spec: &SpawnSpec,
        with: Vec<OwnedFd>,
    ) -> Result<i32> {
        let malformed = || Failure {
            step: "a malformed request".to_owned(),
            errno: None,
        };
        let [stdin, stdout, stderr, end]: [OwnedFd; 4] =
            with.try_into().map_err(|_: Vec<_>| malformed())?;
        let (program, arguments) = spec.command.split_first().ok_or_else(malformed)?;
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env_clear()
            .envs(spec.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::from(stdin))
            .stdout(Stdio::from(stdout))
            .stderr(Stdio::from(stderr));
        let terminal = spec.terminal;
        if !terminal {
            // A group of its own, so that a signal reaches what it starts itself.
            command.process_group(0);
        }
        let (enter, open_files) = (host.entrance(), spec.open_files);
        let folder = spec.folder.clone();
        // SAFETY: the closure makes system calls only; this process has one thread.
        unsafe {
            command.pre_exec(move || {
                SigSet::empty().thread_set_mask()?;
                default_signals();
                crate::limits::lower_open_files_to(open_files)?;
                if terminal {
                    lead_session()?;
                }
                enter.enter()?;
                // A folder of the machine need not be one of the host.
                match folder.as_ref().map(std::env::set_current_dir) {
                    Some(Ok(())) => Ok(()),
                    _ => std::env::set_current_dir("/"),
                }
            });
        }
        let child = command.spawn();
        // fork(2) says so over RLIMIT_NPROC and over pids.max.
        let full = matches!(&child, Err(error) if error.kind() == ErrorKind::WouldBlock);
        let limit = match full {
            true => " (no more processes may be had: `fps-lab doctor` says how many)",
            false => "",
        };
        let child = child.step(format!("execute {}{limit}", program.display()))?;
        let pid = child.id().cast_signed();
        self.running.insert(pid, end.into());
        Ok(pid)
    }

    /// Signals a program that has not been reaped, so that its pid is still its own.
    pub(super) fn signal(&self, pid: i32, signal: i32) -> Result<()> {
        if !self.running.contains_key(&pid) {
            return Ok(());
        }
        let signal = Signal::try_from(signal).step("a signal")?;
        killpg(Pid::from_raw(pid), signal).step(format!("send {signal} to process {pid}"))
    }

    /// Reaps whatever has ended, programs and orphans.
    pub(super) fn reap(&mut self) {
        while let Ok(Some(_)) = self.signals.read_signal() {}
        loop {
            let mut status = 0;
            // SAFETY: the status is ours; nix would decode it, and the runner wants it raw.
            let pid = unsafe { libc::waitpid(-1, &raw mut status, libc::WNOHANG) };
            if pid <= 0 {
                return;
            }
            if let Some(mut end) = self.running.remove(&pid) {
                // A runner that no longer listens does not need to know.
                drop(end.write_all(&status.to_ne_bytes()));
            }
        }
    }
}

/// Forgets which signals the runner was started to ignore: a shell has what it starts in the
/// background ignore Ctrl-C, and nohup(1) a lost terminal.
fn default_signals() {
    for signal in Signal::iterator() {
        // It fails for SIGKILL and SIGSTOP, which nobody can ignore.
        // SAFETY: the default action is no function.
        unsafe { libc::signal(signal as libc::c_int, libc::SIG_DFL) };
    }
}

/// Begins a session, of which the terminal on stdin is the controlling one (credentials(7)): then
/// Ctrl-C, Ctrl-Z and a lost line reach the programs in front, and a shell can choose who is that.
fn lead_session() -> nix::Result<()> {
    setsid()?;
    // SAFETY: stdin is open, and the argument is a number: 0 takes no terminal away from anybody.
    Errno::result(unsafe { libc::ioctl(libc::STDIN_FILENO, libc::TIOCSCTTY, 0) }).map(drop)
}
