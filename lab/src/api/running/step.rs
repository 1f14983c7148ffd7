//! Acts and expectations that belong together.

use std::future::IntoFuture;

use super::Lab;
use crate::api::thread::Moves;
use crate::api::{Doing, Failure, IntoAct, IntoExpectation};

/// Acts, done in order, and what must hold afterwards, checked side by side. `.await` plays it.
#[derive(Debug)]
#[must_use = "nothing is done until it is awaited"]
pub struct Step<'a> {
    lab: &'a Lab,
    moves: Moves,
}

impl<'a> Step<'a> {
    pub(super) fn new(lab: &'a Lab, name: &str) -> Self {
        let moves = Moves {
            name: Some(name.to_owned()),
            ..Moves::default()
        };
        Self { lab, moves }
    }

    /// Something that is done.
    pub fn act(mut self, act: impl IntoAct) -> Self {
        self.moves.acts.push(act.into_act());
        self
    }

    /// Something that must hold.
    pub fn expect(mut self, expectation: impl IntoExpectation) -> Self {
        self.moves.expect.push(expectation.into_expectation());
        self
    }

    /// Plays it, in a test that is no `async fn`.
    pub fn wait(self) -> Result<(), Failure> {
        self.into_future().wait()
    }
}

impl<'a> IntoFuture for Step<'a> {
    type Output = Result<(), Failure>;
    type IntoFuture = Doing<'a, ()>;

    fn into_future(self) -> Doing<'a, ()> {
        self.lab.order(self.moves)
    }
}
