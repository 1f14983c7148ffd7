//! What a held lab tells of itself.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::SystemTime;

use fps_netlink::LinkName;
use fps_netns::Station;
use indexmap::IndexMap;

use super::protocol::{HostLook, LinkLook, Look, Phase, ProgramLook, is_link_local};
use super::{DeskError, LabName, processes, tunnel};
use crate::lab::Lab;
use crate::sandbox::{HostId, Sandbox};
use crate::scenario::diagnostic::suggest::{nearest, quoted};
use crate::scenario::{NetName, Tunnel};

/// What is known of a lab before it stands.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The scenario's title.
    pub title: String,
    /// The scenario's file.
    pub file: PathBuf,
    /// Where its logs are.
    pub logs: PathBuf,
    /// The scenario's tunnel.
    pub tunnel: Option<Tunnel>,
}

/// What can be seen of a lab, by whoever asks and whenever.
#[derive(Debug)]
pub(super) struct Board {
    name: LabName,
    facts: Facts,
    since: SystemTime,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    phase: Phase,
    at: String,
    sandbox: Weak<Sandbox>,
    hosts: IndexMap<String, HostCard>,
    /// What the scenario calls programs, by their numbers in the lab.
    programs: HashMap<i32, String>,
}

/// What is needed to do something in a host.
#[derive(Clone, Debug)]
pub(super) struct HostCard {
    pub(super) id: HostId,
    pub(super) station: Station,
    /// As /proc names its network namespace.
    network: String,
    nets: HashMap<LinkName, NetName>,
}

impl Board {
    pub(super) fn new(name: LabName, facts: Facts) -> Self {
        Self {
            name,
            facts,
            since: SystemTime::now(),
            state: Mutex::new(State {
                phase: Phase::Building,
                at: "being built".to_owned(),
                sandbox: Weak::new(),
                hosts: IndexMap::new(),
                programs: HashMap::new(),
            }),
        }
    }

    /// Shows a lab as it is now.
    pub(super) fn show(&self, lab: &Lab) {
        let card = |host: &crate::lab::Host| HostCard {
            id: host.id(),
            station: host.station().clone(),
            network: host.network(),
            nets: host
                .links()
                .map(|(name, live)| (*name, live.net().clone()))
                .collect(),
        };
        let hosts = lab.hosts();
        let hosts = hosts.map(|(name, host)| (name.to_string(), card(host)));
        let mut state = self.state();
        state.hosts = hosts.collect();
        state.sandbox = lab.sandbox_of_task();
    }

    /// What the scenario calls the programs that it has started.
    pub(super) fn call_programs(&self, programs: HashMap<i32, String>) {
        self.state().programs = programs;
    }

    pub(super) fn set(&self, phase: Phase, at: &str) {
        let mut state = self.state();
        state.phase = phase;
        at.clone_into(&mut state.at);
    }

    pub(super) fn phase(&self) -> Phase {
        self.state().phase
    }

    pub(super) fn name(&self) -> &LabName {
        &self.name
    }

    /// The sandbox, for the time of a call: it must not be kept across an await.
    pub(super) fn sandbox(&self) -> Result<Arc<Sandbox>, DeskError> {
        let state = self.state();
        if state.phase == Phase::Building {
            return Err(refused(format!("{} is still being built", self.name)));
        }
        if state.now().0 == Phase::Lost {
            let name = &self.name;
            return Err(refused(format!(
                "the sandbox of {name} was killed: `fps-lab down {name}` ends what is left"
            )));
        }
        state.sandbox.upgrade().ok_or(DeskError::Gone)
    }

    /// A host, by its name.
    pub(super) fn host(&self, name: &str) -> Result<HostCard, DeskError> {
        let state = self.state();
        if let Some(card) = state.hosts.get(name) {
            return Ok(card.clone());
        }
        if state.phase == Phase::Building {
            return Err(refused(format!("{} is still being built", self.name)));
        }
        let hosts: Vec<&str> = state.hosts.keys().map(String::as_str).collect();
        let lab = &self.name;
        let what = format!("the lab {lab} has no host `{name}`");
        Err(refused(format!("{what}{}", choice(name, &hosts))))
    }

