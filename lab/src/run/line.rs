//! What is said of a play as it happens, line by line.

use std::time::Duration;

use super::Audience;
use crate::play::{ActReport, End, Event, ExpectationReport, Report, Verdict};
use crate::scenario::Sabotage;

/// A line, or several that belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Which play it is of.
    pub play: String,
    /// What is said.
    pub text: String,
}

/// Speaks of one play.
pub(crate) struct Voice<'a> {
    play: String,
    sabotage: Option<&'a Sabotage>,
    audience: &'a dyn Audience,
}

impl<'a> Voice<'a> {
    pub(crate) fn new(
        play: String,
        sabotage: Option<&'a Sabotage>,
        audience: &'a dyn Audience,
    ) -> Self {
        let voice = Self {
            play,
            sabotage,
            audience,
        };
        if let Some(sabotage) = voice.sabotage {
            voice.say(format!("sabotage: {}", sabotage.name));
        }
        voice
    }

    pub(crate) fn event(&self, event: Event<'_>) {
        match event {
            Event::Built { scenario, took } => self.say(format!(
                "lab      {}, {}, in {}",
                count(scenario.hosts.len(), "host"),
                count(scenario.nets.len(), "net"),
                short(took)
            )),
            Event::TunnelUp { took, .. } => self.say(format!("tunnel   up in {}", short(took))),
            Event::Step { step, .. } => self.say(format!("step     {}", step.name)),
            Event::Act { report } => self.act(report),
            Event::Expectation { report } => self.expectation(report),
            Event::Kept { files } => self.say(format!(
                "  kept   packets and state of each host: {files}HOST.pcapng and .json; logs beside them"
            )),
            Event::Held { at, guide, paused } => {
                let guide: Vec<_> = guide.iter().map(|line| format!("\n  {line}")).collect();
                let what = if paused { "PAUSED  " } else { "held    " };
                self.say(format!("{what} {at}{}", guide.concat().replace("\n  \n", "\n\n")));
            }
            Event::Resumed => self.say("goes on".to_owned()),
            Event::Trouble { why } => self.say(format!("TROUBLE  {why}")),
        }
    }

    fn act(&self, report: &ActReport) {
        let ActReport {
            act, took, error, ..
        } = report;
        self.say(match error {
            None => format!("  did    {act} ({})", short(*took)),
            Some(error) => format!("  FAILED {act} ({}): {error}", short(*took)),
        });
    }

    fn expectation(&self, report: &ExpectationReport) {
        let ExpectationReport {
            name,
            took,
            verdict,
            ..
        } = report;
        let took = short(*took);
        let wanted = self
            .sabotage
            .is_some_and(|sabotage| sabotage.must_fail.contains(name));
        let allowed = self.sabotage.is_some_and(|sabotage| sabotage.names(name));
        self.say(match verdict {
            Verdict::Held(_) if wanted => format!("  HELD   {name} ({took}), which must fail"),
            Verdict::Held(seen) => format!("  ok     {name}: {seen}"),
            Verdict::Failed { why, .. } if wanted => {
                format!("  bit    {name}: {why} ({took})")
            }
            Verdict::Failed { why, .. } if allowed => format!("  harm   {name}: {why} ({took})"),
            Verdict::Failed { .. } => format!("  FAILED {}", told(report, "             | ")),
            Verdict::Inconclusive(_) => format!("  UNSURE {}", told(report, "")),
        });
    }

    pub(super) fn ended(&self, report: &Report) {
        let took = short(report.took);
        let text = match (&report.end, self.sabotage) {
            (End::Played, None) if report.passed() => format!("passed   in {took}"),
            (End::Played, None) => format!("FAILED   in {took}"),
            (End::Played, Some(sabotage)) => match super::outcome::bite(report, sabotage) {
                Ok(()) => format!("bit      in {took}"),
                Err(why) => format!("NO BITE  {why}"),
            },
            (End::NotBuilt(error), _) => format!("NO LAB   {error}"),
            (End::ActFailed { step, error }, _) => format!("FAILED   in {step}: {error}"),
            (End::Interrupted | End::NotBegun, _) => "stopped".to_owned(),
        };
        self.say(text);
    }

    fn say(&self, text: String) {
        self.audience.line(Line {
            play: self.play.clone(),
            text,
        });
    }
}

fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// What came of an expectation that was not fulfilled, with what shows why, behind a margin.
pub(crate) fn told(report: &ExpectationReport, margin: &str) -> String {
    let ExpectationReport {
        name,
        took,
        verdict,
        ..
    } = report;
    let (why, lines) = match verdict {
        Verdict::Held(why) | Verdict::Inconclusive(why) => (why, Vec::new()),
        Verdict::Failed {
            why,
            evidence,
            explanation,
        } => {
            let explained = explanation.iter().flat_map(|it| it.lines());
            (
                why,
                evidence
                    .iter()
                    .map(ToString::to_string)
                    .chain(explained)
                    .collect(),
            )
        }
    };
    let lines: Vec<_> = lines
        .iter()
        .map(|line| format!("\n{margin}{line}"))
        .collect();
    format!("{name} ({}): {why}{}", short(*took), lines.concat())
}

/// A duration to about three digits.
pub(super) fn short(duration: Duration) -> String {
    let millis = duration.as_secs_f64() * 1e3;
    match millis {
        ..10.0 => format!("{millis:.1} ms"),
        10.0..1000.0 => format!("{millis:.0} ms"),
        _ => format!("{:.2} s", millis / 1e3),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_short() {
        assert_eq!(short(Duration::from_micros(1234)), "1.2 ms");
        assert_eq!(short(Duration::from_millis(123)), "123 ms");
        assert_eq!(short(Duration::from_millis(1234)), "1.23 s");
    }
}
