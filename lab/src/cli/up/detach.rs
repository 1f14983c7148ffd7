//! A lab that is held in the background.
//!
//! The holder is a child that says what happens to whoever has called, until the lab stands. It then
//! leaves the caller's terminal, and the caller ends. From its beginning its stdout and stderr are the
//! log, which everything inherits that it starts; what the caller reads is a copy of his own.

use std::fs::File;
use std::io::{self, PipeReader, PipeWriter, Read, Write, stderr, stdout};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Mutex;

use nix::errno::Errno;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, dup2_stderr, dup2_stdin, dup2_stdout, setsid};

use super::print;
use crate::cli::Exit;
use crate::desk::LabName;
use crate::folder::Folder;

/// Which process we are.
pub(super) enum Side {
    /// The one that was called, with its exit code.
    Caller(Exit),
    /// The one that holds the lab.
    Holder(Background),
}

/// The holder's way to who has called it; none where it is the one who was called.
pub(super) struct Background(Option<Mutex<Link>>);

struct Link {
    /// Closed without a word where there will be no lab.
    ready: Option<PipeWriter>,
    /// The caller's stdout and stderr, until it stands.
    out: Option<File>,
    err: Option<File>,
    /// Whether our own go to the log.
    logs: bool,
}

/// Forks.
pub(super) fn fork() -> io::Result<Side> {
    let (told, ready) = io::pipe()?;
    let copy = |ours: &dyn AsFd| ours.as_fd().try_clone_to_owned();
    let (out, err) = (copy(&stdout())?.into(), copy(&stderr())?.into());
    // SAFETY: this process has one thread: it has read a file, and nothing else so far.
    match unsafe { nix::unistd::fork() }? {
        ForkResult::Parent { child } => {
            drop(ready);
            Ok(Side::Caller(stand_by(child, told)?))
        }
        ForkResult::Child => Ok(Side::Holder(Background(Some(Mutex::new(Link {
            ready: Some(ready),
            out: Some(out),
            err: Some(err),
            logs: false,
        }))))),
    }
}

/// What the caller does: waits until the lab stands, or until there will be none. Ctrl-C reaches the
/// holder as well, which then ends in order.
fn stand_by(child: Pid, mut told: PipeReader) -> io::Result<Exit> {
    if told.read(&mut [0])? > 0 {
        return Ok(Exit::Passed);
    }
    loop {
        match waitpid(child, None) {
            Err(Errno::EINTR) => {}
            Ok(WaitStatus::Exited(_, code)) => {
                return Ok(match code {
                    1 => Exit::Failed,
                    2 => Exit::Invalid,
                    130 => Exit::Interrupted,
                    _ => Exit::NoLab,
                });
            }
            _ => return Ok(Exit::NoLab),
        }
    }
}

impl Background {
    /// Of a lab that is held in the foreground.
    pub(super) fn none() -> Self {
        Self(None)
    }

    /// From here on our output is the log.
    pub(super) fn begin(&self, folder: &Folder, name: &LabName) -> io::Result<()> {
        if self.0.is_none() {
            return Ok(());
        }
        let file = format!("{name}.log");
        folder.write(&file, "")?;
        let log: OwnedFd = folder.append(&file)?.into();
        let nothing = File::open("/dev/null")?;
        dup2_stdin(&nothing)?;
        dup2_stdout(&log)?;
        dup2_stderr(&log)?;
        if let Some(link) = &self.0
            && let Ok(mut link) = link.lock()
        {
            link.logs = true;
        }
        let path = folder.path().join(file);
        self.tell(&format!("{name}  log      {}", path.display()));
        Ok(())
    }

    /// Prints a line, for the caller too.
    pub(super) fn say(&self, line: &str) {
        print(stdout().lock(), line);
        self.tell(line);
    }

    /// The same on stderr. Before the log begins, that is the caller's own.
    pub(super) fn complain(&self, line: &str) {
        print(stderr().lock(), line);
        if let Some(link) = &self.0
            && let Ok(link) = link.lock()
            && link.logs
            && let Some(err) = &link.err
        {
            print(err, line);
        }
    }

    fn tell(&self, line: &str) {
        if let Some(link) = &self.0
            && let Ok(link) = link.lock()
            && link.logs
            && let Some(out) = &link.out
        {
            print(out, line);
        }
    }

    /// Leaves the caller's session and lets him go.
    pub(super) fn stands(&self) {
        let Some(link) = &self.0 else { return };
        // We lead no process group: the caller does, or who has started him.
        setsid().ok();
        let Ok(mut link) = link.lock() else { return };
        link.out = None;
        link.err = None;
        if let Some(mut ready) = link.ready.take() {
            // A caller that was killed does not need to know.
            drop(ready.write_all(b"."));
        }
    }
}
