//! Which expectations caught a sabotage.

use serde::Serialize;

use super::{Outcome, SabotageOutcome};
use crate::play::{ExpectationReport, Verdict};

/// A sabotage, and what noticed it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Catch {
    /// The scenario's name.
    pub scenario: String,
    /// The sabotage's name.
    pub sabotage: String,
    /// The expectations that failed by it, in the order of the steps.
    pub caught_by: Vec<Caught>,
    /// Why it did not bite; none where it did.
    pub no_bite: Option<String>,
}

/// An expectation that failed by a sabotage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Caught {
    /// Its name.
    pub expectation: String,
    /// What was expected and what was seen instead.
    pub why: String,
    /// What is likely the cause, the likeliest first.
    pub likely: Vec<String>,
}

impl Catch {
    /// One for each sabotage, in the files' order.
    pub fn all(outcomes: &[Outcome]) -> Vec<Self> {
        let each = outcomes.iter().flat_map(|outcome| {
            let sabotages = outcome.sabotages.iter();
            sabotages.map(|sabotage| Self::of(&outcome.name, sabotage))
        });
        each.collect()
    }

    fn of(scenario: &str, sabotage: &SabotageOutcome) -> Self {
        let failed = sabotage.play.expectations().filter_map(Caught::of);
        Self {
            scenario: scenario.to_owned(),
            sabotage: sabotage.name.clone(),
            caught_by: failed.collect(),
            no_bite: sabotage.no_bite.clone(),
        }
    }
}

impl Caught {
    fn of(report: &ExpectationReport) -> Option<Self> {
        let Verdict::Failed {
            why, explanation, ..
        } = &report.verdict
        else {
            return None;
        };
        let likely = explanation.as_ref().map(|it| it.causes.clone());
        Some(Self {
            expectation: report.name.clone(),
            why: why.clone(),
            likely: likely.unwrap_or_default(),
        })
    }
}
