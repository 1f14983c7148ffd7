//! What went wrong with a program, and its last words.

use std::fmt;
use std::os::unix::process::ExitStatusExt;
use std::time::Duration;

use crate::sandbox::{Exit, SandboxError};
use crate::scenario::HostName;

/// A program that did not do what it should. Its last lines are part of the text.
#[derive(Debug, thiserror::Error)]
pub enum ProgramError {
    /// It could not be started.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// The device that it is to make cannot be watched.
    #[error("watch the devices of its host")]
    Device(#[from] fps_netlink::Error),
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
    /// It does not end.
    #[error("{program} does not end, not even by SIGKILL; it hangs in the kernel")]
    Undead {
        /// The program.
        program: String,
    },
    /// It does not heed SIGTERM.
    #[error(
        "{program} has not ended {grace:?} after SIGTERM; `kill` ends it at once{}",
        last_words(last)
    )]
    Stubborn {
        /// The program.
        program: String,
        /// How long it had.
        grace: Duration,
        /// Its last lines.
        last: Vec<String>,
    },
    /// It was told to end, and crashed.
    #[error("{program} was told to end, and crashed: {exit}{}", last_words(last))]
    Crashed {
        /// The program.
        program: String,
        /// How it ended.
        exit: Exit,
        /// Its last lines.
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
        "{program} on {host} was not ready within {within:?}: {sign}{}",
        last_words(last)
    )]
    NotReady {
        /// The program.
        program: String,
        /// Its host.
        host: HostName,
        /// What did not come, in words.
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
