//! A program that runs to its end.

use std::fmt;
use std::future::IntoFuture;
use std::time::Duration;

use crate::api::thread::{Line, Order};
use crate::api::{Doing, Failure};

/// How long a program may take where nothing is said.
const WITHIN: Duration = Duration::from_secs(10);

/// A program that is to run to its end. `.await` runs it.
#[derive(Debug)]
#[must_use = "nothing is run until it is awaited"]
pub struct Command<'a> {
    line: &'a Line,
    call: Call,
}

/// What is run, and how it must end.
#[derive(Clone, Debug)]
pub(in crate::api) struct Call {
    pub(in crate::api) on: String,
    pub(in crate::api) command: Vec<String>,
    /// Any, where none.
    pub(in crate::api) exit: Option<u8>,
    pub(in crate::api) within: Duration,
}

/// How a program has ended, and what it has printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    pub(in crate::api) code: Option<i32>,
    pub(in crate::api) text: String,
}

impl<'a> Command<'a> {
    pub(super) fn new(line: &'a Line, on: &str, command: Vec<String>) -> Self {
        let call = Call {
            on: on.to_owned(),
            command,
            exit: Some(0),
            within: WITHIN,
        };
        Self { line, call }
    }

    /// It must end with this exit code.
    pub fn exit(mut self, code: u8) -> Self {
        self.call.exit = Some(code);
        self
    }

    /// It may end as it likes; [`Output::code`] says how.
    pub fn any_exit(mut self) -> Self {
        self.call.exit = None;
        self
    }

    /// How long it may take: ten seconds where nothing is said.
    pub fn within(mut self, time: Duration) -> Self {
        self.call.within = time;
        self
    }

    /// Runs it, in a test that is no `async fn`.
    pub fn wait(self) -> Result<Output, Failure> {
        self.into_future().wait()
    }
}

impl<'a> IntoFuture for Command<'a> {
    type Output = Result<Output, Failure>;
    type IntoFuture = Doing<'a, Output>;

    fn into_future(self) -> Doing<'a, Output> {
        let call = self.call;
        Doing::new(self.line.ask(|tell| Order::Run { call, tell }))
    }
}

impl Output {
    /// Its exit code; none where a signal has ended it.
    pub fn code(&self) -> Option<i32> {
        self.code
    }

    /// What it has printed, both standard streams together.
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
