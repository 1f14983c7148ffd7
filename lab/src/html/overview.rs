//! How a run ended, in figures.

use maud::{Markup, html};

use super::words::{count, time};
use crate::report::{OutcomeFile, Run, RunEnd, Totals};

/// The title of the page.
pub(super) fn title(outcome: &OutcomeFile) -> String {
    format!("{} · FPS Lab", verdict(outcome.run.end).1)
}

/// The class of the style for a run's end, and its words.
fn verdict(end: RunEnd) -> (&'static str, &'static str) {
    match end {
        RunEnd::Passed => ("good", "Everything held"),
        RunEnd::Failed => ("bad", "Something failed"),
        RunEnd::NoLab => ("bad", "A lab could not be built"),
        RunEnd::Interrupted => ("odd", "The run was stopped"),
        RunEnd::Unfinished => ("odd", "The run has not ended"),
    }
}

pub(super) fn overview(outcome: &OutcomeFile) -> Markup {
    let OutcomeFile { run, skipped, .. } = outcome;
    let (class, words) = verdict(run.end);
    html! {
        section.overview aria-label="How the run ended" {
            h1 class=(format!("verdict {class}")) { (words) }
            (figures(&run.totals))
            dl.facts {
                div { dt { "took" } dd { (time(run.took_ms)) } }
                div { dt { "started" } dd { (run.started) } }
                div { dt { "kernel" } dd { (run.kernel) } }
                div { dt { "fps-lab" } dd { (run.version) } }
                @if let Some(part) = shard(run) { div { dt { "part" } dd { (part) } } }
                div.wide { dt { "command" } dd { code { (run.command.join(" ")) } } }
            }
            @if !skipped.is_empty() {
                details.skipped {
                    summary { (count(skipped.len(), "scenario was", "scenarios were")) " left out" }
                    ul { @for it in skipped { li { b { (it.name) } ": " (it.why) } } }
                }
            }
        }
    }
}

fn shard(run: &Run) -> Option<String> {
    run.shard.map(|shard| shard.to_string())
}

fn figures(totals: &Totals) -> Markup {
    let figures = [
        ("good", totals.passed, "passed", true),
        ("bad", totals.failed, "failed", true),
        ("odd", totals.unfinished, "unfinished", false),
        ("none", totals.skipped, "skipped", false),
        ("good", totals.bit, "sabotages bit", true),
        ("bad", totals.no_bite, "did not bite", false),
    ];
    html! {
        ul.figures {
            @for (class, number, words, always) in figures {
                @if always || number > 0 {
                    @let class = if number > 0 { class } else { "none" };
                    li class=(class) { b { (number) } " " span { (words) } }
                }
            }
        }
    }
}
