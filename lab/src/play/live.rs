//! A play whose steps come one after the other, from who looks on.

use std::time::Instant;

use fps_netlink::{Family, LinkName};

use super::timeline::Timeline;
use super::{Begun, End, Event, ExpectationReport, Keep, Play, Report, Stage, Until, act, expect};
use crate::explain::{Query, Tables, way};
use crate::folder::Folder;
use crate::lab::{Lab, Site};
use crate::report::Event as Happening;
use crate::scenario::{Act, HostName, Scenario, Since};
use crate::user;

/// A play that waits for its next step.
pub(crate) struct Live<'a> {
    stage: Stage<'a>,
    observe: &'a mut dyn FnMut(Event<'_>),
    report: Report,
    /// What has begun before the acts of the current step.
    begun: Begun,
    /// Whether a step has begun and not ended.
    open: bool,
}

/// What was checked.
#[derive(Debug, Default)]
pub(crate) struct Checked {
    /// Each expectation.
    pub(crate) expectations: Vec<ExpectationReport>,
    /// What the names of the files begin with that show the packets and the state of hosts, if
    /// something did not hold.
    pub(crate) kept: Option<String>,
}

impl<'a> Live<'a> {
    /// Builds the lab of a scenario, and does what comes before its first step.
    pub(crate) async fn set_up(
        scenario: &'a Scenario,
        site: &Site,
        folder: &'a Folder,
        observe: &'a mut dyn FnMut(Event<'_>),
    ) -> Result<Self, End> {
        let start = Instant::now();
        let timeline = Timeline::begin(folder, start);
        let timeline = timeline
            .map_err(|error| End::NotBuilt(format!("write to the run's folder: {error}")))?;
        timeline.begins(scenario, Until::End);
        let lab = Lab::build(scenario, site).await;
        let lab = lab.map_err(|error| End::NotBuilt(crate::chain(&error)))?;
        timeline.tell(Happening::Built);
        observe(Event::Built {
            scenario,
            took: start.elapsed(),
        });
        let mut live = Self {
            stage: Stage::new(scenario, lab, folder, (start, timeline)),
            observe,
            report: Report::default(),
            begun: Begun::default(),
            open: false,
        };
        live.play().set_up().await?;
        Ok(live)
    }

    fn play(&mut self) -> Play<'_, 'a> {
        Play {
            stage: &mut self.stage,
            until: Until::End,
            keep: Keep::Failed,
            desk: None,
            observe: self.observe,
            report: &mut self.report,
        }
    }

    /// Plays the last step of a scenario, of which so many acts and expectations are done; none where it
    /// has still to begin. An error where an act failed or a program has died, with what was checked all
    /// the same.
    pub(crate) async fn advance(
        &mut self,
        scenario: &'a Scenario,
        done: Option<(usize, usize)>,
    ) -> Result<Checked, (Checked, String)> {
        let failed = self.act(scenario, done).await.err();
        let seen = |report: &Report| report.steps.last().map_or(0, |it| it.expectations.len());
        let before = seen(&self.report);
        let failed = match failed {
            Some(error) => Some(error),
            None => self.check(scenario, done).await.err(),
        };
        let kept = self.play().keep(before, failed.is_some()).await;
        let failed = failed.or(kept.err().map(|error| crate::chain(&error)));
        let number = self.report.steps.len();
        let mut checked = Checked::default();
        if let Some(step) = self.report.steps.last() {
            checked.expectations = step.expectations[before..].to_vec();
            let held = checked.expectations.iter().all(|it| it.verdict.passed());
            checked.kept = (failed.is_some() || !held).then(|| format!("step-{number}-"));
        }
        match failed {
            None => Ok(checked),
            Some(error) => Err((checked, error)),
        }
    }

    /// Begins the last step of a scenario, and ends the one before.
    async fn begin(&mut self, scenario: &'a Scenario) -> Result<(), String> {
        let Some(step) = scenario.steps.last() else {
            return Ok(());
        };
        self.end();
        self.open = true;
        self.begun = self.play().begin(step).await.map_err(why)?;
        Ok(())
    }

    fn end(&mut self) {
        if std::mem::take(&mut self.open) {
            self.play().ends();
        }
    }

    /// Does the acts of the last step that are left.
    async fn act(
        &mut self,
        scenario: &'a Scenario,
        done: Option<(usize, usize)>,
    ) -> Result<(), String> {
        self.stage.scenario = scenario;
        let Some(step) = scenario.steps.last() else {
            return Ok(());
        };
        if done.is_none() {
            self.begin(scenario).await?;
        }
        let (first, _) = done.unwrap_or_default();
        for act in &step.acts[first..] {
            let acted = self.play().act(act).await;
            acted.map_err(|error| format!("{act}: {}", crate::chain(&error)))?;
        }
        Ok(())
    }

    /// Checks those of its expectations that are left.
    async fn check(
        &mut self,
        scenario: &'a Scenario,
        done: Option<(usize, usize)>,
    ) -> Result<(), String> {
        let Some(step) = scenario.steps.last() else {
            return Ok(());
        };
        let (_, first) = done.unwrap_or_default();
        let mut begun = std::mem::take(&mut self.begun);
        let concluded = self.play().conclude(step, first, &mut begun).await;
        self.begun = begun;
        concluded.map_err(why)
    }

    /// Runs the last act of the last step, which is a `run`; gives its exit code, if no signal has ended
    /// it, and what it has printed.
    pub(crate) async fn run(
        &mut self,
        scenario: &'a Scenario,
        done: Option<(usize, usize)>,
        any_exit: bool,
    ) -> Result<(Option<i32>, String), String> {
        self.stage.scenario = scenario;
        let step = scenario.steps.last();
        let step = step.ok_or_else(|| "there is no step".to_owned())?;
        if done.is_none() {
            self.begin(scenario).await?;
        }
        let Some(last @ Act::Run(call)) = step.acts.last() else {
            return Err("there is nothing to run".to_owned());
        };
        let run = async |stage: &mut Stage<'_>| act::run_aloud(stage, call, any_exit).await;
        let ran = self.play().aloud(last, run).await;
        let ended = ran.map_err(|error| crate::chain(&error))?;
        Ok((ended.exit.0.code(), ended.text))
    }

    /// Looks at all hosts, at the end of the last step.
    pub(crate) async fn remember(&mut self, scenario: &'a Scenario) -> Result<(), String> {
        self.stage.scenario = scenario;
        let Some(step) = scenario.steps.last() else {
            return Ok(());
        };
        self.begin(scenario).await?;
        let moment = Since::Step(step.name.clone());
        let remembered = self.stage.remember_all(&moment).await;
        remembered.map_err(|error| crate::chain(&error))
    }

    /// What a program has printed since it was started; none of one that never was.
    pub(crate) fn lines(&self, program: &str) -> Option<Vec<String>> {
        let heard = self.stage.programs.heard(program, None)?;
        Some(heard.lines)
    }

    /// How a host decides about a packet at this moment, what is likely the cause where it should leave by
    /// another link, and the way that it takes.
    pub(crate) async fn explain(
        &self,
        host: &HostName,
        query: &Query,
        wanted: Option<LinkName>,
    ) -> Result<Vec<String>, String> {
        let netlink = self.stage.lab.host(host).station().netlink();
        let told = |error: fps_netlink::Error| crate::chain(&error);
        let family = Family::of(query.to);
        let tables = Tables::read(netlink, family).await.map_err(told)?;
        let flow = user::flow_seen_here(query.flow(&tables)?);
        let mut lines = expect::reasons(&self.stage, host, flow, wanted).await;
        let source = netlink.lookup(&flow).await.map_err(told)?;
        let source = source.ok().and_then(|route| route.source);
        lines.extend(way(&tables, &flow, source));
        Ok(lines)
    }

    /// What goes on between steps, until it fails, and why.
    pub(crate) async fn idle(&self) -> String {
        match act::dhcp::follow(&self.stage).await {
            Err(error) => crate::chain(&error),
            Ok(never) => match never {},
        }
    }

    /// Ends it, with all that it has started.
    pub(crate) fn strike(mut self) {
        self.end();
        self.stage.timeline.ends(&End::Played);
        drop(self.stage.strike());
    }
}

fn why(end: End) -> String {
    match end {
        End::ActFailed { error, .. } | End::NotBuilt(error) => error,
        End::Played | End::Interrupted | End::NotBegun => "it was stopped".to_owned(),
    }
}
