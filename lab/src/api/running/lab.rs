//! A lab that stands.

use std::path::{Path, PathBuf};

use super::{Host, Program, Step};
use crate::api::thread::{self, Line, Moves, Order};
use crate::api::{Doing, Failure, IntoAct, IntoExpectation, LabBuilder};

/// A lab that stands. Dropping it ends every program and namespace in it, also where a test panics.
///
/// It runs on a thread of its own, so it is the same to it whether a test is an `async fn`, on which
/// runtime, and whether that waits. What it is asked is done in order. Acts, and the expectations behind
/// them, are one step: what an act causes is seen by what is expected after it, up to the next act.
///
/// An act that fails is the last: what would come after it says nothing.
#[derive(Debug)]
pub struct Lab {
    line: Line,
    folder: PathBuf,
}

impl Lab {
    /// Describes a lab.
    pub fn builder() -> LabBuilder {
        LabBuilder::new()
    }

    /// The lab of a scenario file, which is checked whole; [`play`](Self::play) plays its steps. Its
    /// sabotages are for the command `fps-lab run`.
    pub fn from_file(path: impl AsRef<Path>) -> Result<LabBuilder, Failure> {
        LabBuilder::from_file(path.as_ref())
    }

    pub(in crate::api) async fn start(plan: thread::Plan) -> Result<Self, Failure> {
        let folder = plan.folder.path().to_owned();
        let line = Line::open(plan).await?;
        Ok(Self { line, folder })
    }

    /// Does something, to its end.
    pub fn act(&self, act: impl IntoAct) -> Doing<'_, ()> {
        self.order(Moves {
            acts: vec![act.into_act()],
            ..Moves::default()
        })
    }

    /// Checks something, until it is sure. What does not hold is an error whose text explains it.
    pub fn expect(&self, expectation: impl IntoExpectation) -> Doing<'_, ()> {
        self.order(Moves {
            expect: vec![expectation.into_expectation()],
            ..Moves::default()
        })
    }

    /// Acts and expectations that belong together: several are checked at once, and an
    /// [`outage`](crate::expect::outage) is watched from before the acts on.
    pub fn step(&self, name: &str) -> Step<'_> {
        Step::new(self, name)
    }

    /// Plays the steps of the file that the lab comes from, or what is left of them.
    pub fn play(&self) -> Doing<'_, ()> {
        Doing::new(self.line.ask(|tell| Order::File { tell }))
    }

    /// Looks at all hosts, for [`unchanged`](crate::expect::unchanged) since this moment.
    pub fn remember(&self, moment: &str) -> Doing<'_, ()> {
        let moment = moment.to_owned();
        Doing::new(self.line.ask(|tell| Order::Remember { moment, tell }))
    }

    /// A host of this lab. That there is one is seen when it is asked for something.
    pub fn host<'a>(&'a self, name: &'a str) -> Host<'a> {
        Host::new(&self.line, name)
    }

    /// A program of this lab, or one of its tunnel's: `"client"`, `"server"`, `"origin"`, `"carrier"`.
    pub fn program<'a>(&'a self, name: &'a str) -> Program<'a> {
        Program::new(&self.line, name)
    }

    /// All of it so far as a scenario, which `fps-lab run` plays again.
    pub fn to_toml(&self) -> Doing<'_, String> {
        Doing::new(self.line.ask(|tell| Order::Text { tell }))
    }

    /// The folder with the output of programs and, of a step that failed, packets and state of hosts.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn order(&self, moves: Moves) -> Doing<'_, ()> {
        Doing::new(self.line.ask(|tell| Order::Move { moves, tell }))
    }
}
