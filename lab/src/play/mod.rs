//! Plays a scenario in a lab of its own.
//!
//! - [`play`]: build, start the tunnel, then step by step: watch, act, expect
//! - `act`: one file per kind of act
//! - `baseline`: what hosts were like at earlier moments
//! - `expect`: one file per kind of expectation
//! - `hold`: a lab that is held, at a failure or when its steps are through
//! - `live`: the same with steps that come one after the other, for tests in Rust
//! - `keep`: the packets and the state of hosts, of a step that failed
//! - `programs`: programs by name, with their output and readiness
//! - `tunnel`: how the tunnel's programs are started; `fps`: what those of FPS are given
//! - [`Report`]: what was done, what was expected and what was seen

mod act;
mod baseline;
mod evidence;
mod expect;
mod fps;
mod hold;
mod keep;
mod live;
mod name_turns;
mod programs;
mod report;
mod stage;
mod states;
mod timeline;
mod tunnel;

use std::pin::pin;
use std::time::Instant;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

pub use evidence::{Evidence, Hop, Way};
pub(crate) use fps::{CA, CARRIER_NAME, CLIENT_STATUS, SERVER_STATUS};
pub(crate) use live::{Checked, Live};
pub use programs::ProgramError;
pub(crate) use programs::environment;
pub use report::{
    ActReport, End, Event, ExpectationReport, GapReport, KeptFile, Report, StateReport, StepReport,
    Verdict,
};
use stage::Stage;
pub use stage::StageError;

use expect::{Begun, Others};

use timeline::{Timeline, testify};

use crate::desk::Desk;
use crate::folder::Folder;
use crate::lab::{Lab, Site};
use crate::report::Event as Happening;
use crate::scenario::{Act, Sabotage, Scenario, Since, Step};
use crate::tape::Tape;

/// How a play is played.
#[derive(Clone, Copy, Debug)]
pub struct How<'a> {
    /// How far it goes.
    pub until: Until<'a>,
    /// Of which steps packets and the whole state of the hosts are kept.
    pub keep: Keep,
}

/// Of which steps the packets of each host and the whole state of its network are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Keep {
    /// Of those in which something failed that no sabotage was to harm.
    #[default]
    Failed,
    /// Of all.
    All,
}

/// How far a play goes.
#[derive(Clone, Copy, Debug)]
pub enum Until<'a> {
    /// To the last step, whatever fails.
    End,
    /// Until it is clear whether this sabotage bites.
    Bite(&'a Sabotage),
    /// Through so many steps, whatever fails.
    Steps(usize),
}

