//! `junit.xml`: what came of a run, in the form that CI systems show.
//!
//! A scenario is a suite. Each expectation is a case in it, skipped where it was not reached, and so is each
//! sabotage. What kept a play from its end is an error: a case named `lab` or after the step.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Report, SerializeError, TestCase, TestCaseStatus, TestSuite};

use super::{
    Expectation, OutcomeFile, Place, Play, PlayEnd, Sabotage, Scenario, Skipped, Step, Unreached,
    Verdict,
};

/// The text of `junit.xml`.
///
/// # Errors
/// Where it cannot be written as XML.
pub fn junit(outcome: &OutcomeFile) -> Result<String, SerializeError> {
    let mut report = Report::new("fps-lab");
    report.set_time(time(outcome.run.took_ms));
    report.add_test_suites(outcome.run.why.as_deref().map(of_nothing));
    report.add_test_suites(outcome.scenarios.iter().map(of_scenario));
    report.add_test_suites(outcome.skipped.iter().map(of_skipped));
    report.to_string()
}

/// A run in which nothing was played must not look like one without a failure.
fn of_nothing(why: &str) -> TestSuite {
    let mut suite = TestSuite::new("fps-lab");
    suite.add_test_case(TestCase::new("lab", error("no-lab", why)));
    suite
}

fn of_scenario(scenario: &Scenario) -> TestSuite {
    let mut suite = TestSuite::new(&scenario.name);
    suite.set_time(time(scenario.play.took_ms));
    suite.add_property(("title", &*scenario.title));
    suite.add_property(("file", &*scenario.file));
    if let Some(origin) = &scenario.origin {
        suite.add_property(("origin", &**origin));
    }
    let (file, name) = (&scenario.file, &scenario.name);
    let mut add = |case: TestCase, place: Option<Place>| {
        suite.add_test_case(placed(case, name, file, place));
    };
    for step in &scenario.play.steps {
        for expectation in &step.expectations {
            add(of_expectation(expectation), expectation.place);
        }
    }
    if let Some((case, place)) = of_end(&scenario.play) {
        add(case, place);
    }
    for expectation in &scenario.play.unreached {
        add(of_unreached(expectation), expectation.place);
    }
    for sabotage in &scenario.sabotages {
        add(of_sabotage(sabotage), sabotage.place);
    }
    suite
}

fn of_skipped(skipped: &Skipped) -> TestSuite {
    let mut suite = TestSuite::new(&skipped.name);
    suite.add_property(("title", &*skipped.title));
    suite.add_property(("file", &*skipped.file));
    let case = TestCase::new("scenario", left_out(&skipped.why));
    suite.add_test_case(placed(case, &skipped.name, &skipped.file, None));
    suite
}

fn of_expectation(expectation: &Expectation) -> TestCase {
    let kind = match expectation.verdict {
        Verdict::Held => None,
        Verdict::Failed => Some("failed"),
        Verdict::Inconclusive => Some("inconclusive"),
    };
    let status = kind.map_or_else(TestCaseStatus::success, |kind| {
        failure(kind, &expectation.why, &expectation.details())
    });
    let mut case = TestCase::new(&expectation.name, status);
    let took = expectation.time.to_ms - expectation.time.from_ms;
    case.set_time(time(took));
    case
}

/// What kept a play from its end, and where that stands in the file.
fn of_end(play: &Play) -> Option<(TestCase, Option<Place>)> {
    Some(match &play.end {
        PlayEnd::Played => return None,
        PlayEnd::NotBuilt { why } => (TestCase::new("lab", error("no-lab", why)), None),
        PlayEnd::ActFailed { step, why } => {
            let place = play.steps.iter().find(|it| it.name == *step);
            let case = TestCase::new(format!("step {step}"), error("act-failed", why));
            (case, place.and_then(|step: &Step| step.place))
        }
        PlayEnd::Interrupted => (TestCase::new("play", left_out("it was stopped")), None),
        PlayEnd::NotBegun => (TestCase::new("play", left_out("it was not begun")), None),
    })
}

/// It is there, so that a run has as many cases as another; that it was not reached is told beside what ended the
/// play, which is an error.
fn of_unreached(expectation: &Unreached) -> TestCase {
    let why = format!(
        "not reached: step {} was not played to its end",
        expectation.step
    );
    TestCase::new(&expectation.name, left_out(&why))
}

fn of_sabotage(sabotage: &Sabotage) -> TestCase {
    let why = sabotage.no_bite.as_deref();
    let status = match (&sabotage.play.end, why) {
        (PlayEnd::Interrupted | PlayEnd::NotBegun, why) => left_out(why.unwrap_or_default()),
        (PlayEnd::NotBuilt { why }, _) => error("no-lab", why),
        (_, None) => TestCaseStatus::success(),
        (_, Some(why)) => {
            let unharmed = |it: &&Expectation| it.role == super::Role::MustHold && !it.held();
            let details = sabotage.play.expectations().filter(unharmed);
            let details: Vec<String> = details.flat_map(Expectation::details).collect();
            failure("no-bite", why, &details)
        }
    };
    let mut case = TestCase::new(format!("sabotage: {}", sabotage.name), status);
    case.set_time(time(sabotage.play.took_ms));
    case
}

fn placed(mut case: TestCase, scenario: &str, file: &str, place: Option<Place>) -> TestCase {
    case.set_classname(scenario);
    case.extra.insert("file".into(), file.into());
    if let Some(place) = place {
        case.extra
            .insert("line".into(), place.line.to_string().into());
    }
    case
}

fn failure(kind: &str, why: &str, details: &[String]) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status.set_type(kind).set_message(why);
    if !details.is_empty() {
        status.set_description(details.join("\n"));
    }
    status
}

fn error(kind: &str, why: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
    status.set_type(kind).set_message(why);
    status
}

fn left_out(why: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::skipped();
    status.set_message(why);
    status
}

fn time(ms: f64) -> Duration {
    Duration::try_from_secs_f64(ms / 1e3).unwrap_or_default()
}