    /// All that there is to see.
    pub(super) async fn look(&self) -> Result<Look, DeskError> {
        let (phase, at, cards) = {
            let state = self.state();
            let (phase, at) = state.now();
            (phase, at, state.hosts.clone())
        };
        let mut hosts = Vec::new();
        for (name, card) in &cards {
            hosts.push(HostLook {
                name: name.clone(),
                links: card.links().await?,
            });
        }
        let programs = self.programs(&cards)?;
        let tunnel = match &self.facts.tunnel {
            Some(facts) => Some(tunnel::look(self, facts, &hosts).await),
            None => None,
        };
        Ok(Look {
            lab: self.name.to_string(),
            title: self.facts.title.clone(),
            file: self.facts.file.clone(),
            state: phase,
            at,
            since: humantime::format_rfc3339_seconds(self.since).to_string(),
            pid: std::process::id(),
            logs: self.facts.logs.clone(),
            tunnel,
            hosts,
            programs,
        })
    }

    fn programs(&self, cards: &IndexMap<String, HostCard>) -> Result<Vec<ProgramLook>, DeskError> {
        let helper = self.state().sandbox.upgrade().and_then(|it| it.process());
        let Some(helper) = helper else {
            return Ok(Vec::new());
        };
        let found = processes::of_sandbox(helper)
            .map_err(|error| refused(format!("list the lab's processes: {error}")))?;
        let names = self.state().programs.clone();
        let host_of = |network: &str| {
            let mut cards = cards.iter();
            cards.find_map(|(name, card)| (card.network == network).then(|| name.clone()))
        };
        let look = |process: processes::Found| ProgramLook {
            host: host_of(&process.network),
            pid: process.pid,
            outer_pid: process.outer_pid,
            name: names.get(&process.pid).cloned(),
            command: process.command,
        };
        Ok(found.into_iter().map(look).collect())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// What it is doing, and where it stands.
    fn now(&self) -> (Phase, String) {
        // One that the lab has let go of itself is none: the lab ends.
        match self.sandbox.upgrade() {
            Some(sandbox) if sandbox.process().is_none() => {
                (Phase::Lost, "its sandbox was killed".to_owned())
            }
            _ => (self.phase, self.at.clone()),
        }
    }
}

impl HostCard {
    /// The links but for the loopback device.
    async fn links(&self) -> Result<Vec<LinkLook>, DeskError> {
        let netlink = self.station.netlink();
        let failed = |error: fps_netlink::Error| refused(crate::chain(&error));
        let links = netlink.links().await.map_err(failed)?;
        let addresses = netlink.addresses(None).await.map_err(failed)?;
        let links = links.iter().filter(|link| link.name.as_str() != "lo");
        let look = |link: &fps_netlink::Link| LinkLook {
            name: link.name.to_string(),
            net: self.nets.get(&link.name).map(ToString::to_string),
            up: link.up && link.carrier,
            addresses: addresses
                .iter()
                .filter(|address| address.link == link.index)
                .map(|address| address.net)
                .filter(|net| !is_link_local(net))
                .collect(),
        };
        Ok(links.map(look).collect())
    }
}

/// A refusal.
pub(super) fn refused(message: String) -> DeskError {
    DeskError::Refused {
        message,
        errno: None,
    }
}

/// What could have been meant: the nearest name, or all that there are.
pub(super) fn choice(text: &str, names: &[&str]) -> String {
    match nearest(text, names) {
        Some(nearest) => format!("; did you mean `{nearest}`?"),
        None if names.is_empty() => "; there is none".to_owned(),
        None => format!("; there are {}", quoted(names.iter().copied())),
    }
}
