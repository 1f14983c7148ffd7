//! One play: a scenario, or one of its sabotages.

use std::io;
use std::time::Instant;

use tokio::sync::watch;

use super::line::Voice;
use super::{Audience, Options, outcome};
use crate::folder::Folder;
use crate::lab::Lab;
use crate::play::{End, Event, How, Report, StepReport, Until, play};
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

    /// Whether it plays a sabotage.
    pub(super) fn is_sabotage(&self) -> bool {
        self.sabotage.is_some()
    }

    /// Whether everything held, or the sabotage bit.
    pub(super) fn came_well(&self, done: &Done) -> bool {
        match self.sabotage {
            None => done.report.passed(),
            Some((_, sabotage)) => outcome::bite(&done.report, sabotage).is_ok(),
        }
    }

    /// Plays it on a runtime of its own; gives the sandbox back for somebody to drop later.
    pub(super) fn play(
        &self,
        options: &Options<'_>,
        audience: &dyn Audience,
    ) -> (Done, Option<Sandbox>) {
        let sabotage = self.sabotage.map(|(_, sabotage)| sabotage);
        let voice = Voice::new(self.name(), sabotage, audience);
        let done = |report| Done {
            file: self.file,
            sabotage: self.sabotage.map(|(number, _)| number),
            report,
        };
        let failed = |why: String| {
            let report = Report {
                end: End::NotBuilt(why),
                ..Report::default()
            };
            voice.ended(&report);
            (done(report), None)
        };
        let folder = match options.folder.fresh(&self.folder_name()) {
            Ok(folder) => folder,
            Err(error) => return failed(format!("write to the run's folder: {error}")),
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let runtime = match runtime {
            Ok(runtime) => runtime,
            Err(error) => return failed(format!("start a runtime: {error}")),
        };
        let (report, lab) = runtime.block_on(self.stoppable(options, &folder, &voice));
        let mut report = report;
        let written = folder.list(".log").and_then(|logs| {
            report.logs = logs;
            self.write(&folder, &report)
        });
        if let Err(error) = written {
            return failed(format!("write to the run's folder: {error}"));
        }
        voice.ended(&report);
        (done(report), lab.map(Lab::into_sandbox))
    }

    async fn stoppable(
        &self,
        options: &Options<'_>,
        folder: &Folder,
        voice: &Voice<'_>,
    ) -> (Report, Option<Lab>) {
        let until = match self.sabotage {
            Some((_, sabotage)) => Until::Bite(sabotage),
            None => Until::End,
        };
        let how = How {
            until,
            keep: options.keep,
        };
        let begin = Instant::now();
        let mut so_far = Report {
            end: End::Interrupted,
            ..Report::default()
        };
        let mut observe = |event: Event<'_>| {
            voice.event(event);
            note(&mut so_far, event);
        };
        tokio::select! {
            biased;
            () = told(options.stop.clone()) => {
                so_far.took = begin.elapsed();
                if let Some(step) = so_far.steps.last_mut() {
                    step.took = so_far.took.saturating_sub(step.began);
                }
                (so_far, None)
            }
            played = play(self.scenario(), options.site, folder, how, &mut observe) => played,
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
        (Event::Act { .. } | Event::Expectation { .. } | Event::Kept { .. }, _) => {}
    }
}

/// Waits until the run is to stop.
async fn told(mut stop: watch::Receiver<bool>) {
    if stop.wait_for(|stop| *stop).await.is_err() {
        // Nobody is left who could stop it.
        std::future::pending::<()>().await;
    }
}