/// Plays a scenario and tells `observe` of each thing as it happens.
///
/// The lab is given back beside the report, since dropping it costs time that nobody needs to
/// wait for: the kernel takes tens of milliseconds to clear namespaces away, and blocks the
/// creation of others meanwhile.
pub async fn play(
    scenario: &Scenario,
    site: &Site,
    folder: &Folder,
    how: How<'_>,
    observe: &mut dyn FnMut(Event<'_>),
) -> (Report, Option<Lab>) {
    play_at(scenario, site, folder, how, None, observe).await
}

/// The same, with a desk at which somebody can ask for something of the lab, and which says when the
/// play is held.
pub async fn play_at(
    scenario: &Scenario,
    site: &Site,
    folder: &Folder,
    How { until, keep }: How<'_>,
    desk: Option<&mut Desk>,
    observe: &mut dyn FnMut(Event<'_>),
) -> (Report, Option<Lab>) {
    let start = Instant::now();
    let mut report = Report::default();
    let timeline = match Timeline::begin(folder, start) {
        Ok(timeline) => timeline,
        Err(error) => {
            report.end = End::NotBuilt(format!("write to the run's folder: {error}"));
            return (report, None);
        }
    };
    timeline.begins(scenario, until);
    let lab = match Lab::build(scenario, site).await {
        Ok(lab) => lab,
        Err(error) => {
            report.end = End::NotBuilt(crate::chain(&error));
            timeline.ends(&report.end);
            return (report, None);
        }
    };
    report.built = Some(start.elapsed());
    timeline.tell(Happening::Built);
    observe(Event::Built {
        scenario,
        took: start.elapsed(),
    });
    if let Some(desk) = &desk {
        desk.plays(&lab);
    }
    let mut stage = Stage::new(scenario, lab, folder, (start, timeline.clone()));
    report.end = Play {
        desk,
        stage: &mut stage,
        until,
        keep,
        observe,
        report: &mut report,
    }
    .run()
    .await;
    report.took = start.elapsed();
    timeline.ends(&report.end);
    let lab = stage.strike();
    (report, Some(lab))
}

struct Play<'a, 'b> {
    stage: &'a mut Stage<'b>,
    until: Until<'a>,
    keep: Keep,
    desk: Option<&'a mut Desk>,
    observe: &'a mut dyn FnMut(Event<'_>),
    report: &'a mut Report,
}

impl Play<'_, '_> {
    async fn run(mut self) -> End {
        let end = match self.play().await {
            Ok(()) => End::Played,
            Err(end) => end,
        };
        self.hold_at(&end).await;
        end
    }

    async fn play(&mut self) -> Result<(), End> {
        self.set_up().await?;
        done("look at the hosts", self.stage.look_at_hosts(0).await)?;
        for step in self.stage.scenario.steps.iter().take(self.steps()) {
            self.step(step).await?;
            self.remember(Since::Step(step.name.clone())).await?;
        }
        Ok(())
    }

    /// What comes before the first step.
    async fn set_up(&mut self) -> Result<(), End> {
        let scenario = self.stage.scenario;
        let issued = self.stage.issue_certificates();
        done("issue certificates", issued)?;
        let started = act::start_resolvers(self.stage).await;
        done("start the resolvers", started)?;
        for act in &scenario.seed {
            done("seed", act::perform(self.stage, act).await)?;
        }
        let tunnel = scenario.tunnel.as_ref();
        if tunnel.is_some_and(|tunnel| tunnel.autostart) {
            let (began, begin) = (self.stage.clock(), Instant::now());
            done("start the tunnel", self.stage.start_tunnel().await)?;
            let took = begin.elapsed();
            self.report.tunnel = Some((began, took));
            self.stage.timeline.tell(Happening::TunnelUp);
            (self.observe)(Event::TunnelUp { began, took });
        }
        self.remember(Since::Start).await
    }

    /// Looks at the hosts that later steps compare with this moment.
    async fn remember(&mut self, moment: Since) -> Result<(), End> {
        let remembered = self.stage.remember(&moment).await;
        done(&format!("look at the hosts at {moment}"), remembered)
    }

    /// Plays one step; an error where it is the last to be played.
    async fn step(&mut self, step: &Step) -> Result<(), End> {
        let played = self.act_and_expect(step).await;
        let kept = self.keep(0, played.is_err()).await;
        self.ends();
        played?;
        done(&step.name, kept)?;
        self.look_at_hosts(self.report.steps.len()).await?;
        done(
            "write the timeline",
            self.stage.timeline.check().map_err(StageError::from),
        )?;
        self.pause(step).await?;
        match self.far_enough() {
            true => Err(End::Played),
            false => Ok(()),
        }
    }

    /// Watches the hosts from now on, and begins what must be under way before the acts of a step.
    async fn begin(&mut self, step: &Step) -> Result<Begun, End> {
        let at = self.stage.clock();
        self.report.steps.push(StepReport {
            name: step.name.clone(),
            began: at,
            states: self.stage.states_before(),
            ..StepReport::default()
        });
        self.stage.timeline.tell(Happening::StepBegins {
            step: self.report.steps.len(),
            name: step.name.clone(),
        });
        (self.observe)(Event::Step { step, at });
        // Before the act, so that nothing that it causes is missed.
        done(&step.name, self.stage.arm().await)?;
        Ok(expect::begin(self.stage, step).await)
    }

    /// Ends the current step.
    fn ends(&mut self) {
        let (number, now) = (self.report.steps.len(), self.stage.clock());
        let step = self.current();
        step.took = now.saturating_sub(step.began);
        self.stage.timeline.settle();
        let ends = Happening::StepEnds { step: number };
        self.stage.timeline.tell(ends);
    }

    /// Writes down what the hosts are like after a step.
    async fn look_at_hosts(&mut self, number: usize) -> Result<(), End> {
        done("look at the hosts", self.stage.look_at_hosts(number).await)?;
        let Self { stage, report, .. } = self;
        let states = report.steps.last_mut().map(|step| &mut step.states);
        for state in states.into_iter().flatten() {
            state.after = stage.state_file(&state.host);
        }
        Ok(())
    }

    async fn act_and_expect(&mut self, step: &Step) -> Result<(), End> {
        let mut begun = self.begin(step).await?;
        for act in &step.acts {
            done(&step.name, self.act(act).await)?;
        }
        self.conclude(step, 0, &mut begun).await
    }

    /// Checks the expectations of a step from one on.
    async fn conclude(&mut self, step: &Step, first: usize, begun: &mut Begun) -> Result<(), End> {
        expect::acted(self.stage, begun).await;
        let reports = self.expect(step, first, begun).await;
        let reports = done(&step.name, reports)?;
        self.current().expectations.extend(reports);
        testify(self.stage, step, begun);
        self.look_for_deaths(step)
    }

    async fn act(&mut self, act: &Act) -> Result<(), StageError> {
        let perform = async |stage: &mut Stage<'_>| act::perform(stage, act).await;
        self.aloud(act, perform).await
    }

    /// Does what an act says, and tells of it.
    async fn aloud<T>(
        &mut self,
        act: &Act,
        perform: impl AsyncFnOnce(&mut Stage<'_>) -> Result<T, StageError>,
    ) -> Result<T, StageError> {
        let (began, begin) = (self.stage.clock(), Instant::now());
        self.stage.begins(act);
        self.stage.timeline.tell(Happening::ActBegins {
            act: act.to_string(),
        });
        let outcome = perform(self.stage).await;
        let report = ActReport {
            act: match self.stage.take_remark() {
                Some(remark) => format!("{act}: {remark}"),
                None => act.to_string(),
            },
            began,
            took: begin.elapsed(),
            error: outcome.as_ref().err().map(|error| crate::chain(error)),
        };
        self.stage.timeline.tell(Happening::ActEnds {
            act: report.act.clone(),
            error: report.error.clone(),
        });
        (self.observe)(Event::Act { report: &report });
        self.current().acts.push(report);
        outcome
    }

    /// A dead client would make every `unreachable` hold, and so would a dead wire.
    fn look_for_deaths(&mut self, step: &Step) -> Result<(), End> {
        let mut dead = self.stage.programs.obituaries();
        match self.stage.lab.broken_wires() {
            Ok(broken) => dead.extend(broken),
            Err(error) => dead.push(crate::chain(&error)),
        }
        match dead.is_empty() {
            true => Ok(()),
            false => Err(End::ActFailed {
                step: step.name.clone(),
                error: dead.join("; "),
            }),
        }
    }

    /// Checks the expectations of a step from one on side by side, so that the time of each begins when
    /// the acts are done; gives them in the file's order.
    async fn expect(
        &mut self,
        step: &Step,
        first: usize,
        begun: &Begun,
    ) -> Result<Vec<ExpectationReport>, StageError> {
        let begin = Instant::now();
        let expectations = &step.expect[first..];
        let stage = &*self.stage;
        let others = &Others::among(expectations.iter().map(|it| &it.check));
        let mut under_way: FuturesUnordered<_> = (first..)
            .zip(expectations)
            .map(async |(place, expectation)| {
                others.await_turn(&expectation.check).await;
                let began = stage.clock();
                stage.timeline.expects(expectation);
                let checked = expect::check(stage, (place, expectation), begun, others).await;
                others.ended(&expectation.check);
                let report = ExpectationReport {
                    name: expectation.name.clone(),
                    kind: expectation.check.kind(),
                    began: checked.began.unwrap_or(began),
                    ended: stage.clock(),
                    took: begin.elapsed(),
                    gaps: checked.gaps,
                    verdict: checked.verdict,
                };
                stage.timeline.checked(&report);
                (place, report)
            })
            .collect();
        let mut reports = Vec::new();
        // DHCP clients go on meanwhile, and what they are given is passed on.
        let mut leases = pin!(act::dhcp::follow(stage));
        loop {
            let checked = tokio::select! {
                biased;
                failed = &mut leases => match failed? {},
                checked = under_way.next() => checked,
            };
            let Some((place, report)) = checked else {
                reports.sort_by_key(|(place, _)| *place);
                return Ok(reports.into_iter().map(|(_, report)| report).collect());
            };
            (self.observe)(Event::Expectation { report: &report });
            reports.push((place, report));
        }
    }

    /// Keeps the packets and the state of all hosts, where the step ended early or something in it did not
    /// hold that no sabotage was to harm, or where all is kept; looks at the expectations from one on.
    async fn keep(&mut self, first: usize, failed: bool) -> Result<(), StageError> {
        let failed = failed || self.failures(first) > 0;
        if !failed && self.keep == Keep::Failed {
            return Ok(());
        }
        let number = self.report.steps.len();
        self.current().captures = keep::step(self.stage, number).await?;
        if failed {
            let beginning = self.stage.folder.path().join(format!("step-{number}-"));
            let files = beginning.display().to_string();
            (self.observe)(Event::Kept { files: &files });
        }
        Ok(())
    }

    /// How many expectations of the step, from one on, did not hold that no sabotage was to harm.
    fn failures(&mut self, first: usize) -> usize {
        let until = self.until;
        let meant = |name: &str| match until {
            Until::Bite(sabotage) => sabotage.names(name),
            Until::End | Until::Steps(_) => false,
        };
        let reports = self.current().expectations.iter().skip(first);
        reports
            .filter(|report| !report.verdict.passed() && !meant(&report.name))
            .count()
    }

    /// How many steps are played at most.
    fn steps(&self) -> usize {
        match self.until {
            Until::Steps(steps) => steps,
            Until::End | Until::Bite(_) => usize::MAX,
        }
    }

    /// Whether nothing that comes could still matter.
    fn far_enough(&self) -> bool {
        let Until::Bite(sabotage) = self.until else {
            return false;
        };
        let seen = |name: &String| self.report.verdict(name).is_some();
        let mut checked = self.report.expectations();
        sabotage.must_fail.iter().all(seen)
            || checked.any(|report| !report.verdict.passed() && !sabotage.names(&report.name))
    }

    fn current(&mut self) -> &mut StepReport {
        self.report
            .steps
            .last_mut()
            .expect("a step is being played")
    }
}

/// What was done in a step, or the end of the play where it could not be.
fn done<T>(step: &str, outcome: Result<T, StageError>) -> Result<T, End> {
    outcome.map_err(|error| End::ActFailed {
        step: step.to_owned(),
        error: crate::chain(&error),
    })
}

/// The tapes, one for each host.
type Tapes = indexmap::IndexMap<crate::scenario::HostName, Tape>;
