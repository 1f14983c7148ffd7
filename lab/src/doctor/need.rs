//! What a scenario needs of the machine, beside what every lab does.

use super::user::ANOTHER;
use super::{Lack, programs, resolved, tun, user};
use crate::scenario::{Act, Check, Resolver, Scenario};

/// What a scenario has among its `needs` whose programs take a user beside root, which nothing else in it
/// tells.
const SECOND_UID: &str = "second-uid";

/// One thing that a scenario needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Need {
    /// A program, by name.
    Program(String),
    /// systemd-resolved and what belongs to it.
    Resolved,
    /// `/dev/net/tun`.
    Tun,
    /// A user beside our own.
    SecondUid {
        /// Its number.
        uid: u32,
        /// What for.
        what: String,
    },
}

impl Need {
    /// All that a scenario needs.
    pub fn of(scenario: &Scenario) -> Vec<Self> {
        let named = scenario.needs.iter().map(|name| match name.as_str() {
            SECOND_UID => Self::SecondUid {
                uid: ANOTHER,
                what: "as it says in `needs`".to_owned(),
            },
            name => Self::Program(name.to_owned()),
        });
        let mut needs: Vec<_> = named.collect();
        let mut hosts = scenario.hosts.values();
        if hosts.any(|host| host.resolver == Resolver::SystemdResolved) {
            needs.push(Self::Resolved);
        }
        if scenario.tunnel.is_some() {
            needs.push(Self::Tun);
        }
        needs.extend(second_uid(scenario));
        needs
    }

    /// Looks whether the machine has it.
    pub fn look(&self) -> Result<(), Lack> {
        match self {
            Self::Program(name) => programs::find(name).map(drop).map_err(|lack| {
                Lack::new(
                    format!("{}, which the scenario needs", lack.what),
                    lack.remedy,
                )
            }),
            Self::Resolved => resolved::look(),
            Self::Tun => tun::look(),
            Self::SecondUid { uid, what } => user::second(*uid, what),
        }
    }

    /// What `--may-lack` calls it; none of what is no program.
    pub fn program(&self) -> Option<&str> {
        match self {
            Self::Program(name) => Some(name),
            Self::Resolved => Some(resolved::PROGRAM),
            Self::Tun | Self::SecondUid { .. } => None,
        }
    }
}

/// For what a scenario needs another user than root.
fn second_uid(scenario: &Scenario) -> Option<Need> {
    let checks = scenario.steps.iter().flat_map(|step| &step.expect);
    let mut probes = checks.flat_map(|it| match &it.check {
        Check::Throughput(throughput) => vec![&throughput.probe, &throughput.of],
        check => check.probe().into_iter().collect(),
    });
    if let Some(uid) = probes.find_map(|probe| probe.sender.uid) {
        let what = format!("uid {uid}, as whom a probe asks");
        return Some(Need::SecondUid { uid, what });
    }
    let acts = scenario.steps.iter().flat_map(|step| &step.acts);
    let mut rules = scenario.seed.iter().chain(acts).flat_map(|act| match act {
        Act::Rule(change) => change.rules.as_slice(),
        _ => &[],
    });
    // Even one for root alone: from another user namespace than the network's the kernel takes no range
    // of users (`fib_nl2rule` in net/core/fib_rules.c).
    let users = rules.find_map(|rule| rule.users)?;
    let what = format!("uids {} to {}, for whom a rule is", users.first, users.last);
    let uid = users.last;
    Some(Need::SecondUid { uid, what })
}
