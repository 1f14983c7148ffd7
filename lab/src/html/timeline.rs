//! What happened when: steps, acts, expectations as spans, times without an answer, ticks.
//!
//! Each row is an SVG of its own whose lengths are percents, so the page's width is the scale.

use indexmap::IndexMap;
use maud::{Markup, html};

use super::play::Setting;
use super::ticks::{self, Kind, Tick};
use super::words::{Sign, time};
use crate::report::{Act, Expectation, Play, Step, Time};

/// From what time to what time the rows go.
#[derive(Clone, Copy)]
struct Scale {
    to: f64,
}

impl Scale {
    fn percent(self, ms: f64) -> f64 {
        (ms / self.to * 100.0).clamp(0.0, 100.0)
    }

    /// Where a time is: its begin and its length, in percent.
    fn place(self, time: Time) -> (String, String) {
        let (from, to) = (self.percent(time.from_ms), self.percent(time.to_ms));
        (
            format!("{from:.3}%"),
            format!("{:.3}%", (to - from).max(0.25)),
        )
    }

    /// The times that the axis names: at most eight, and round.
    fn marks(self) -> Vec<f64> {
        let rough = self.to / 7.0;
        let power = 10_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0]
            .map(|it| it * power)
            .into_iter()
            .find(|it| *it >= rough);
        let step = step.unwrap_or(rough);
        let mut marks = Vec::new();
        let mut at = step;
        while at < self.to * 0.97 && marks.len() < 8 {
            marks.push(at);
            at += step;
        }
        marks
    }
}

pub(super) fn timeline(play: &Play, setting: &Setting<'_>) -> Markup {
    let scale = Scale {
        to: play.took_ms.max(1.0),
    };
    let ticks = ticks::of(play.timeline.as_deref(), setting.beside);
    let (ticks, trouble) = match ticks {
        Ok(ticks) => (ticks, None),
        Err(why) => (Vec::new(), Some(why)),
    };
    let lanes = ticks::lanes(&ticks);
    let spans = [
        ("the lab is built", play.built),
        ("the tunnel starts", play.tunnel),
    ];
    html! {
        div.timeline role="group" aria-label="Time line" {
            div.row.axis { span.label { "time" } (track(&html! {
                @for mark in scale.marks() { text x=(format!("{:.1}%", scale.percent(mark))) y="12" { (time(mark)) } }
            })) }
            @for (label, span) in spans {
                @if let Some(span) = span { (row("setup", label, &spanned(span), &bar(scale, "setup", span))) }
            }
            @for step in &play.steps { (step_rows(scale, step, &lanes)) }
            @if let Some(why) = trouble { p.hint { "Packets and queries are not shown: " (why) } }
        }
    }
}

/// The moments of each row.
type Lanes<'a> = IndexMap<&'a str, Vec<&'a Tick>>;

fn step_rows(scale: Scale, step: &Step, lanes: &Lanes<'_>) -> Markup {
    let within = |it: &Tick| it.at >= step.time.from_ms && it.at <= step.time.to_ms;
    let is_expectation = |lane: &str| step.expectations.iter().any(|it| it.name == lane);
    let own = lanes.iter().filter(|(lane, _)| !is_expectation(lane));
    let own = own.filter_map(|(lane, ticks)| {
        let here: Vec<&Tick> = ticks.iter().copied().filter(|it| within(it)).collect();
        (!here.is_empty()).then_some((*lane, here))
    });
    html! {
        (row("step", &format!("{}. {}", step.number, step.name), &spanned(step.time), &bar(scale, "step", step.time)))
        @for act in &step.acts { (act_row(scale, act)) }
        @for it in &step.expectations { (expectation_row(scale, it, lanes.get(it.name.as_str()))) }
        @for (lane, ticks) in own {
            (row("ticks", lane, &format!("{}, {} of them told", lane, ticks.len()), &marks(scale, &ticks)))
        }
    }
}

/// How many places a row has at which ticks can be told apart.
const PLACES: f64 = 600.0;

/// Ticks: one path for each kind, since there may be hundreds.
fn marks(scale: Scale, ticks: &[&Tick]) -> Markup {
    let paths = Kind::ALL.into_iter().filter_map(|kind| {
        let ours = ticks.iter().filter(|it| it.kind == kind);
        let mut places: Vec<f64> = ours
            .map(|it| (scale.percent(it.at) / 100.0 * PLACES).round())
            .collect();
        places.sort_by(f64::total_cmp);
        places.dedup();
        let path: String = places.iter().map(|place| format!("M{place} 0v1")).collect();
        (!path.is_empty()).then_some((kind.class(), path))
    });
    html! {
        svg.ticks viewBox=(format!("0 0 {PLACES} 1")) preserveAspectRatio="none" {
            @for (class, path) in paths { path class=(format!("tick {class}")) d=(path) {} }
        }
    }
}

fn act_row(scale: Scale, act: &Act) -> Markup {
    let class = if act.error.is_some() { "bad" } else { "act" };
    let what = match &act.error {
        Some(error) => format!("{}: {error}", spanned(act.time)),
        None => spanned(act.time),
    };
    row("act", &act.act, &what, &bar(scale, class, act.time))
}

fn expectation_row(scale: Scale, it: &Expectation, ticks: Option<&Vec<&Tick>>) -> Markup {
    let sign = Sign::from(it);
    let what = format!("{}: {}; {}", sign.word, it.why, spanned(it.time));
    // What is marked on it has to be seen.
    let soft = if ticks.is_some() || !it.gaps.is_empty() {
        " soft"
    } else {
        ""
    };
    let class = format!("{}{soft}", sign.class);
    let inside = html! {
        (bar(scale, &class, it.time))
        @for gap in &it.gaps {
            @let (x, width) = scale.place(gap.time);
            rect.gap x=(x) width=(width) { title { "no answer for " (time(gap.time.to_ms - gap.time.from_ms)) } }
        }
        @if let Some(ticks) = ticks { (marks(scale, ticks)) }
    };
    row(
        &format!("expectation {}", sign.class),
        &it.name,
        &what,
        &inside,
    )
}

fn row(class: &str, label: &str, title: &str, inside: &Markup) -> Markup {
    html! {
        div class=(format!("row {class}")) title=(title) {
            span.label { (label) }
            (track(inside))
        }
    }
}

fn track(inside: &Markup) -> Markup {
    html! { svg aria-hidden="true" { (inside) } }
}

fn bar(scale: Scale, class: &str, span: Time) -> Markup {
    let (x, width) = scale.place(span);
    html! { rect class=(class) x=(x) width=(width) {} }
}

fn spanned(span: Time) -> String {
    format!(
        "at {}, for {}",
        time(span.from_ms),
        time(span.to_ms - span.from_ms)
    )
}
