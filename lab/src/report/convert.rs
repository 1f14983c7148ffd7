//! From what a run knows to what it tells.

use super::{
    Act, Capture, Expectation, Explanation, Gap, Hop, Log, Place, Play, PlayEnd, Role, Sabotage,
    Scenario, ScenarioEnd, Snapshots, Step, Time, Topology, Unreached, Verdict, ms,
};
use crate::play::{
    self, ActReport, End, ExpectationReport, GapReport, KeptFile, Report, StateReport, StepReport,
};
use crate::run::{Outcome, play_folder};
use crate::scenario::{self, Places, ScenarioFile};

/// The file of a play's events, in its folder.
pub const TIMELINE: &str = "timeline.jsonl";

impl Scenario {
    /// What came of a file.
    pub fn of(file: &ScenarioFile, outcome: &Outcome) -> Self {
        let sabotages = outcome.sabotages.iter().zip(&file.sabotages).enumerate();
        let sabotages = sabotages.map(|(number, (sabotaged, sabotage))| Sabotage {
            name: sabotage.name.clone(),
            place: file.places.sabotages.get(&sabotage.name).copied(),
            must_fail: sabotage.must_fail.clone(),
            may_fail: sabotage.may_fail.clone(),
            bit: sabotaged.no_bite.is_none(),
            no_bite: sabotaged.no_bite.clone(),
            play: Play::of(file, Some((number, sabotage)), &sabotaged.play),
        });
        Self {
            name: file.name.clone(),
            title: file.scenario.title.clone(),
            origin: file.scenario.origin.clone(),
            file: file.path.display().to_string(),
            end: ScenarioEnd::of(outcome),
            topology: Topology::from(&file.scenario),
            play: Play::of(file, None, &outcome.play),
            sabotages: sabotages.collect(),
        }
    }
}

impl ScenarioEnd {
    fn of(outcome: &Outcome) -> Self {
        let plays = || {
            let sabotages = outcome.sabotages.iter().map(|sabotage| &sabotage.play);
            std::iter::once(&outcome.play).chain(sabotages)
        };
        let stopped = |play: &Report| matches!(play.end, End::Interrupted | End::NotBegun);
        let failed = |play: &Report| matches!(play.end, End::ActFailed { .. });
        let of_play = &outcome.play;
        let unheld = of_play.expectations().any(|it| !it.verdict.passed());
        let harmless = outcome.sabotages.iter();
        let harmless = harmless.filter(|it| !stopped(&it.play) && !stopped(of_play));
        if outcome.passed() {
            Self::Passed
        } else if outcome.not_built().is_some() {
            Self::NoLab
        } else if unheld || failed(of_play) || harmless.clone().any(|it| it.no_bite.is_some()) {
            Self::Failed
        } else if plays().any(stopped) {
            Self::Unfinished
        } else {
            Self::Failed
        }
    }
}

impl Play {
    /// What came of a play of a file, or of one of its sabotages, with its number from 0.
    pub fn of(
        file: &ScenarioFile,
        sabotage: Option<(usize, &scenario::Sabotage)>,
        report: &Report,
    ) -> Self {
        let folder = play_folder(&file.name, sabotage.map(|(number, _)| number));
        let context = Context {
            folder: &folder,
            places: &file.places,
            sabotage: sabotage.map(|(_, sabotage)| sabotage),
        };
        let steps = report.steps.iter().enumerate();
        let begun = report.end != End::NotBegun;
        Self {
            end: PlayEnd::from(&report.end),
            took_ms: ms(report.took),
            built: report
                .built
                .map(|took| Time::of(std::time::Duration::ZERO, took)),
            tunnel: report.tunnel.map(|(began, took)| Time::of(began, took)),
            steps: steps
                .map(|(index, step)| context.step(index + 1, step))
                .collect(),
            unreached: match sabotage {
                None => unreached(file, report),
                Some(_) => Vec::new(),
            },
            timeline: begun.then(|| context.in_folder(TIMELINE)),
            logs: report.logs.iter().map(|it| context.log(it)).collect(),
            folder,
        }
    }
}

/// What a play has never checked.
fn unreached(file: &ScenarioFile, report: &Report) -> Vec<Unreached> {
    let steps = file.scenario.steps.iter();
    let all = steps.flat_map(|step| step.expect.iter().map(move |it| (step, it)));
    let left = all.filter(|(_, it)| report.verdict(&it.name).is_none());
    let told = left.map(|(step, it)| Unreached {
        step: step.name.clone(),
        name: it.name.clone(),
        kind: it.check.kind().to_owned(),
        place: file.places.expectations.get(&it.name).copied(),
    });
    told.collect()
}

