//! What a play works on: the lab, its programs and the tapes of the current step.

use std::cell::RefCell;
use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use fps_dns::zone::Name;
use fps_netlink::{IfIndex, LinkName};
use fps_packet::Frame;
use indexmap::IndexMap;
use tokio::time::timeout;

use super::Tapes;
use super::baseline::Baselines;
use super::name_turns::NameTurns;
use super::programs::{ProgramError, Programs};
use super::states::States;
use super::timeline::Timeline;
use crate::counters::{CountersError, Meters};
use crate::folder::Folder;
use crate::lab::{Lab, LabError};
use crate::probe::{Known, Mark};
use crate::sandbox::SandboxError;
use crate::scenario::{Act, HostName, Scenario, Since};
use crate::snapshot::{Snapshot, SnapshotError};
use crate::tape::{Tape, TapeError};

/// How long the kernel may take to tell a link's new name.
const NAME_PATIENCE: Duration = Duration::from_secs(5);

/// A lab in which a scenario plays.
pub(super) struct Stage<'a> {
    pub(super) scenario: &'a Scenario,
    pub(super) lab: Lab,
    pub(super) folder: &'a Folder,
    pub(super) programs: Programs,
    pub(super) fps_furnished: bool,
    tapes: Tapes,
    meters: IndexMap<HostName, Meters>,
    pub(super) timeline: Timeline,
    pub(super) states: States,
    start: Instant,
    step_began: Instant,
    /// What this step has asked, and what the steps before it have.
    asked: Arc<Mutex<Known>>,
    asked_before: Known,
    /// The acts of this step that have begun, and when.
    acts: Vec<(Instant, String)>,
    pub(super) baselines: Baselines,
    /// Who asks for names on which host now.
    pub(super) name_turns: NameTurns,
    /// The names by which servers have shown that they log what they are asked.
    controls: RefCell<HashSet<Name>>,
    /// The serial number of the lease that each host was last told of, by link: a new name is no new lease.
    told: RefCell<IndexMap<(HostName, IfIndex), u64>>,
    /// What is to be said of the act that is done.
    remark: Option<String>,
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
    /// A DHCP client has ended.
    #[error("the DHCP client of {link} on {host} has ended: {why}")]
    DhcpClient {
        /// The host.
        host: HostName,
        /// Its link.
        link: LinkName,
        /// Why.
        why: String,
    },
    /// What a host counts could not be read.
    #[error("read the counters of a host")]
    Counters(#[from] CountersError),
    /// The network of a host refused a change.
    #[error(transparent)]
    Network(#[from] fps_netns::Error),
    /// What the tunnel is given could not be made.
    #[error("make the tunnel's certificate")]
    Certificate(#[from] rcgen::Error),
    /// Nor could its keys.
    #[error("make the tunnel's keys")]
    Keys(#[from] fps::random::NoRandomness),
    /// The kernel has not told a link's new name.
    #[error("wait until the kernel tells that a link is called {0} now")]
    NameUnknown(LinkName),
    /// A host could not be looked at.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// The run's folder cannot be written.
    #[error("write to the run's folder")]
    Folder(#[from] std::io::Error),
}

impl<'a> Stage<'a> {
    /// `start` is when the play began.
    pub(super) fn new(
        scenario: &'a Scenario,
        lab: Lab,
        folder: &'a Folder,
        (start, timeline): (Instant, Timeline),
    ) -> Self {
        let programs = Programs::new(timeline.clone());
        let name_turns = NameTurns::new(scenario.hosts.keys());
        Self {
            scenario,
            lab,
            folder,
            programs,
            fps_furnished: false,
            tapes: Tapes::new(),
            meters: IndexMap::new(),
            timeline,
            states: States::new(),
            start,
            step_began: start,
            asked: Arc::default(),
            asked_before: Known::default(),
            acts: Vec::new(),
            baselines: Baselines::new(),
            name_turns,
            controls: RefCell::default(),
            told: RefCell::default(),
            remark: None,
        }
    }

    /// Ends the play; gives the lab back with no program running that the play started.
    pub(super) fn strike(mut self) -> Lab {
        self.programs.kill_all(self.lab.sandbox());
        self.lab
    }

    /// Watches every interface of every host from now on.
    pub(super) async fn arm(&mut self) -> Result<(), StageError> {
        for (name, host) in self.lab.hosts() {
            match self.meters.get_mut(name) {
                Some(meters) => meters.reset()?,
                None => {
                    let meters = Meters::open(self.lab.sandbox(), host.id())?;
                    self.meters.insert(name.clone(), meters);
                }
            }
            match self.tapes.get(name) {
                Some(tape) => tape.rewind().await?,
                None => {
                    let tape = Tape::arm(self.lab.sandbox(), host).await?;
                    self.tapes.insert(name.clone(), tape);
                }
            }
        }
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        self.asked_before.append(&mut asked);
        drop(asked);
        self.acts.clear();
        self.step_began = Instant::now();
        Ok(())
    }

    /// Has the tapes forget what passes until the next step.
    pub(super) async fn rest(&self) -> Result<(), StageError> {
        for tape in self.tapes.values() {
            tape.rest().await?;
        }
        Ok(())
    }

    /// Watches no interface any more.
    pub(super) fn disarm(&mut self) {
        self.tapes.clear();
    }

    /// Waits until the tape of a host knows a link by its new name: the kernel has told it already.
    pub(super) async fn await_name(
        &self,
        host: &HostName,
        name: LinkName,
    ) -> Result<(), StageError> {
        // Before the first step there is none yet.
        let Some(tape) = self.tapes.get(host) else {
            return Ok(());
        };
        let index = self.lab.host(host).station().link(&name).await?.index;
        let known = tape.names().await_name(index.get(), name.as_str());
        let in_time = timeout(NAME_PATIENCE, known).await;
        in_time.map_err(|_| StageError::NameUnknown(name))
    }

    /// Remembers a question of the current step.
    pub(super) fn asked(&self, mark: Mark) {
        self.known().add(mark);
    }

    /// Where a task adds the questions that it asks while acts are done.
    pub(super) fn asked_by_task(&self) -> Arc<Mutex<Known>> {
        Arc::clone(&self.asked)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers that an act begins now.
    pub(super) fn begins(&mut self, act: &Act) {
        self.acts.push((Instant::now(), act.to_string()));
    }

    /// Says something of the act that is done, beside what it is.
    pub(super) fn remark(&mut self, remark: String) {
        self.remark = Some(remark);
    }

    /// What is to be said of the act that was done last.
    pub(super) fn take_remark(&mut self) -> Option<String> {
        self.remark.take()
    }

    /// The acts of the current step that have begun, in order.
    pub(super) fn acts(&self) -> &[(Instant, String)] {
        &self.acts
    }

    /// Remembers a name that a server is asked for so that it shows its log.
    pub(super) fn asks_control(&self, name: Name) {
        self.controls.borrow_mut().insert(name);
    }

    /// Whether a name is one of those.
    pub(super) fn is_control(&self, name: &Name) -> bool {
        self.controls.borrow().contains(name)
    }

    /// Whether a packet belongs to a question of an earlier step: its last packets, such as the
    /// end of a TCP connection, may come when the next step has begun.
    pub(super) fn asked_before(&self, frame: &Frame) -> bool {
        self.asked_before.concerns(frame)
    }

    /// Whether a packet belongs to a question of this step.
    pub(super) fn is_asked_now(&self, frame: &Frame) -> bool {
        self.known().concerns(frame)
    }

    /// Whether a packet belongs to a question of the lab's own, of whichever step.
    pub(super) fn is_probe(&self, frame: &Frame) -> bool {
        self.asked_before(frame) || self.known().concerns(frame)
    }

    /// Whether a connection of a host is a question of the lab's own, of whichever step.
    pub(super) fn is_probes_connection(&self, peer: SocketAddr, own: u16) -> bool {
        self.asked_before.has_connection(peer, own) || self.known().has_connection(peer, own)
    }

    /// The serial number of the lease of a link that its host was last told of.
    pub(super) fn told(&self, host: &HostName, link: IfIndex) -> u64 {
        let told = self.told.borrow();
        told.get(&(host.clone(), link)).copied().unwrap_or_default()
    }

    /// Remembers that a host has been told.
    pub(super) fn tell(&self, host: &HostName, link: IfIndex, serial: u64) {
        self.told.borrow_mut().insert((host.clone(), link), serial);
    }

    /// How long the play goes on.
    pub(super) fn clock(&self) -> Duration {
        self.start.elapsed()
    }

    /// A moment on the clock of the play.
    pub(super) fn on_clock(&self, at: Instant) -> Duration {
        at.saturating_duration_since(self.start)
    }

    /// When the current step's acts began.
    pub(super) fn step_began(&self) -> Instant {
        self.step_began
    }

    /// What a host was like at an earlier moment.
    pub(super) fn baseline(&self, host: &HostName, moment: &Since) -> Option<&Snapshot> {
        self.baselines.get(&(host.clone(), moment.clone()))
    }

    /// What a host has counted since the current step began.
    pub(super) fn meters(&self, host: &HostName) -> &Meters {
        &self.meters[host]
    }

    /// The tape of a host, from the first step on.
    pub(super) fn tape(&self, host: &HostName) -> &Tape {
        &self.tapes[host]
    }

    /// The tape of a host, if it is watched.
    pub(super) fn tape_of(&self, host: &HostName) -> Option<&Tape> {
        self.tapes.get(host)
    }

    /// The tapes of all hosts.
    pub(super) fn tapes(&self) -> impl Iterator<Item = (&HostName, &Tape)> {
        self.tapes.iter()
    }
}
