//! Labs that are held: for somebody who wants to look around in them, from other terminals.
//!
//! - [`Desk`]: the holder's side. A lab is held when its steps are through, or at a failure
//! - [`RuntimeFolder`]: where held labs are found, one Unix socket each; [`LabName`]
//! - `server`, `session`, `line`: who is let in, what he is answered
//! - `board`, `processes`, `tunnel`: what there is to see of a lab
//! - [`Client`]: the other side; [`attach`]: a program in a host with our terminal or our pipes
//! - [`record`]: what passes a link, as a stream for Wireshark
//! - `protocol`: what the two say
//! - `guide`: what is printed when a lab is held
//!
//! A program that somebody starts in a host is a child of the sandbox's helper, as the scenario's own
//! are. So it ends with the lab, however that ends.

mod attach;
mod board;
mod client;
mod enter;
mod error;
mod folder;
mod guide;
mod line;
mod name;
mod processes;
mod protocol;
mod record;
mod relay;
mod server;
mod session;
mod terminal;
mod tunnel;

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::watch;

pub use attach::attach;
use board::Board;
pub use board::Facts;
pub use client::Client;
pub use error::DeskError;
use folder::Claim;
pub use folder::RuntimeFolder;
pub use guide::{table, tunnel as tunnel_line};
pub use name::{InvalidLabName, LabName};
pub use protocol::{
    HostLook, LinkLook, Look, Order, Phase, ProgramLook, Tap, TunnelEnd, TunnelLook, TunnelState,
};
pub use record::{Recording, record};
use server::{Orders, Server};

use crate::lab::Lab;

/// When a lab is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// When its steps are through, for good.
    AtEnd,
    /// Whenever something fails that no sabotage was to harm, until somebody says that it goes on.
    AtFailure,
}

/// What becomes of a lab that was held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// The play goes on.
    GoOn,
    /// It ends.
    End,
}

/// Where somebody can ask for something of a lab.
#[derive(Debug)]
pub struct Desk {
    folder: RuntimeFolder,
    name: LabName,
    facts: Facts,
    hold: Hold,
    orders: Orders,
    open: Option<Open>,
}

/// A desk with its door open.
#[derive(Debug)]
struct Open {
    board: Arc<Board>,
    // The door is closed before the name is given back: declared first, dropped first.
    _server: Server,
    _claim: Claim,
}

impl Desk {
    /// A desk, closed yet.
    pub fn new(folder: RuntimeFolder, name: LabName, hold: Hold, facts: Facts) -> Self {
        Self {
            folder,
            name,
            facts,
            hold,
            orders: Orders {
                resumed: watch::Sender::new(0),
                down: watch::Sender::new(false),
                process_ends: hold == Hold::AtEnd,
            },
            open: None,
        }
    }

    /// Takes the lab's name, and lets people in. A lab that is held at a failure takes another name
    /// where its own is in use, since nobody was there to give it one.
    ///
    /// # Panics
    /// Outside a `LocalSet` of a tokio runtime with I/O enabled, which serves those who come.
    pub fn open(&mut self) -> Result<(), DeskError> {
        if self.open.is_some() {
            return Ok(());
        }
        let mut claim = self.folder.claim(&self.name);
        let mut number = 2;
        while self.hold == Hold::AtFailure
            && let Err(DeskError::Taken(_)) = claim
        {
            claim = self.folder.claim(&self.name.numbered(number));
            number += 1;
        }
        let claim = claim?;
        let board = Arc::new(Board::new(claim.name.clone(), self.facts.clone()));
        let server = Server::open(&claim.listener, Arc::clone(&board), self.orders.clone())
            .map_err(DeskError::Lost)?;
        self.open = Some(Open {
            board,
            _server: server,
            _claim: claim,
        });
        Ok(())
    }

    /// The lab's name, which it may have with a number behind it.
    pub fn name(&self) -> &LabName {
        match &self.open {
            Some(open) => open.board.name(),
            None => &self.name,
        }
    }

    /// Whether somebody can have come in.
    pub(crate) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// When the lab is held.
    pub(crate) fn hold(&self) -> Hold {
        self.hold
    }

    /// Turns true when somebody has said that the lab is to end.
    pub fn down(&self) -> watch::Receiver<bool> {
        self.orders.down.subscribe()
    }

    /// Says that the lab plays; nothing happens where nobody has been let in yet.
    pub(crate) fn plays(&self, lab: &Lab) {
        if let Some(open) = &self.open {
            open.board.show(lab);
            open.board.set(Phase::Playing, "playing");
        }
    }

    /// Says that the lab is held, and where; gives what is to be printed about it. `programs` is what
    /// the scenario calls its programs, by their numbers in the lab.
    pub(crate) async fn holds(
        &mut self,
        lab: &Lab,
        programs: HashMap<i32, String>,
        at: &str,
    ) -> Result<Vec<String>, DeskError> {
        self.open()?;
        let phase = match self.hold {
            Hold::AtEnd => Phase::Held,
            Hold::AtFailure => Phase::Paused,
        };
        let Some(open) = &self.open else {
            return Ok(Vec::new());
        };
        open.board.show(lab);
        open.board.call_programs(programs);
        open.board.set(phase, at);
        Ok(guide::lines(&open.board.look().await?))
    }

    /// Waits until somebody says how it goes on: at a failure, Enter does.
    pub(crate) async fn order(&mut self) -> Next {
        let (mut resumed, mut down) = (self.orders.resumed.subscribe(), self.down());
        let waits = self.hold == Hold::AtFailure;
        tokio::select! {
            biased;
            ended = down.wait_for(|down| *down) => match ended {
                Ok(_) => Next::End,
                Err(_) => std::future::pending().await,
            },
            // Counted from now on.
            changed = resumed.changed(), if waits => match changed {
                Ok(()) => Next::GoOn,
                Err(_) => std::future::pending().await,
            },
            () = enter::pressed(), if waits => Next::GoOn,
        }
    }
}
