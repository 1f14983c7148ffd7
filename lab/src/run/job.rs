//! One play: a scenario, or one of its sabotages.

use std::io;
use std::path::{self, Path};
use std::time::Instant;

use tokio::sync::watch;
use tokio::task::LocalSet;

use super::line::Voice;
use super::{Audience, Options, outcome};
use crate::desk::{Desk, Facts, Hold, LabName, RuntimeFolder};
use crate::folder::Folder;
use crate::lab::Lab;
use crate::play::{End, Event, How, Report, StepReport, Until, play_at};
use crate::report;
use crate::sandbox::Sandbox;
use crate::scenario::{Sabotage, Scenario, ScenarioFile};

/// One play of one file.
pub(super) struct Job<'a> {
    file: usize,
    scenario_file: &'a ScenarioFile,
    sabotage: Option<(usize, &'a Sabotage)>,
}

/// A play that came to its end.
pub(super) struct Done {
    pub(super) file: usize,
    pub(super) sabotage: Option<usize>,
    pub(super) report: Report,
}

impl<'a> Job<'a> {
    /// The scenario first, then its sabotages.
    pub(super) fn of_file(
        (file, scenario_file): (usize, &'a ScenarioFile),
    ) -> impl Iterator<Item = Self> {
        let sabotages = scenario_file.sabotages.iter().enumerate().map(Some);
        std::iter::once(None)
            .chain(sabotages)
            .map(move |sabotage| Self {
                file,
                scenario_file,
                sabotage,
            })
    }

    /// What its lines call it: `split-tunnel/1` is the first sabotage.
    pub(super) fn name(&self) -> String {
        let name = &self.scenario_file.name;
        match self.sabotage {
            Some((number, _)) => format!("{name}/{}", number + 1),
            None => name.clone(),
        }
    }

    /// The scenario alone, or one of its sabotages, by its number from 0.
    pub(super) fn of_one(scenario_file: &'a ScenarioFile, sabotage: Option<usize>) -> Self {
        Self {
            file: 0,
            scenario_file,
            sabotage: sabotage.map(|number| (number, &scenario_file.sabotages[number])),
        }
    }

    /// The sabotage that it plays.
    pub(super) fn sabotage(&self) -> Option<&'a Sabotage> {
        self.sabotage.map(|(_, sabotage)| sabotage)
    }

    /// Whether it plays a sabotage.
    pub(super) fn is_sabotage(&self) -> bool {
        self.sabotage.is_some()
    }

    /// Whether nothing else is to be played while it is. A sabotage has to fail, for which it needs no calm.
    pub(super) fn is_alone(&self) -> bool {
        self.scenario_file.scenario.alone && !self.is_sabotage()
    }

    /// Whether everything held, or the sabotage bit.
    pub(super) fn came_well(&self, done: &Done) -> bool {
        match self.sabotage {
            None => done.report.passed(),
            Some((_, sabotage)) => outcome::bite(&done.report, sabotage).is_ok(),
        }
    }

    /// Plays it on a runtime of its own; gives the sandbox back for somebody to drop later. One that
    /// was held is gone by then, and with it everybody who was in it.
    pub(super) fn play(
        &self,
        options: &Options<'_>,
        audience: &dyn Audience,
    ) -> (Done, Option<Sandbox>) {
        let voice = Voice::new(self.name(), self.sabotage(), audience);
        let desk = options.pause.map(|folder| self.desk(folder, options));
        let (report, sandbox) = self
            .play_whole(options, &voice, desk)
            .unwrap_or_else(|why| (not_built(why), None));
        voice.ended(&report);
        let done = Done {
            file: self.file,
            sabotage: self.sabotage.map(|(number, _)| number),
            report,
        };
        (done, sandbox)
    }

    fn play_whole(
        &self,
        options: &Options<'_>,
        voice: &Voice<'_>,
        mut desk: Option<Desk>,
    ) -> Result<(Report, Option<Sandbox>), String> {
        let unwritten = |error| format!("write to the run's folder: {error}");
        let folder = options.folder.fresh(&self.folder_name());
        let folder = folder.map_err(unwritten)?;
        let stage = Runtime::new()?;
        let until = match self.sabotage {
            Some((_, sabotage)) => Until::Bite(sabotage),
            None => Until::End,
        };
        let how = How {
            until,
            keep: options.keep,
        };
        let (scenario, seat) = (self.scenario(), desk.as_mut());
        let mut observe = |event: Event<'_>| voice.event(event);
        let played = stoppable(scenario, options, &folder, how, seat, &mut observe);
        let (mut report, lab) = stage.block_on(played);
        let mut sandbox = lab.map(Lab::into_sandbox);
        if desk.as_ref().is_some_and(Desk::is_open) {
            drop(sandbox.take().map(Sandbox::end));
        }
        drop(desk);
        report.logs = folder.list(".log").map_err(unwritten)?;
        self.write(&folder, &report).map_err(unwritten)?;
        Ok((report, sandbox))
    }

