//! A program under test: what it says, and how it ends, each waited for with a deadline.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// A program that runs.
pub(crate) struct Process {
    pub(super) command: String,
    pub(crate) pid: Pid,
    /// What it has written so far.
    pub(super) said: String,
    status: Option<ExitStatus>,
    events: Receiver<Event>,
}

/// A program that has ended.
pub(crate) struct Ended {
    pub(super) command: String,
    /// What it wrote, stdout and stderr in the order in which they came.
    pub(crate) text: String,
    /// How it ended.
    pub(super) status: ExitStatus,
}

/// Something that a program does.
pub(super) enum Event {
    Line(String),
    Ended(ExitStatus),
}

impl Process {
    /// Starts a program with nothing to read.
    pub(crate) fn start(mut command: Command) -> Self {
        let shown = format!("{command:?}");
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("start {shown}: {error}"));
        let (tell, events) = channel();
        let readers = [
            relay(child.stdout.take().expect("piped"), tell.clone()),
            relay(child.stderr.take().expect("piped"), tell.clone()),
        ];
        let pid = Pid::from_raw(child.id().cast_signed());
        thread::spawn(move || {
            let status = child.wait().expect("it is our child");
            // What it has said comes before its end. A test that is over does not listen.
            drop(readers.map(thread::JoinHandle::join));
            drop(tell.send(Event::Ended(status)));
        });
        Self {
            command: shown,
            pid,
            events,
            said: String::new(),
            status: None,
        }
    }

    /// Waits until it has ended, and its output with it.
    pub(crate) fn finish(mut self, within: Duration) -> Ended {
        let deadline = Instant::now() + within;
        loop {
            match self.next(deadline) {
                None => panic!("{} runs after {within:?}\n{}", self.command, self.said),
                Some(Event::Line(_)) => {}
                Some(Event::Ended(status)) => {
                    return Ended {
                        command: std::mem::take(&mut self.command),
                        text: std::mem::take(&mut self.said),
                        status,
                    };
                }
            }
        }
    }

    /// The next thing that happens, noted; none at the deadline.
    pub(super) fn next(&mut self, deadline: Instant) -> Option<Event> {
        let left = deadline.saturating_duration_since(Instant::now());
        let event = match self.events.recv_timeout(left) {
            Ok(event) => event,
            Err(RecvTimeoutError::Timeout) => return None,
            Err(RecvTimeoutError::Disconnected) => panic!("nobody waits for {}", self.command),
        };
        match &event {
            Event::Line(line) => writeln!(self.said, "{line}").expect("a String grows"),
            Event::Ended(status) => self.status = Some(*status),
        }
        Some(event)
    }
}

impl Drop for Process {
    /// Nothing that a failed test has started outlives it.
    fn drop(&mut self) {
        if self.status.is_none() {
            // It may have ended a moment ago.
            kill(self.pid, Signal::SIGKILL).ok();
        }
    }
}

/// Passes a pipe on, line by line.
fn relay(pipe: impl Read + Send + 'static, tell: Sender<Event>) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        for line in BufReader::new(pipe).split(b'\n') {
            let line = line.expect("the pipe of a program can be read");
            let line = String::from_utf8_lossy(&line).into_owned();
            // A test that is over does not listen.
            drop(tell.send(Event::Line(line)));
        }
    })
}
