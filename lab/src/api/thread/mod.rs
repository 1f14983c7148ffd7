//! The thread that a lab lives on, with a runtime of its own: what answers in its hosts goes on whatever
//! a test does meanwhile, on whichever runtime.
//!
//! - [`Line`]: how it is asked; [`Order`], [`Moves`]: what for
//! - `session`: what it does then

mod session;

use std::future::Future;
use std::thread::{Builder, JoinHandle};

use tokio::sync::{mpsc, oneshot};
use toml::Table;

use super::document::{Document, StepText};
use super::running::Output;
use super::{Failure, running};
use crate::folder::Folder;
use crate::lab::Site;

pub(super) use running::Call;

/// What is to stand, and where.
pub(super) struct Plan {
    pub(super) name: String,
    pub(super) document: Document,
    /// The steps of the file that it comes from.
    pub(super) steps: Vec<StepText>,
    pub(super) site: Site,
    pub(super) folder: Folder,
}

/// Whom the answer is told.
pub(super) type Tell<T> = oneshot::Sender<Result<T, Failure>>;

/// What a lab is asked for.
pub(super) enum Order {
    /// To do acts and check expectations.
    Move { moves: Moves, tell: Tell<()> },
    /// To play the file's steps.
    File { tell: Tell<()> },
    /// To run a program to its end.
    Run { call: Call, tell: Tell<Output> },
    /// To start a program that it does not know yet.
    Start {
        name: String,
        program: Table,
        tell: Tell<()>,
    },
    /// What a program has printed.
    Lines {
        program: String,
        tell: Tell<Vec<String>>,
    },
    /// To look at all hosts.
    Remember { moment: String, tell: Tell<()> },
    /// The scenario that it amounts to.
    Text { tell: Tell<String> },
}

/// Acts and expectations, in the words of the scenario format.
#[derive(Clone, Debug, Default)]
pub(super) struct Moves {
    /// The step that they are; none where they may belong to the one before.
    pub(super) name: Option<String>,
    pub(super) acts: Vec<String>,
    pub(super) expect: Vec<String>,
}

/// The line to a lab. Dropping it ends the lab, and waits until that is done.
#[derive(Debug)]
pub(super) struct Line {
    orders: mpsc::UnboundedSender<Order>,
    /// Dropped first: whatever the lab does, it is to end.
    alive: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Line {
    /// Starts the thread, and waits until the lab stands.
    pub(super) async fn open(plan: Plan) -> Result<Self, Failure> {
        let (orders, asked) = mpsc::unbounded_channel();
        let (alive, dead) = oneshot::channel();
        let (tell, told) = oneshot::channel();
        let thread = Builder::new()
            .name(format!("fps-lab {}", plan.name))
            .spawn(move || session::main(plan, asked, dead, tell))
            .map_err(|error| Failure::no_lab(format!("start the lab's thread: {error}")))?;
        // From here on it ends as `drop` has it end, also where nobody waits any more.
        let line = Self {
            orders,
            alive: Some(alive),
            thread: Some(thread),
        };
        told.await.unwrap_or_else(|_| Err(Failure::gone()))?;
        Ok(line)
    }

    /// Asks for something, once what this gives is awaited.
    pub(super) fn ask<T: Send + 'static>(
        &self,
        order: impl FnOnce(Tell<T>) -> Order,
    ) -> impl Future<Output = Result<T, Failure>> + Send + 'static {
        let (tell, told) = oneshot::channel();
        let (orders, order) = (self.orders.clone(), order(tell));
        async move {
            // Where nobody listens, nobody answers either.
            drop(orders.send(order));
            told.await.unwrap_or_else(|_| Err(Failure::gone()))
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        drop(self.alive.take());
        // A panic there has been printed, and nobody could do more about it.
        drop(self.thread.take().map(JoinHandle::join));
    }
}
