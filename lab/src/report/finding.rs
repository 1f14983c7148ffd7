//! What is wrong, and where in the scenario's file.

use super::{Expectation, OutcomeFile, Place, Play, PlayEnd, Role, Scenario};

/// One thing for which a run does not pass.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding<'a> {
    /// The scenario.
    pub scenario: &'a Scenario,
    /// Where it stands in the scenario's file; none of what is about all of it.
    pub place: Option<Place>,
    /// What it is about, in a few words.
    pub title: String,
    /// What is wrong, in one line.
    pub why: &'a str,
    /// What shows and explains it, line by line.
    pub details: Vec<String>,
}

impl OutcomeFile {
    /// All that is wrong, in the order of the files. That somebody stopped the run is nothing wrong.
    pub fn findings(&self) -> Vec<Finding<'_>> {
        self.scenarios.iter().flat_map(Finding::of).collect()
    }
}

impl<'a> Finding<'a> {
    fn of(scenario: &'a Scenario) -> Vec<Self> {
        let finding = |place, title, why, details| Self {
            scenario,
            place,
            title,
            why,
            details,
        };
        let name = &scenario.name;
        let mut found: Vec<Self> = unheld(&scenario.play)
            .map(|it| {
                let title = format!("{name}: {}", it.name);
                finding(it.place, title, &it.why, it.details())
            })
            .collect();
        match &scenario.play.end {
            PlayEnd::NotBuilt { why } => {
                found.push(finding(None, format!("{name}: no lab"), why, Vec::new()));
                // The sabotages have none either, for the same reason.
                return found;
            }
            PlayEnd::ActFailed { step, why } => {
                let place = scenario.play.steps.iter().find(|it| it.name == *step);
                let place = place.and_then(|it| it.place);
                found.push(finding(place, format!("{name}: {step}"), why, Vec::new()));
            }
            PlayEnd::Played | PlayEnd::Interrupted | PlayEnd::NotBegun => {}
        }
        for sabotage in &scenario.sabotages {
            let stopped = matches!(sabotage.play.end, PlayEnd::Interrupted | PlayEnd::NotBegun);
            if let Some(why) = sabotage.no_bite.as_deref().filter(|_| !stopped) {
                let details = unheld(&sabotage.play).flat_map(Expectation::details);
                let title = format!("{name}: sabotage: {}", sabotage.name);
                found.push(finding(sabotage.place, title, why, details.collect()));
            }
        }
        found
    }
}

/// What should have held and did not.
fn unheld(play: &Play) -> impl Iterator<Item = &Expectation> {
    let expectations = play.expectations();
    expectations.filter(|it| it.role == Role::MustHold && !it.held())
}
