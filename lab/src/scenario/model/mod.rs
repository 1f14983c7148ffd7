//! A scenario after validation: every name exists, every address has its net, every wait is
//! possible. What plays a scenario sees only these types and needs no further check.

mod act;
mod advertise;
mod check;
mod dhcp;
mod dns;
mod firewall;
mod impair;
mod log;
mod name;
mod place;
mod program;
mod resolver;
mod state;
mod topology;
mod tunnel;

use std::path::PathBuf;

use indexmap::IndexMap;

pub use act::*;
pub use advertise::*;
pub use check::*;
pub use dhcp::*;
pub use dns::*;
pub use firewall::*;
pub use impair::*;
pub use log::*;
pub use name::*;
pub use place::*;
pub use program::*;
pub use resolver::*;
pub use state::*;
pub use topology::*;
pub use tunnel::*;

/// One scenario file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScenarioFile {
    /// Where it was read from.
    pub path: PathBuf,
    /// The file's stem, which names it in reports and in the run's folder.
    pub name: String,
    /// What it plays.
    pub scenario: Scenario,
    /// The ways to break it, each a whole scenario of its own.
    pub sabotages: Vec<Sabotage>,
    /// Where in the file all of it stands.
    pub places: Places,
}

/// A lab and what happens in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scenario {
    /// One line for people.
    pub title: String,
    /// The report or document that it comes from.
    pub origin: Option<String>,
    /// Programs that must be on the machine.
    pub needs: Vec<String>,
    /// Whether nothing else is to be played while it is.
    pub alone: bool,
    /// The L2 segments, in the file's order.
    pub nets: IndexMap<NetName, Net>,
    /// The hosts, in the file's order.
    pub hosts: IndexMap<HostName, Host>,
    /// Programs beside the tunnel's own, in the file's order.
    pub programs: IndexMap<ProgramName, Program>,
    /// The tunnel under test.
    pub tunnel: Option<Tunnel>,
    /// Kernel state that stands before any program starts.
    pub seed: Vec<Act>,
    /// What happens, in order.
    pub steps: Vec<Step>,
}

/// A way to break a scenario, and what must then fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sabotage {
    /// Names it in reports.
    pub name: String,
    /// The scenario with the change in it.
    pub scenario: Scenario,
    /// The names of the expectations that must fail; never empty, all in `scenario`.
    pub must_fail: Vec<String>,
    /// The names of those that may; whatever else is checked up to the last step with one that
    /// must fail has to hold.
    pub may_fail: Vec<String>,
}

/// Acts, done in order, and what must then hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Names it in reports and sabotages; `step N` where the file gives none.
    pub name: String,
    /// What is done.
    pub acts: Vec<Act>,
    /// What is checked, in order.
    pub expect: Vec<Expectation>,
}

impl Sabotage {
    /// Whether an expectation must fail, or may.
    pub fn names(&self, expectation: &str) -> bool {
        self.must_fail
            .iter()
            .chain(&self.may_fail)
            .any(|name| name == expectation)
    }
}
