//! One file for each kind of expectation.

mod again;
mod carriers;
mod changes;
mod control;
mod counter;
mod differ;
mod evidence;
mod how;
mod kernel;
mod locate;
mod log;
mod neighbour;
mod no_carrier_loop;
mod not_asked;
mod others;
mod outage;
mod path;
mod prints;
mod probing;
mod reach;
mod resolves;
mod says;
mod silent;
mod sockets;
mod status;
mod stray;
mod swallowed;
mod throughput;
mod trace;
mod trail;
mod turns;
mod unchanged;
mod unreachable;
mod volume;
mod why;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use changes::Recording;
use fps_netlink::{Flow, LinkName};
pub(super) use others::Others;
use outage::Outages;

use super::stage::Stage;
use super::{GapReport, Verdict};
use crate::ask::AskError;
use crate::lab::LabError;
use crate::probe::ProbeError;
use crate::report::Event;
use crate::scenario::{Check, Expectation, HostName, Step};
use crate::tape::TapeError;

/// What came of an expectation, and what was measured on the way.
#[derive(Debug)]
pub(super) struct Checked {
    pub(super) verdict: Verdict,
    /// Where it began earlier than it was asked for, when, since the play's start.
    pub(super) began: Option<Duration>,
    /// Times without an answer.
    pub(super) gaps: Vec<GapReport>,
}

/// What has begun before the acts of a step.
#[derive(Debug, Default)]
pub(super) struct Begun {
    /// By the place of the expectation.
    outages: BTreeMap<usize, Result<Outages, String>>,
    recordings: BTreeMap<usize, Result<Recording, String>>,
    marks: log::Marks,
}

impl Begun {
    /// What outages have asked, and what came of it.
    pub(super) fn probes(&self, step: &Step) -> impl Iterator<Item = (Instant, Event)> {
        let outages = self.outages.iter();
        let outages = outages.filter_map(|(place, outages)| Some((*place, outages.as_ref().ok()?)));
        outages.flat_map(|(place, outages)| outages.probes(&step.expect[place].name))
    }
}

/// Begins what must be under way before a step's acts, and waits until it is.
pub(super) async fn begin(stage: &Stage<'_>, step: &Step) -> Begun {
    let mut begun = Begun {
        marks: log::marks(stage),
        ..Begun::default()
    };
    for (place, expectation) in step.expect.iter().enumerate() {
        if let Check::Changes(wanted) = &expectation.check {
            let recording = Recording::begin(stage, wanted).await;
            let recording = recording.map_err(|error| crate::chain(&error));
            begun.recordings.insert(place, recording);
        }
        if let Check::Outage(wanted) = &expectation.check {
            let outages = match Outages::begin(stage, wanted).await {
                Ok(Some(outages)) => Ok(outages),
                Ok(None) => Err("the target had no address when it was to be asked".to_owned()),
                Err(error) => Err(crate::chain(&error)),
            };
            begun.outages.insert(place, outages);
        }
    }
    for outages in begun.outages.values_mut().flatten() {
        outages.settle().await;
    }
    begun
}

/// Ends what is for the acts alone: they are done.
pub(super) async fn acted(stage: &Stage<'_>, begun: &mut Begun) {
    for recording in begun.recordings.values_mut() {
        if let Ok(running) = recording
            && let Err(error) = running.end(stage).await
        {
            *recording = Err(crate::chain(&error));
        }
    }
}

