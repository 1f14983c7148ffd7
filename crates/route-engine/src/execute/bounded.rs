//! A program that is waited for, but not for ever.

use std::io::{self, ErrorKind, Read};
use std::process::{Child, ExitStatus};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

/// How often to ask whether it has ended, once it has nothing more to say: there is no other event.
const ASK_AGAIN: Duration = Duration::from_millis(1);

/// A child whose output is read meanwhile. Dropped, it is killed.
pub(super) struct Bounded {
    child: Child,
    output: Receiver<String>,
    errors: Receiver<String>,
}

impl Bounded {
    /// Takes a child with both outputs piped.
    pub(super) fn of(mut child: Child) -> Self {
        let output = reader(child.stdout.take().expect("piped"));
        let errors = reader(child.stderr.take().expect("piped"));
        Self {
            child,
            output,
            errors,
        }
    }

    /// How it ended, and what it said; an error where it takes too long.
    pub(super) fn end(mut self, within: Duration) -> io::Result<(ExitStatus, String, String)> {
        let deadline = Instant::now() + within;
        let late = || {
            let why = format!("no answer within {within:?}");
            io::Error::new(ErrorKind::TimedOut, why)
        };
        let left = || deadline.saturating_duration_since(Instant::now());
        let output = self.output.recv_timeout(left()).map_err(|_| late())?;
        let errors = self.errors.recv_timeout(left()).map_err(|_| late())?;
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok((status, output, errors));
            }
            if left().is_zero() {
                return Err(late());
            }
            thread::park_timeout(ASK_AGAIN);
        }
    }
}

impl Drop for Bounded {
    fn drop(&mut self) {
        // Of one that has ended both do nothing.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads all that comes, in a thread of its own, which ends with it.
fn reader(mut from: impl Read + Send + 'static) -> Receiver<String> {
    let (tell, told) = channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // What cannot be read is as if it had not been said.
        let _ = from.read_to_end(&mut bytes);
        let _ = tell.send(String::from_utf8_lossy(&bytes).into_owned());
    });
    told
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    fn shell(script: &str) -> Bounded {
        let mut command = Command::new("sh");
        command.args(["-c", script]).stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        Bounded::of(command.spawn().unwrap())
    }

    #[test]
    fn says_how_it_ended_and_what_it_said() {
        let script = "echo out; echo err >&2; exit 3";
        let (status, output, errors) = shell(script).end(Duration::from_secs(10)).unwrap();
        assert_eq!(status.code(), Some(3));
        assert_eq!((output.as_str(), errors.as_str()), ("out\n", "err\n"));
    }

    #[test]
    fn one_that_does_not_end_is_killed() {
        for script in ["exec sleep 60", "exec >&- 2>&-; exec sleep 60"] {
            let begin = Instant::now();
            let late = shell(script).end(Duration::from_millis(50)).unwrap_err();
            assert_eq!(late.kind(), ErrorKind::TimedOut);
            assert!(begin.elapsed() < Duration::from_secs(30), "{script}");
        }
    }
}
