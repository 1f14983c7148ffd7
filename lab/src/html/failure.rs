//! An expectation that did not hold, and why.

use maud::{Markup, html};

use super::hops;
use super::play::Setting;
use super::tables;
use super::words::{Sign, link, time};
use crate::draw::svg;
use crate::report::{Expectation, Explanation, Hop, Role, Step};

pub(super) fn failure(step: &Step, it: &Expectation, setting: &Setting<'_>) -> Markup {
    let sign = Sign::from(it);
    let explanation = it.explanation.as_ref();
    let causes = explanation
        .map(|it| it.causes.as_slice())
        .unwrap_or_default();
    let lines = hops::other_lines(it);
    let is_bad = it.role == Role::MustHold;
    html! {
        details.failure .(sign.class) {
            summary {
                span.line { (sign.badge()) b { (it.name) } span.took { "step " (step.number) ", " (time(it.time.to_ms - it.time.from_ms)) } }
                span.why { (it.why) }
                @if let Some(cause) = causes.first() { span.cause { "likely: " (cause) } }
            }
            div.inside {
                @if causes.len() > 1 {
                    h5 { "What is likely the cause" }
                    ol.causes { @for cause in causes { li { (cause) } } }
                }
                @if !it.hops.is_empty() { (way(&it.hops, is_bad, setting)) }
                @if let Some(explanation) = explanation { (explained(explanation, step, is_bad, setting)) }
                @if !lines.is_empty() {
                    h5 { "What was seen" }
                    pre.evidence tabindex="0" { @for line in &lines { (line) "\n" } }
                }
                @if is_bad { (files(step)) }
            }
        }
    }
}

/// Where the packet went: as a picture, where it matters, and hop by hop.
fn way(hops: &[Hop], with_picture: bool, setting: &Setting<'_>) -> Markup {
    let drawn: Vec<_> = hops.iter().filter_map(hops::drawn).collect();
    html! {
        h5 { "The way of the first packet" }
        @if with_picture {
            figure.picture { div.scroll tabindex="0" role="group" aria-label="The way of the packet, as a picture" { (svg(setting.plan, setting.layout, &drawn)) } }
        }
        div.scroll tabindex="0" role="group" aria-label="The way of the packet, hop by hop" {
            table.hops {
                thead { tr { th { "after" } th { "where" } th { "way" } th { "packet" } } }
                tbody {
                    @for hop in hops {
                        tr { td.number { (format!("{:.2}", hop.after_ms)) " ms" } td { (hop.host) ":" b { (hop.link) } } td { (hops::way(hop)) } td { code { (hop.packet) } } }
                    }
                }
            }
        }
    }
}

fn explained(it: &Explanation, step: &Step, with_tables: bool, setting: &Setting<'_>) -> Markup {
    html! {
        @for walk in &it.walks { (tables::walk(walk, step, with_tables, setting)) }
        @if !it.drops.is_empty() { h5 { "What the kernel dropped when asked again" } }
        ul.counters { @for drop in &it.drops { li { (drop.host) " " b { code { (drop.reason) } } " the " (drop.packet) @if let Some(link) = &drop.link { " on " code { (link) } } } } }
        @for counted in &it.counters {
            h5 { "Counters of " (counted.host) " in this step" }
            @if counted.changes.is_empty() { p.hint { "none for dropped packets moved" } }
            ul.counters { @for change in &counted.changes { li { code { (change.counter) } " " b { @if change.by > 0 { "+" } (change.by) } } } }
        }
        @if let Some(trouble) = &it.trouble { p.hint { "not explained: " (trouble) } }
    }
}

fn files(step: &Step) -> Markup {
    html! {
        @if !step.captures.is_empty() {
            h5 { "Packets of the step" }
            ul.downloads { @for it in &step.captures { li { a href=(link(&it.file)) download { (it.host) ".pcapng" } } } }
        }
    }
}