/// Checks an expectation, until it is sure.
pub(super) async fn check(
    stage: &Stage<'_>,
    (place, expectation): (usize, &Expectation),
    begun: &Begun,
    others: &Others,
) -> Checked {
    let (mut began, mut gaps) = (None, Vec::new());
    let verdict = match &expectation.check {
        Check::Outage(wanted) => {
            let outages = begun.outages.get(&place);
            match outages.expect("it began before the acts") {
                Ok(outages) => {
                    began = Some(stage.on_clock(outages.began()));
                    outage::check(stage, wanted, outages, &mut gaps).await
                }
                Err(why) => Ok(Verdict::Inconclusive(why.clone())),
            }
        }
        Check::Path(wanted) => path::check(stage, wanted).await,
        Check::Throughput(wanted) => throughput::check(stage, wanted).await,
        Check::Reach(reach) => reach::check(stage, reach).await,
        Check::Unreachable(unreachable) => unreachable::check(stage, unreachable).await,
        Check::Silent(silent) => silent::check(stage, silent, others).await,
        Check::NoCarrierLoop(wanted) => no_carrier_loop::check(stage, wanted, others).await,
        Check::Says(says) => Ok(says::check(stage, says).await),
        Check::Resolves(resolves) => resolves::check(stage, resolves).await,
        Check::NotAsked(wanted) => not_asked::check(stage, wanted).await,
        Check::Kernel(wanted) => kernel::check(stage, wanted).await,
        Check::Unchanged(wanted) => unchanged::check(stage, wanted).await,
        Check::Changes(wanted) => {
            let recording = begun.recordings.get(&place);
            match recording.expect("it began before the acts") {
                Ok(recording) => changes::check(stage, wanted, recording),
                Err(why) => Ok(Verdict::Inconclusive(why.clone())),
            }
        }
        Check::Prints(wanted) => prints::check(stage, wanted).await,
        Check::Counter(wanted) => counter::check(stage, wanted).await,
        Check::Log(wanted) => Ok(log::check(stage, wanted, &begun.marks).await),
        Check::Status(wanted) => status::check(stage, wanted).await,
    };
    let verdict = verdict.unwrap_or_else(|error| Verdict::Inconclusive(crate::chain(&error)));
    Checked {
        verdict,
        began,
        gaps,
    }
}

/// A check that could not be made, so that nothing can be said.
#[derive(Debug, thiserror::Error)]
enum CheckError {
    #[error("the prober failed, which says nothing about the network")]
    Probe(#[from] ProbeError),
    /// The play has no CA that a probe could trust.
    #[error(transparent)]
    Lab(#[from] LabError),
    #[error("the capture failed, so nothing can be said of what passed")]
    Tape(#[from] TapeError),
    #[error("the name could not be asked for, which says nothing about it")]
    Ask(#[from] AskError),
    #[error("the host could not be looked at, which says nothing about it")]
    Snapshot(#[from] crate::snapshot::SnapshotError),
    #[error("the program that asks could not be started")]
    Sandbox(#[from] crate::sandbox::SandboxError),
    #[error("the counters could not be read")]
    Counters(#[from] crate::counters::CountersError),
    #[error("the kernel of {0} cannot be heard: {1}")]
    Unheard(crate::scenario::HostName, String),
    #[error("the log {0} cannot be written")]
    Log(String, #[source] std::io::Error),
    #[error("the lab's programs could not be looked at, so that one may still have packets in it")]
    Turns(#[source] std::io::Error),
    #[error("a question could not be traced through the firewall")]
    Trace(#[source] std::io::Error),
    /// What the kernel drops could not be heard.
    #[error("hear which packets the kernel drops")]
    Drops(#[from] fps_drops::Error),
    /// The kernel could not be read.
    #[error("learn how the kernel tells which packets it drops: {0}")]
    Kernel(&'static fps_drops::Error),
    #[error(transparent)]
    Netns(#[from] fps_netns::Error),
    #[error("the network of {0} cannot be read")]
    Network(crate::scenario::HostName, #[source] fps_netlink::Error),
}

/// What a capture that lost packets is worth.
fn lossy(host: &crate::scenario::HostName, lost: u32) -> Verdict {
    Verdict::Inconclusive(format!(
        "the capture on {host} lost {lost} packets, so nothing can be said of what did not pass"
    ))
}

/// How a host decides about a packet that somebody asks about, and what is likely the cause where it is not
/// to leave as it does.
pub(super) async fn reasons(
    stage: &Stage<'_>,
    host: &HostName,
    flow: Flow,
    wanted: Option<LinkName>,
) -> Vec<String> {
    let suspect = why::Suspect {
        wanted,
        stranded: flow
            .from
            .zip(flow.came_in)
            .map(|(from, link)| why::Stranded {
                from,
                link,
                length: 0,
            }),
        ..why::Suspect::new(host, flow)
    };
    let explanation = why::explain(stage, &suspect).await;
    let trouble = explanation.trouble.iter();
    let trouble = trouble.map(|why| format!("not explained: {why}"));
    explanation.reasons().into_iter().chain(trouble).collect()
}
