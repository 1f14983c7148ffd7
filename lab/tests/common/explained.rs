//! The explanations of a scenario's sabotages, held against the texts that are in the repository.
//!
//! Each file in `tests/explanations/` has, for every sabotage of one scenario and every expectation
//! that must fail by it, how the hosts decided and what is likely the cause. `FPS_LAB_BLESS=1` writes
//! what comes of a run in their place, to be read before it is committed.

use std::env;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use fps_lab::play::Verdict;
use fps_lab::run::Outcome;
use fps_lab::scenario::ScenarioFile;

/// What a failure may print: more than a screen is read by nobody.
const SCREEN: usize = 40;

/// Fails where a sabotage is not explained as it was.
#[track_caller]
pub(crate) fn check(scenario: &Path, file: &ScenarioFile, outcome: &Outcome) {
    let (text, path) = (texts(file, outcome), golden(scenario));
    if env::var_os("FPS_LAB_BLESS").is_some() {
        fs::create_dir_all(path.parent().expect("a folder")).expect("make the folder");
        fs::write(&path, text).expect("write the explanations");
        return;
    }
    let wanted = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        text == wanted,
        "the sabotages of {} are explained in other words than in {}; if these are better, write \
         them there with FPS_LAB_BLESS=1:\n{}",
        scenario.display(),
        path.display(),
        difference(&wanted, &text)
    );
}

fn golden(scenario: &Path) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let scenarios = root.join("../scenarios");
    let scenarios = scenarios.canonicalize().expect("the scenarios");
    let scenario = scenario.canonicalize().expect("the scenario");
    let below = scenario.strip_prefix(scenarios).expect("one of them");
    root.join("tests/explanations")
        .join(below)
        .with_extension("txt")
}

fn texts(file: &ScenarioFile, outcome: &Outcome) -> String {
    let mut text = String::new();
    for (sabotage, played) in file.sabotages.iter().zip(&outcome.sabotages) {
        for name in &sabotage.must_fail {
            let verdict = played.play.verdict(name);
            let Some(Verdict::Failed {
                evidence,
                explanation,
                ..
            }) = verdict
            else {
                panic!("{name} is no failure, though `{}` bit", sabotage.name)
            };
            let lines = explanation.as_ref().map_or(0, |it| it.lines().len());
            let printed = 1 + evidence.len() + lines;
            assert!(
                printed < SCREEN,
                "{name} fails with {printed} lines: {verdict:#?}"
            );
            let Some(explanation) = explanation else {
                continue;
            };
            assert_eq!(explanation.trouble, None, "{name} could not be explained");
            let reasons = explanation.reasons().into_iter().map(without_source);
            let reasons = reasons.collect::<Vec<_>>().join("\n    ");
            writeln!(text, "{}\n  {name}\n    {reasons}\n", sabotage.name)
                .expect("a string takes all");
        }
    }
    text
}

/// Of several connections that a client tries one after the other, any may be seen.
fn without_source(line: String) -> String {
    let Some((packet, rest)) = line
        .split_once(" from ")
        .filter(|(it, _)| it.contains("decides about"))
    else {
        return line;
    };
    let rest = rest.split_once(' ').map_or("", |(_, rest)| rest);
    format!("{packet} {rest}")
}

/// The lines that only one of the two has.
fn difference(wanted: &str, found: &str) -> String {
    let only = |sign: &str, these: &str, others: &str| {
        let lines = these
            .lines()
            .filter(|line| !others.lines().any(|other| other == *line));
        lines
            .map(|line| format!("{sign} {line}\n"))
            .collect::<String>()
    };
    let (gone, new) = (only("-", wanted, found), only("+", found, wanted));
    match gone.is_empty() && new.is_empty() {
        true => format!("the same lines in another order:\n{found}"),
        false => gone + &new,
    }
}
