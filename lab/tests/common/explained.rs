//! The explanations of a scenario's sabotages, held against the texts that are in the repository.
//!
//! Each file in `tests/explanations/` has, for every sabotage of one scenario and every expectation
//! that must fail by it, how the hosts decided and what is likely the cause. Where it depends on the
//! moment which packet is the first to go astray there are several such texts, which are examples:
//! nobody can say that there is not one more. Where there is one, what comes of a run must agree with
//! it in what decided or in a likely cause; with `FPS_LAB_EXPLANATIONS=strict` all must be as they are
//! there. `FPS_LAB_BLESS=1` adds what comes of a run, to be read before it is committed.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use fps_lab::play::Verdict;
use fps_lab::run::Outcome;
use fps_lab::scenario::ScenarioFile;

/// What a failure may print: more than a screen is read by nobody.
const SCREEN: usize = 40;

/// Fails where a sabotage is explained in words that are not there, or one is there that is gone.
#[track_caller]
pub(crate) fn check(scenario: &Path, file: &ScenarioFile, outcome: &Outcome) {
    let (found, path) = (texts(file, outcome), golden(scenario));
    let untargeted = untargeted(file, outcome);
    let known = fs::read_to_string(&path).unwrap_or_default();
    let known: Vec<Text> = known.split_terminator("\n\n").map(Text::read).collect();
    let stale =
        |text: &&Text| found.iter().all(|it| it.of != text.of) && !untargeted.contains(&text.of);
    if env::var_os("FPS_LAB_BLESS").is_some() {
        let fresh = known.iter().filter(|text| !stale(text));
        let mut all: Vec<&Text> = fresh.chain(&found).collect();
        all.sort();
        all.dedup();
        let all: String = all
            .iter()
            .map(|it| format!("{}\n{}\n\n", it.of, it.reasons))
            .collect();
        fs::create_dir_all(path.parent().expect("a folder")).expect("make the folder");
        fs::write(&path, all).expect("write the explanations");
        return;
    }
    let strict = env::var("FPS_LAB_EXPLANATIONS").is_ok_and(|how| how == "strict");
    let new = found.iter().find(|text| match strict {
        true => !known.contains(text),
        false => {
            let examples: Vec<&Text> = known.iter().filter(|it| it.of == text.of).collect();
            examples.len() < 2 && !examples.iter().any(|it| it.agrees_with(text))
        }
    });
    if let Some(Text { of, reasons }) = new.or_else(|| known.iter().find(stale)) {
        panic!(
            "{} and {} do not agree on:\n{of}\n{reasons}\nif it is better as it is now, write it \
             there with FPS_LAB_BLESS=1, and read it",
            scenario.display(),
            path.display(),
        );
    }
}

/// How one failure is explained.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Text {
    /// The sabotage, and the expectation that failed by it.
    of: String,
    /// The explanation.
    reasons: String,
}

impl Text {
    fn read(text: &str) -> Self {
        let of = text.lines().take(2).collect::<Vec<_>>().join("\n");
        let reasons = text.lines().skip(2).collect::<Vec<_>>().join("\n");
        Self { of, reasons }
    }

    /// Whether both say the same of what decided or of what is likely the cause. Beside that a text may
    /// have more: what changes within a step is looked at when the step is over.
    fn agrees_with(&self, other: &Self) -> bool {
        let telling = |line: &&str| {
            let line = line.trim_start();
            line.starts_with("=>") || line.starts_with("likely:")
        };
        let mut mine = self.reasons.lines().filter(telling);
        mine.any(|line| other.reasons.lines().any(|it| it == line))
    }
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

fn texts(file: &ScenarioFile, outcome: &Outcome) -> Vec<Text> {
    let mut texts = Vec::new();
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
            let reasons = explanation.reasons().into_iter();
            let reasons = reasons.map(without_source).map(without_count);
            let reasons: Vec<_> = reasons.map(|line| format!("    {line}")).collect();
            texts.push(Text {
                of: of(&sabotage.name, name),
                reasons: reasons.join("\n"),
            });
        }
    }
    texts
}

/// The failures that need no explanation: by the time of the question its target has lost its address, as
/// with a lease that is over, and the failure says so.
fn untargeted(file: &ScenarioFile, outcome: &Outcome) -> Vec<String> {
    let mut all = Vec::new();
    for (sabotage, played) in file.sabotages.iter().zip(&outcome.sabotages) {
        for name in &sabotage.must_fail {
            if let Some(Verdict::Failed {
                why,
                explanation: None,
                ..
            }) = played.play.verdict(name)
                && why.ends_with("has no address")
            {
                all.push(of(&sabotage.name, name));
            }
        }
    }
    all
}

fn of(sabotage: &str, name: &str) -> String {
    format!("{sabotage}\n  {name}")
}

/// How many rules others have set by then depends on the moment.
fn without_count(line: String) -> String {
    let left_out = line
        .trim_start()
        .strip_prefix('(')
        .and_then(|rest| rest.split_once(' '));
    match left_out {
        Some((count, rest)) if count.parse::<u32>().is_ok() => format!("   (some {rest}"),
        _ => line,
    }
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
