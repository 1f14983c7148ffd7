//! The summary of a step, in Markdown.

use std::fmt::Write;

use super::escape::plain;
use crate::report::{Finding, OutcomeFile, RunEnd, Scenario, ScenarioEnd};

/// How many findings are shown with their details: a summary may have a mebibyte.
const DETAILED: usize = 30;

/// The summary of a run.
pub(super) fn of(outcome: &OutcomeFile) -> String {
    let findings = outcome.findings();
    let mut text = heading(outcome);
    let unwell = |scenario: &&Scenario| scenario.end != ScenarioEnd::Passed;
    if outcome.scenarios.iter().any(|it| unwell(&it)) {
        text +=
            "| Scenario | Result | Expectations held | Sabotages that bit |\n|---|---|---|---|\n";
        for scenario in outcome.scenarios.iter().filter(unwell) {
            text += &row(scenario);
        }
        text += "\n";
    }
    if let Some(why) = &outcome.run.why {
        writeln!(text, "{}\n", cell(why)).expect("a String grows");
    }
    for finding in findings.iter().take(DETAILED) {
        text += &detail(finding);
    }
    if let Some(more @ 1..) = findings.len().checked_sub(DETAILED) {
        write!(text, "{more} more are in `outcome.json`.\n\n").expect("a String grows");
    }
    for skipped in &outcome.skipped {
        let (name, why) = (cell(&skipped.name), cell(&skipped.why));
        writeln!(text, "- Skipped: {name}: {why}").expect("a String grows");
    }
    text
}

fn heading(outcome: &OutcomeFile) -> String {
    let run = &outcome.run;
    let end = match run.end {
        RunEnd::Passed => "passed",
        RunEnd::Failed => "FAILED",
        RunEnd::NoLab => "no lab",
        RunEnd::Interrupted => "interrupted",
        RunEnd::Unfinished => "unfinished",
    };
    let shard = run
        .shard
        .map_or_else(String::new, |shard| format!(", shard {shard}"));
    let totals = &run.totals;
    let mut counts = format!(
        "scenarios: {} passed, {} failed",
        totals.passed, totals.failed
    );
    for (count, what) in [
        (totals.unfinished, "unfinished"),
        (totals.skipped, "skipped"),
    ] {
        if count > 0 {
            write!(counts, ", {count} {what}").expect("a String grows");
        }
    }
    format!(
        "### fps-lab: {end}{shard}\n\n{counts}; sabotages: {} bit, {} did not; {:.1} s; kernel {}\n\n",
        totals.bit,
        totals.no_bite,
        run.took_ms / 1e3,
        cell(&run.kernel),
    )
}

fn row(scenario: &Scenario) -> String {
    let result = match scenario.end {
        ScenarioEnd::Passed => "passed",
        ScenarioEnd::Failed => "FAILED",
        ScenarioEnd::NoLab => "no lab",
        ScenarioEnd::Unfinished => "unfinished",
    };
    let checked = scenario.play.expectations();
    let held = checked.filter(|it| it.held()).count();
    let bit = scenario.sabotages.iter().filter(|it| it.bit).count();
    format!(
        "| {} | {result} | {held} of {} | {bit} of {} |\n",
        cell(&scenario.name),
        scenario.play.expectations().count(),
        scenario.sabotages.len(),
    )
}

fn detail(finding: &Finding<'_>) -> String {
    let place = finding
        .place
        .map_or_else(String::new, |it| format!(":{}", it.line));
    let file = cell(&finding.scenario.file);
    let lines: String = std::iter::once(finding.why)
        .chain(finding.details.iter().map(String::as_str))
        .map(|line| format!("    {}\n", plain(line)))
        .collect();
    format!("**{}** ({file}{place})\n\n{lines}\n", cell(&finding.title))
}

/// A text within a line of Markdown or a cell of a table, as it is.
fn cell(text: &str) -> String {
    let mut escaped = String::new();
    for letter in plain(text).chars() {
        match letter {
            '\n' | '\r' => escaped.push(' '),
            '\\' | '|' | '*' | '_' | '`' | '[' | ']' | '<' | '>' | '#' | '~' => {
                escaped.push('\\');
                escaped.push(letter);
            }
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_no_markup() {
        assert_eq!(cell("a | *b*\n<c>"), "a \\| \\*b\\* \\<c\\>");
    }
}
