//! A program that goes on.

use std::future::IntoFuture;
use std::time::Duration;

use crate::api::thread::{Line, Moves, Order};
use crate::api::{Doing, Failure, IntoAct, ProgramBuilder, act};

/// A program that is to be started. `.await` starts it, and waits until it is ready.
#[derive(Debug)]
#[must_use = "nothing is started until it is awaited"]
pub struct Background<'a> {
    line: &'a Line,
    name: String,
    program: ProgramBuilder,
}

/// A program of a lab, by its name.
#[derive(Clone, Debug)]
pub struct Program<'a> {
    line: &'a Line,
    name: String,
}

impl<'a> Background<'a> {
    pub(super) fn new(line: &'a Line, on: &str, name: &str, command: Vec<String>) -> Self {
        Self {
            line,
            name: name.to_owned(),
            program: ProgramBuilder::new(on, command),
        }
    }

    /// It is ready once a line of its output holds this text, and not only once it runs.
    pub fn ready_when_it_says(mut self, text: &str) -> Self {
        self.program = self.program.ready_when_it_says(text);
        self
    }

    /// It makes a TUN device of this name, and is ready once that is up.
    pub fn ready_when_tun_is_up(mut self, tun: &str) -> Self {
        self.program = self.program.ready_when_tun_is_up(tun);
        self
    }

    /// How long it may take to be ready: ten seconds where nothing is said.
    pub fn ready_within(mut self, time: Duration) -> Self {
        self.program = self.program.ready_within(time);
        self
    }

    /// It may end by itself. Of any other program that fails what is expected next.
    pub fn may_end(mut self) -> Self {
        self.program = self.program.may_end();
        self
    }

    /// Starts it, in a test that is no `async fn`.
    pub fn wait(self) -> Result<Program<'a>, Failure> {
        self.into_future().wait()
    }
}

impl<'a> IntoFuture for Background<'a> {
    type Output = Result<Program<'a>, Failure>;
    type IntoFuture = Doing<'a, Program<'a>>;

    fn into_future(self) -> Doing<'a, Program<'a>> {
        let Self {
            line,
            name,
            program,
        } = self;
        let (called, program) = (name.clone(), program.into_table());
        let asked = line.ask(|tell| Order::Start {
            name: called,
            program,
            tell,
        });
        Doing::new(async move {
            asked.await?;
            Ok(Program { line, name })
        })
    }
}

impl<'a> Program<'a> {
    pub(super) fn new(line: &'a Line, name: &str) -> Self {
        let name = name.to_owned();
        Self { line, name }
    }

    /// Starts it once more, and waits until it is ready.
    pub fn start(&self) -> Doing<'a, ()> {
        self.order(act::start(&self.name))
    }

    /// Ends it with SIGTERM, and waits until it has ended.
    pub fn stop(&self) -> Doing<'a, ()> {
        self.order(act::stop(&self.name))
    }

    /// Ends it with SIGKILL.
    pub fn kill(&self) -> Doing<'a, ()> {
        self.order(act::kill(&self.name))
    }

    /// The lines that it has printed since it was started, both standard streams together.
    pub fn lines(&self) -> Doing<'a, Vec<String>> {
        let program = self.name.clone();
        Doing::new(self.line.ask(|tell| Order::Lines { program, tell }))
    }

    fn order(&self, act: act::Call) -> Doing<'a, ()> {
        let moves = Moves {
            acts: vec![act.into_act()],
            ..Moves::default()
        };
        Doing::new(self.line.ask(|tell| Order::Move { moves, tell }))
    }
}
