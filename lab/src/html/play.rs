//! One play: when what happened, what failed, and its files.

use maud::{Markup, html};

use super::beside::Beside;
use super::words::{Sign, link};
use super::{failure, timeline};
use crate::draw::{Layout, Plan};
use crate::report::{Play, PlayEnd};

/// What the plays of a scenario have in common.
pub(super) struct Setting<'a> {
    pub(super) plan: &'a Plan,
    pub(super) layout: &'a Layout,
    pub(super) beside: &'a Beside,
}

pub(super) fn play(it: &Play, setting: &Setting<'_>) -> Markup {
    if it.end == PlayEnd::NotBegun {
        return html! { p.hint { "It was not played." } };
    }
    let failures = it.steps.iter().flat_map(|step| {
        let bad = step
            .expectations
            .iter()
            .filter(|it| Sign::from(*it).word != "held");
        bad.map(move |it| (step, it))
    });
    html! {
        @if let Some((what, why)) = end(&it.end) { p.ended { b { (what) } ": " (why) } }
        @if !it.unreached.is_empty() {
            p.hint { "Never checked: " (it.unreached.iter().map(|it| &*it.name).collect::<Vec<_>>().join(", ")) "." }
        }
        @for (step, expectation) in failures { (failure::failure(step, expectation, setting)) }
        (timeline::timeline(it, setting))
        (files(it))
    }
}

/// Why a play did not come to its end: what, and why.
pub(super) fn end(end: &PlayEnd) -> Option<(&'static str, String)> {
    match end {
        PlayEnd::Played | PlayEnd::NotBegun => None,
        PlayEnd::NotBuilt { why } => Some(("The lab could not be built", why.clone())),
        PlayEnd::ActFailed { step, why } => Some(("It ended early", format!("in {step}: {why}"))),
        PlayEnd::Interrupted => Some(("It ended early", "somebody stopped it".to_owned())),
    }
}

/// The files that the play has left, for download.
fn files(it: &Play) -> Markup {
    let logs = || it.logs.iter();
    let captures = || {
        it.steps
            .iter()
            .flat_map(|step| step.captures.iter().map(move |it| (step, it)))
    };
    let states = || {
        it.steps.iter().flat_map(|step| {
            let changed = step.snapshots.iter().filter(|it| it.before != it.after);
            changed.map(move |it| (step, it))
        })
    };
    if it.timeline.is_none() && logs().next().is_none() {
        return html! {};
    }
    html! {
        details.files {
            summary { "Files" }
            @if logs().next().is_some() {
                h5 { "What programs printed" }
                ul { @for log in logs() { li { a href=(link(&log.file)) { (log.program) } " on " (log.host) } } }
            }
            @if captures().next().is_some() {
                h5 { "Packets" }
                ul { @for (step, it) in captures() { li { a href=(link(&it.file)) download { (it.host) ".pcapng" } " of step " (step.number) } } }
            }
            @if states().next().is_some() {
                h5 { "The network of hosts, where a step has changed it" }
                ul {
                    @for (step, it) in states() {
                        li {
                            (it.host) ", step " (step.number) ": "
                            @if let Some(file) = &it.before { a href=(link(file)) { "before" } " " }
                            @if let Some(file) = &it.after { a href=(link(file)) { "after" } }
                        }
                    }
                }
            }
            @if let Some(timeline) = &it.timeline { p { a href=(link(timeline)) { "Every event, as it came" } } }
        }
    }
}
