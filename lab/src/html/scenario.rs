//! The scenarios, each with its sabotages: those that failed first.

use maud::{Markup, html};

use super::beside::Beside;
use super::play::{self, Setting};
use super::words::{Sign, anchor, count, time};
use crate::draw::{Layout, Plan, svg};
use crate::report::{OutcomeFile, Sabotage, Scenario, ScenarioEnd};

pub(super) fn list(outcome: &OutcomeFile, beside: &Beside) -> Markup {
    use ScenarioEnd::{Failed, NoLab, Passed, Unfinished};
    let groups: [(&str, &[ScenarioEnd]); 3] = [
        ("What failed", &[Failed, NoLab]),
        ("What was not played to its end", &[Unfinished]),
        ("What passed", &[Passed]),
    ];
    let groups = groups.map(|(title, ends)| {
        let all = outcome.scenarios.iter();
        let its: Vec<&Scenario> = all.filter(|it| ends.contains(&it.end)).collect();
        (title, its)
    });
    // A reader who comes for one failure finds it open.
    let alone = groups[0].1.len() == 1;
    html! {
        section #filter .filter hidden aria-label="Filter" {
            input #words type="search" placeholder="Filter: name, title, host, cause …" aria-label="Filter scenarios";
            button type="button" .plain data-open="all" { "Open all" }
            button type="button" .plain data-open="none" { "Close all" }
            span #shown aria-live="polite" {}
        }
        @for (number, (title, its)) in groups.iter().enumerate() {
            @if !its.is_empty() {
                section.scenarios aria-label=(title) {
                    h2 { (title) }
                    @for it in its { (scenario(it, beside, number == 0 && alone)) }
                }
            }
        }
    }
}

fn scenario(it: &Scenario, beside: &Beside, open: bool) -> Markup {
    let sign = Sign::from(it.end);
    let plan = Plan::of(&it.title, &it.topology);
    let layout = Layout::of(&plan);
    let setting = Setting {
        plan: &plan,
        layout: &layout,
        beside,
    };
    html! {
        details.scenario #(anchor(&it.name)) .(sign.class) open[open] data-words=(words(it)) {
            summary {
                span.line {
                    (sign.badge())
                    h3 { (it.name) }
                    span.pips aria-label=(pips(it)) { @for sabotage in &it.sabotages { (pip(sabotage)) } }
                    span.took { (time(it.play.took_ms)) }
                }
                span.title { (it.title) }
                @for failure in failures(it) { span.why { (failure) } }
            }
            div.inside {
                p.origin {
                    code { (it.file) }
                    @if let Some(origin) = &it.origin { " · " (origin) }
                }
                figure.picture { div.scroll tabindex="0" role="group" aria-label="The lab, as a picture" { (svg(&plan, &layout, &[])) } (key(&plan)) }
                (play::play(&it.play, &setting))
                @if !it.sabotages.is_empty() {
                    h4 { "Sabotages" }
                    p.hint { "Each breaks the scenario in one way, and names the expectations that must then fail." }
                    @for (number, sabotage) in it.sabotages.iter().enumerate() {
                        (sabotaged(&format!("{}-{}", anchor(&it.name), number + 1), sabotage, &setting))
                    }
                }
            }
        }
    }
}

/// What the colours of the picture mean.
fn key(plan: &Plan) -> Markup {
    let links = || plan.hosts.iter().flat_map(|host| &host.links);
    html! {
        figcaption.key {
            @if plan.tunnel.is_some() { span.tunnel { "the tunnel" } }
            @if links().any(|link| link.carries) { span.carrier { "by which its packets go at first" } }
            @if links().any(|link| link.later) { span.roams { "where a host roams to" } }
        }
    }
}

fn sabotaged(id: &str, it: &Sabotage, setting: &Setting<'_>) -> Markup {
    let sign = match it.bit {
        true => Sign::new("good", "bit"),
        false => Sign::new("bad", "no bite"),
    };
    html! {
        details.sabotage #(id) .(sign.class) {
            summary {
                span.line { (sign.badge()) b { (it.name) } span.took { (time(it.play.took_ms)) } }
                @if let Some(why) = &it.no_bite { span.why { (why) } }
            }
            div.inside {
                p.origin { "must fail: " (it.must_fail.join(", ")) @if !it.may_fail.is_empty() { " · may fail: " (it.may_fail.join(", ")) } }
                (play::play(&it.play, setting))
            }
        }
    }
}

fn pip(sabotage: &Sabotage) -> Markup {
    let class = if sabotage.bit { "good" } else { "bad" };
    html! { i class=(class) title=(sabotage.name) {} }
}

fn pips(it: &Scenario) -> String {
    let bit = it.sabotages.iter().filter(|it| it.bit).count();
    format!(
        "{bit} of {} bit",
        count(it.sabotages.len(), "sabotage", "sabotages")
    )
}

/// What did not go as it should, each in a line.
fn failures(it: &Scenario) -> Vec<String> {
    let bad = it
        .play
        .expectations()
        .filter(|it| Sign::from(*it).class == "bad");
    let mut lines: Vec<String> = bad.map(|it| it.name.clone()).collect();
    lines.extend(play::end(&it.play.end).into_iter().map(|(_, why)| why));
    let harmless = it.sabotages.iter().filter(|it| !it.bit);
    lines.extend(harmless.map(|it| format!("no bite: {}", it.name)));
    lines
}

/// What the filter looks at.
fn words(it: &Scenario) -> String {
    let mut words = vec![it.name.clone(), it.title.clone(), it.file.clone()];
    words.extend(it.origin.clone());
    words.extend(it.topology.hosts.iter().map(|host| host.name.clone()));
    words.extend(it.sabotages.iter().map(|sabotage| sabotage.name.clone()));
    let bad = it
        .play
        .expectations()
        .filter(|it| Sign::from(*it).class == "bad");
    for failure in bad {
        words.push(failure.name.clone());
        let causes = failure.explanation.iter().flat_map(|it| &it.causes);
        words.extend(causes.cloned());
    }
    words.join(" ").to_lowercase()
}
