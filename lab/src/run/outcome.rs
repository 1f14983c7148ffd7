//! What came of each file.

use std::sync::mpsc;

use super::job::Done;
use crate::play::{End, Report, Verdict};
use crate::scenario::{Sabotage, ScenarioFile};

/// What came of one file.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The scenario's name.
    pub name: String,
    /// Its play.
    pub play: Report,
    /// Its sabotages, in the file's order.
    pub sabotages: Vec<SabotageOutcome>,
}

/// What came of one sabotage.
#[derive(Clone, Debug)]
pub struct SabotageOutcome {
    /// Its name.
    pub name: String,
    /// Its play.
    pub play: Report,
    /// Why it did not bite; none where it did.
    pub no_bite: Option<String>,
}

impl Outcome {
    /// Whether everything held and every sabotage bit.
    pub fn passed(&self) -> bool {
        self.play.passed()
            && self
                .sabotages
                .iter()
                .all(|sabotage| sabotage.no_bite.is_none())
    }

    /// Why no lab could be built for one of the plays; none where all were.
    pub fn not_built(&self) -> Option<&str> {
        let sabotages = self.sabotages.iter().map(|sabotage| &sabotage.play);
        std::iter::once(&self.play)
            .chain(sabotages)
            .find_map(|report| match &report.end {
                End::NotBuilt(why) => Some(why.as_str()),
                _ => None,
            })
    }
}

/// What a run adds up to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Scenarios in which everything held.
    pub passed: usize,
    /// Scenarios in which something did not.
    pub failed: usize,
    /// Sabotages that bit.
    pub bit: usize,
    /// Sabotages that did not.
    pub harmless: usize,
}

impl Counts {
    /// Adds the outcomes up.
    pub fn of(outcomes: &[Outcome]) -> Self {
        let mut counts = Self::default();
        for outcome in outcomes {
            let passed = outcome.play.passed();
            counts.passed += usize::from(passed);
            counts.failed += usize::from(!passed);
            for sabotage in &outcome.sabotages {
                let bit = sabotage.no_bite.is_none();
                counts.bit += usize::from(bit);
                counts.harmless += usize::from(!bit);
            }
        }
        counts
    }
}

/// Whether a sabotage bit: the lab was built, every act done, each expectation that must fail did,
/// and every other that was checked held, save those that may fail.
pub(super) fn bite(report: &Report, sabotage: &Sabotage) -> Result<(), String> {
    match &report.end {
        End::Played => {}
        End::NotBuilt(error) => return Err(format!("the lab was not built: {error}")),
        End::ActFailed { step, error } => return Err(format!("{step} could not be done: {error}")),
        End::Interrupted => return Err("it was stopped".to_owned()),
        End::NotBegun => return Err("it was not played".to_owned()),
    }
    for other in report.expectations() {
        if !other.verdict.passed() && !sabotage.names(&other.name) {
            return Err(format!(
                "`{}` did not hold either; if it belongs to the damage, name it in `must-fail` \
                 or `may-fail`",
                other.name
            ));
        }
    }
    for name in &sabotage.must_fail {
        match report.verdict(name) {
            Some(Verdict::Failed { .. }) => {}
            Some(Verdict::Held(_)) => return Err(format!("`{name}` held all the same")),
            Some(Verdict::Inconclusive(why)) => {
                return Err(format!("`{name}` could not be told: {why}"));
            }
            None => return Err(format!("`{name}` was never checked")),
        }
    }
    Ok(())
}

/// What fails in the unharmed scenario proves nothing by failing in a harmed one.
fn fails_anyway(play: &Report, sabotage: &Sabotage) -> Option<String> {
    let held = |name: &&String| play.verdict(name).is_some_and(Verdict::passed);
    let name = sabotage.must_fail.iter().find(|name| !held(name))?;
    Some(format!(
        "`{name}` does not hold without the sabotage either"
    ))
}

/// Puts the plays together, in the files' order.
pub(super) fn gather(
    files: &[ScenarioFile],
    sabotages: bool,
    done: mpsc::Receiver<Done>,
) -> Vec<Outcome> {
    let mut outcomes = unplayed(files, sabotages);
    for Done {
        file,
        sabotage,
        report,
    } in done
    {
        match sabotage {
            None => outcomes[file].play = report,
            Some(number) => {
                let no_bite = bite(&report, &files[file].sabotages[number]).err();
                let outcome = &mut outcomes[file].sabotages[number];
                outcome.play = report;
                outcome.no_bite = no_bite;
            }
        }
    }
    for (outcome, file) in outcomes.iter_mut().zip(files) {
        for (sabotaged, sabotage) in outcome.sabotages.iter_mut().zip(&file.sabotages) {
            if sabotaged.no_bite.is_none() {
                sabotaged.no_bite = fails_anyway(&outcome.play, sabotage);
            }
        }
    }
    outcomes
}

/// What comes of files of which nothing is played, with or without their sabotages.
pub fn unplayed(files: &[ScenarioFile], sabotages: bool) -> Vec<Outcome> {
    let of_file = |file| unplayed_file(file, sabotages);
    files.iter().map(of_file).collect()
}

fn unplayed_file(file: &ScenarioFile, sabotages: bool) -> Outcome {
    let sabotages = file
        .sabotages
        .iter()
        .filter(|_| sabotages)
        .map(|sabotage| SabotageOutcome {
            name: sabotage.name.clone(),
            play: Report::default(),
            no_bite: Some("it was not played".to_owned()),
        });
    Outcome {
        name: file.name.clone(),
        play: Report::default(),
        sabotages: sabotages.collect(),
    }
}
