//! What a play works on: the lab, its programs and the tapes of the current step.

use std::collections::BTreeMap;
use std::time::Instant;

use indexmap::IndexMap;

use super::Tapes;
use super::programs::{ProgramError, Programs};
use crate::folder::Folder;
use crate::lab::{Lab, LabError};
use crate::sandbox::SandboxError;
use crate::scenario::{Check, HostName, Scenario, Step};
use crate::tape::{Tape, TapeError};

/// A lab in which a scenario plays.
pub(super) struct Stage<'a> {
    pub(super) scenario: &'a Scenario,
    pub(super) lab: Lab,
    pub(super) folder: &'a Folder,
    pub(super) programs: Programs,
    pub(super) tunnel_furnished: bool,
    tapes: Tapes,
    step_began: Instant,
    /// Of the hosts on which the current step expects silence.
    links_before: IndexMap<HostName, BTreeMap<u32, String>>,
}

/// An act that failed, or could not be watched.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    /// The lab could not be changed.
    #[error(transparent)]
    Lab(#[from] LabError),
    /// The sandbox failed.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// A program failed.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// A host could not be watched.
    #[error("watch the interfaces of a host")]
    Tape(#[from] TapeError),
    /// The network of a host refused a change.
    #[error(transparent)]
    Network(#[from] fps_netns::Error),
    /// What the tunnel is given could not be made.
    #[error("make the tunnel's certificate")]
    Certificate(#[from] rcgen::Error),
    /// The run's folder cannot be written.
    #[error("write to the run's folder")]
    Folder(#[from] std::io::Error),
}

impl<'a> Stage<'a> {
    pub(super) fn new(scenario: &'a Scenario, lab: Lab, folder: &'a Folder) -> Self {
        let programs = Programs::default();
        Self {
            scenario,
            lab,
            folder,
            programs,
            tunnel_furnished: false,
            tapes: Tapes::new(),
            step_began: Instant::now(),
            links_before: IndexMap::new(),
        }
    }

    /// Ends the play; gives the lab back with no program running that the play started.
    pub(super) fn strike(mut self) -> Lab {
        self.programs.kill_all(self.lab.sandbox());
        self.lab
    }

    /// Watches every interface of every host from now on, for what a step expects.
    pub(super) async fn arm(&mut self, step: &Step) -> Result<(), StageError> {
        for (name, host) in self.lab.hosts() {
            match self.tapes.get(name) {
                Some(tape) => tape.rewind().await?,
                None => {
                    let tape = Tape::arm(self.lab.sandbox(), host.id())?;
                    self.tapes.insert(name.clone(), tape);
                }
            }
        }
        self.links_before.clear();
        for expectation in &step.expect {
            if let Check::Silent(silent) = &expectation.check {
                let links = self.lab.host(&silent.on).link_names().await;
                let links = links.map_err(fps_netns::Error::from)?;
                self.links_before.insert(silent.on.clone(), links);
            }
        }
        self.step_began = Instant::now();
        Ok(())
    }

    /// The names of a host's links by their index, when the current step began. Only for a host
    /// on which it expects silence.
    pub(super) fn links_before(&self, host: &HostName) -> &BTreeMap<u32, String> {
        &self.links_before[host]
    }

    /// When the current step's acts began.
    pub(super) fn step_began(&self) -> Instant {
        self.step_began
    }

    /// The tape of a host.
    pub(super) fn tape(&self, host: &HostName) -> &Tape {
        &self.tapes[host]
    }

    /// The tapes of all hosts.
    pub(super) fn tapes(&self) -> impl Iterator<Item = (&HostName, &Tape)> {
        self.tapes.iter()
    }
}