impl From<&End> for PlayEnd {
    fn from(end: &End) -> Self {
        match end {
            End::Played => Self::Played,
            End::NotBuilt(why) => Self::NotBuilt { why: why.clone() },
            End::ActFailed { step, error } => Self::ActFailed {
                step: step.clone(),
                why: error.clone(),
            },
            End::Interrupted => Self::Interrupted,
            End::NotBegun => Self::NotBegun,
        }
    }
}

/// What a play's parts are told with.
struct Context<'a> {
    folder: &'a str,
    places: &'a Places,
    sabotage: Option<&'a scenario::Sabotage>,
}

impl Context<'_> {
    fn in_folder(&self, file: &str) -> String {
        format!("{}/{file}", self.folder)
    }

    /// A log by its name in the play's folder: `HOST.PROGRAM.log`. A host's name has no dot.
    fn log(&self, file: &str) -> Log {
        let name = file.strip_suffix(".log").unwrap_or(file);
        let (host, program) = name.split_once('.').unwrap_or((name, ""));
        Log {
            host: host.to_owned(),
            program: program.to_owned(),
            file: self.in_folder(file),
        }
    }

    fn step(&self, number: usize, step: &StepReport) -> Step {
        let expectations = step.expectations.iter();
        let captures = step.captures.iter().map(|KeptFile { host, file }| Capture {
            host: host.clone(),
            file: self.in_folder(file),
        });
        Step {
            number,
            name: step.name.clone(),
            place: self.places.steps.get(&step.name).copied(),
            time: Time::of(step.began, step.took),
            acts: step.acts.iter().map(Act::from).collect(),
            expectations: expectations.map(|it| self.expectation(it)).collect(),
            snapshots: step.states.iter().map(|it| self.state(it)).collect(),
            captures: captures.collect(),
        }
    }

    fn state(&self, state: &StateReport) -> Snapshots {
        let file = |file: &Option<String>| file.as_ref().map(|file| self.in_folder(file));
        Snapshots {
            host: state.host.clone(),
            before: file(&state.before),
            after: file(&state.after),
        }
    }

    fn expectation(&self, report: &ExpectationReport) -> Expectation {
        let (evidence, explanation) = match &report.verdict {
            play::Verdict::Failed {
                evidence,
                explanation,
                ..
            } => (evidence.as_slice(), explanation.as_deref()),
            play::Verdict::Held(_) | play::Verdict::Inconclusive(_) => (&[][..], None),
        };
        Expectation {
            name: report.name.clone(),
            kind: report.kind.to_owned(),
            place: self.place(&report.name),
            time: Time::of(report.began, report.ended.saturating_sub(report.began)),
            role: self.role(&report.name),
            verdict: (&report.verdict).into(),
            why: report.verdict.line().to_owned(),
            evidence: evidence.iter().map(ToString::to_string).collect(),
            hops: Hop::all(evidence),
            explanation: explanation.map(Explanation::from),
            gaps: report.gaps.iter().map(Gap::from).collect(),
        }
    }

    fn place(&self, expectation: &str) -> Option<Place> {
        self.places.expectations.get(expectation).copied()
    }

    fn role(&self, expectation: &str) -> Role {
        match self.sabotage {
            Some(it) if it.must_fail.iter().any(|name| name == expectation) => Role::MustFail,
            Some(it) if it.names(expectation) => Role::MayFail,
            _ => Role::MustHold,
        }
    }
}

impl From<&play::Verdict> for Verdict {
    fn from(verdict: &play::Verdict) -> Self {
        match verdict {
            play::Verdict::Held(_) => Self::Held,
            play::Verdict::Failed { .. } => Self::Failed,
            play::Verdict::Inconclusive(_) => Self::Inconclusive,
        }
    }
}

impl From<&ActReport> for Act {
    fn from(report: &ActReport) -> Self {
        Self {
            act: report.act.clone(),
            time: Time::of(report.began, report.took),
            error: report.error.clone(),
        }
    }
}

impl From<&GapReport> for Gap {
    fn from(gap: &GapReport) -> Self {
        Self {
            time: Time::of(gap.began, gap.length),
            over: gap.over,
            late_ms: ms(gap.late),
        }
    }
}