    /// Builds the lab, plays some steps, and holds it until somebody ends it. `standing` is called when
    /// it is held.
    pub(super) fn hold(
        &self,
        options: &Options<'_>,
        steps: usize,
        mut desk: Desk,
        voice: &Voice<'_>,
        standing: &dyn Fn(),
    ) -> Result<Report, String> {
        let stage = Runtime::new()?;
        // Before anything of a lab is touched that may have this name.
        let opened = stage.block_on(async { desk.open() });
        opened.map_err(|error| crate::chain(&error))?;
        let folder = options.folder.fresh(&held_folder(desk.name()));
        let folder = folder.map_err(|error| format!("write to the run's folder: {error}"))?;
        let scenario = self.scenario();
        let how = How {
            until: Until::Steps(steps),
            keep: options.keep,
        };
        let mut observe = |event: Event<'_>| {
            voice.event(event);
            if let Event::Held { .. } = event {
                standing();
            }
        };
        let seat = Some(&mut desk);
        let held = stoppable(scenario, options, &folder, how, seat, &mut observe);
        let (report, lab) = stage.block_on(held);
        drop(lab.map(|lab| lab.into_sandbox().end()));
        // The name first, and the connections last: those who wait for the end see it by these.
        drop(desk);
        drop(stage);
        Ok(report)
    }

    /// Where somebody may ask for something of this play, when it is held.
    fn desk(&self, folder: &RuntimeFolder, options: &Options<'_>) -> Desk {
        let number = self.sabotage.map(|(number, _)| format!("-{}", number + 1));
        let name = format!("{}{}", self.scenario_file.name, number.unwrap_or_default());
        let facts = self.facts(&options.folder.path().join(self.folder_name()));
        let name = LabName::of_scenario(&name);
        Desk::new(folder.clone(), name, Hold::AtFailure, facts)
    }

    /// What is known of its lab before it stands.
    pub(super) fn facts(&self, logs: &Path) -> Facts {
        let absolute = |path: &Path| path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let scenario = self.scenario();
        Facts {
            title: scenario.title.clone(),
            file: absolute(&self.scenario_file.path),
            logs: absolute(logs),
            tunnel: scenario.tunnel.clone(),
        }
    }

    fn scenario(&self) -> &'a Scenario {
        self.sabotage
            .map_or(&self.scenario_file.scenario, |(_, sabotage)| {
                &sabotage.scenario
            })
    }

    fn folder_name(&self) -> String {
        let number = self.sabotage.map(|(number, _)| number);
        play_folder(&self.scenario_file.name, number)
    }

    /// Leaves a play's report in its folder.
    fn write(&self, folder: &Folder, report: &Report) -> io::Result<()> {
        let play = report::Play::of(self.scenario_file, self.sabotage, report);
        folder.write_json("report.json", &play)
    }
}

/// A runtime of one thread, and what runs on it beside a play.
struct Runtime {
    // Connections are dropped before what tells when they are ready: declared first.
    beside: LocalSet,
    runtime: tokio::runtime::Runtime,
}

impl Runtime {
    fn new() -> Result<Self, String> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        Ok(Self {
            beside: LocalSet::new(),
            runtime: runtime.map_err(|error| format!("start a runtime: {error}"))?,
        })
    }

    fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.beside.block_on(&self.runtime, future)
    }
}

/// Plays until it is over, somebody stops the run, or somebody at the desk ends the lab.
async fn stoppable(
    scenario: &Scenario,
    options: &Options<'_>,
    folder: &Folder,
    how: How<'_>,
    desk: Option<&mut Desk>,
    say: &mut dyn FnMut(Event<'_>),
) -> (Report, Option<Lab>) {
    let begin = Instant::now();
    let mut so_far = Report {
        end: End::Interrupted,
        ..Report::default()
    };
    let mut observe = |event: Event<'_>| {
        say(event);
        note(&mut so_far, event);
    };
    let down = desk.as_ref().map(|desk| desk.down());
    let stopped = async {
        tokio::select! {
            () = told(options.stop.clone()) => {}
            () = told_if(down) => {}
        }
    };
    tokio::select! {
        biased;
        // First, for a lab that is held is told as well, and ends in order.
        played = play_at(scenario, options.site, folder, how, desk, &mut observe) => played,
        () = stopped => {
            so_far.took = begin.elapsed();
            if let Some(step) = so_far.steps.last_mut() {
                step.took = so_far.took.saturating_sub(step.began);
            }
            (so_far, None)
        }
    }
}

fn not_built(why: String) -> Report {
    Report {
        end: End::NotBuilt(why),
        ..Report::default()
    }
}

/// The folder of a held lab, relative to the run's.
pub(super) fn held_folder(lab: &LabName) -> String {
    format!("{lab}/up")
}

/// The folder of a play of a scenario, or of its sabotage with this number from 0, relative to the run's.
pub fn play_folder(name: &str, sabotage: Option<usize>) -> String {
    match sabotage {
        Some(number) => format!("{name}/sabotage-{}", number + 1),
        None => format!("{name}/play"),
    }
}

/// Adds an event to the report of a play that may be stopped before it has one of its own.
fn note(report: &mut Report, event: Event<'_>) {
    match (event, report.steps.last_mut()) {
        (Event::Built { took, .. }, _) => report.built = Some(took),
        (Event::TunnelUp { began, took }, _) => report.tunnel = Some((began, took)),
        (Event::Step { step, at }, _) => report.steps.push(StepReport {
            name: step.name.clone(),
            began: at,
            ..StepReport::default()
        }),
        (Event::Act { report }, Some(step)) => step.acts.push(report.clone()),
        (Event::Expectation { report }, Some(step)) => step.expectations.push(report.clone()),
        (
            Event::Act { .. }
            | Event::Expectation { .. }
            | Event::Kept { .. }
            | Event::Held { .. }
            | Event::Resumed
            | Event::Trouble { .. },
            _,
        ) => {}
    }
}

/// The same, if there is anybody who could say so.
async fn told_if(stop: Option<watch::Receiver<bool>>) {
    match stop {
        Some(stop) => told(stop).await,
        None => std::future::pending().await,
    }
}

/// Waits until the run is to stop.
async fn told(mut stop: watch::Receiver<bool>) {
    if stop.wait_for(|stop| *stop).await.is_err() {
        // Nobody is left who could stop it.
        std::future::pending::<()>().await;
    }
}
