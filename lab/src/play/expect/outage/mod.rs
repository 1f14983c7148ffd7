//! `outage`: the longest time without an answer, from before a step's acts until after them.

mod gap;

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use fps_packet::{Direction, Nonce};
use gap::{Gap, gaps};
use tokio::time::{sleep_until, timeout, timeout_at};

use super::why::{self, Suspect};
use super::{CheckError, evidence, locate, lossy};
use crate::play::stage::Stage;
use crate::play::{Evidence, GapReport, Verdict};
use crate::probe::{Answer, Asker, Attempt, Sent, Series};
use crate::report::Event;
use crate::scenario::{HostName, Outage, Probe};

/// How many probes must have been answered before the acts begin.
const CONTROLS: usize = 3;
/// How long these may take.
const PATIENCE: Duration = Duration::from_secs(1);
/// How much longer is waited, at most, where the lab itself does not come to ask.
const LATENESS: Duration = Duration::from_secs(5);
/// How often it is looked whether the target answers again, where another does in its place.
const LOOK: Duration = Duration::from_millis(50);
/// How many gaps a failure shows.
const SHOWN: usize = 3;
/// How many gaps are in the report, of those that held too.
const REPORTED: usize = 5;

/// Probes that are under way while a step's acts are done.
#[derive(Debug)]
pub(in crate::play) struct Outages {
    probe: Probe<IpAddr>,
    series: Series,
    pace: Duration,
    began: Instant,
    /// How many were answered before the acts began.
    before: usize,
}

impl Outages {
    /// Begins to ask, if the target has an address yet.
    pub(super) async fn begin(
        stage: &Stage<'_>,
        wanted: &Outage,
    ) -> Result<Option<Self>, CheckError> {
        let Some(address) = locate::locate(stage, &wanted.probe.address).await? else {
            return Ok(None);
        };
        let probe = wanted.probe.at(address);
        let asker = Asker {
            sandbox: stage.lab.sandbox_of_task(),
            host: stage.lab.host(&probe.from).id(),
            probe: probe.clone(),
            known: stage.asked_by_task(),
            trust: stage.lab.trust(&probe.protocol)?,
        };
        Ok(Some(Self {
            probe,
            pace: asker.pace(),
            began: Instant::now(),
            series: Series::begin(asker),
            before: 0,
        }))
    }

    /// When the first question was sent.
    pub(super) fn began(&self) -> Instant {
        self.began
    }

    /// What was asked, and what came of it.
    pub(super) fn probes(&self, expectation: &str) -> Vec<(Instant, Event)> {
        let sent = self.series.sent().into_iter();
        let events = sent.map(|Sent { at, answer, .. }| {
            let event = Event::Probe {
                expectation: expectation.to_owned(),
                answered: answer.as_ref().is_some_and(Answer::is_echo),
                answer: match answer {
                    Some(answer) => answer.to_string(),
                    None => "it still waits".to_owned(),
                },
            };
            (at, event)
        });
        events.collect()
    }

    /// Waits for the positive control: who is never answered shows no gap.
    pub(super) async fn settle(&mut self) {
        // Where the time is over, what was answered by then is what counts.
        let _ = timeout(PATIENCE, self.series.answered(CONTROLS)).await;
        self.before = self.series.count();
    }

    /// Waits for the end of a gap that has begun, or until it is seen to be too long. Time in which the lab
    /// itself did not come to ask shows nothing, and is waited for again.
    async fn see_the_end(&self, most: Duration) {
        let (now, next) = (tokio::time::Instant::now(), self.series.count() + 1);
        let last = now + most + LATENESS;
        let mut until = now + most;
        while timeout_at(until, self.series.answered(next)).await.is_err() {
            let missing = (most + 2 * self.pace).saturating_sub(self.unanswered_for());
            if missing.is_zero() || until >= last || self.series.has_failed() {
                break;
            }
            until = tokio::time::Instant::now() + missing;
        }
    }

    /// For how long nobody has answered, without the time in which nothing was asked.
    fn unanswered_for(&self) -> Duration {
        let sent = self.series.sent();
        let answered = sent.iter().filter_map(|sent| match sent.answer {
            Some(Answer::Echo { after, .. }) => Some(sent.at + after),
            _ => None,
        });
        let last = answered.max().unwrap_or(self.began);
        self.certain_between((last, Instant::now()), &sent)
    }

    /// How long it is from an answer to an end, without the time in which nothing was asked.
    fn certain_between(&self, (last, end): (Instant, Instant), sent: &[Sent]) -> Duration {
        let asked: Vec<Instant> = sent.iter().map(|sent| sent.at).collect();
        let gaps = gaps(&asked, &[last], end, self.pace);
        gaps.first().map_or(Duration::ZERO, Gap::certain)
    }

    /// Whether the target may still answer in time behind an end, since another host answers in its place.
    fn leave_open(&self, answers: &Answers, end: Instant, sent: &[Sent], most: Duration) -> bool {
        let last = answers.of_target.last().copied();
        let is_other = answers.of_another > last;
        is_other && last.is_some_and(|last| self.certain_between((last, end), sent) <= most)
    }
}

pub(super) async fn check(
    stage: &Stage<'_>,
    wanted: &Outage,
    outages: &Outages,
    measured: &mut Vec<GapReport>,
) -> Result<Verdict, CheckError> {
    let hold = tokio::time::Instant::now() + wanted.hold;
    sleep_until(hold).await;
    outages.see_the_end(wanted.at_most).await;
    let (end, sent, answered) = match answered(stage, wanted, outages).await? {
        Ok(answered) => answered,
        Err(verdict) => return Ok(verdict),
    };
    let asked: Vec<Instant> = sent.iter().map(|sent| sent.at).collect();
    let gaps = gaps(&asked, &answered, end, outages.pace);
    let Some(longest) = gaps.first() else {
        return Ok(no_control(0, &sent));
    };
    *measured = reported(stage, &gaps);
    let seen = format!(
        "the longest gap is {}; {} of {} probes answered",
        told(stage, longest),
        answered.len(),
        sent.len()
    );
    let most = wanted.at_most;
    if longest.length() <= most {
        return Ok(Verdict::Held(seen));
    }
    // Another gap may be shorter, but the network's alone.
    if !gaps.iter().any(|gap| gap.certain() > most) {
        return Ok(Verdict::Inconclusive(format!(
            "{seen}, but in {:.1?} of it the lab itself did not come to ask",
            longest.late
        )));
    }
    let why = format!("expected no gap longer than {most:?}; {seen}");
    let over = longest.over;
    let (evidence, suspect) = shown(stage, (wanted.at_most, &outages.probe), &gaps, sent).await?;
    let verdict = Verdict::failed(why, evidence);
    // What the kernel says now explains only what is still so.
    Ok(match over {
        true => verdict,
        false => verdict.explained(why::explain(stage, &suspect).await),
    })
}

/// When the watch ended, what was asked until then, and when the target has answered. Where another host
/// answers in its place, it is waited until it answers itself, or has not for too long.
async fn answered(
    stage: &Stage<'_>,
    wanted: &Outage,
    outages: &Outages,
) -> Result<Result<(Instant, Vec<Sent>, Vec<Instant>), Verdict>, CheckError> {
    let last = Instant::now() + wanted.at_most + LATENESS;
    loop {
        let end = Instant::now();
        let sent = outages.series.sent();
        if let Some(failure) = outages.series.failure() {
            return Err(failure.into());
        }
        if outages.before < CONTROLS {
            return Ok(Err(no_control(outages.before, &sent)));
        }
        let answers = match answers(stage, &outages.probe, &sent).await? {
            Ok(answers) => answers,
            Err(verdict) => return Ok(Err(verdict)),
        };
        if end >= last || !outages.leave_open(&answers, end, &sent, wanted.at_most) {
            return Ok(Ok((end, sent, answers.of_target)));
        }
        sleep_until((end + LOOK).into()).await;
    }
}

fn no_control(answered: usize, sent: &[Sent]) -> Verdict {
    let heard = sent.iter().rev().find_map(|sent| sent.answer.as_ref());
    let heard = heard.map_or_else(String::new, |answer| format!(", the last: {answer}"));
    Verdict::Inconclusive(format!(
        "only {answered} of the first probes were answered before the step's acts began, so that \
         no gap says anything of them ({} probes{heard})",
        sent.len()
    ))
}

/// When the probes' answers came to the sender.
struct Answers {
    /// In order: those of probes that the target's own capture has.
    of_target: Vec<Instant>,
    /// The last of another host that has the same address.
    of_another: Option<Instant>,
}

/// When the probes' answers came to the sender.
///
/// The capture has the kernel's time, which does not wait for this program's turn.
async fn answers(
    stage: &Stage<'_>,
    probe: &Probe<IpAddr>,
    sent: &[Sent],
) -> Result<Result<Answers, Verdict>, CheckError> {
    let came = arrivals(stage, &probe.from, |packet| packet.source == probe.address).await?;
    let arrived = match &probe.to {
        None => None,
        Some(target) => {
            let lost = stage.tape(target).sync().await?;
            if lost > 0 {
                return Ok(Err(lossy(target, lost)));
            }
            Some(arrivals(stage, target, |_| true).await?)
        }
    };
    let (mut of_target, mut of_another) = (Vec::new(), None);
    for sent in sent {
        let Some(Answer::Echo { after, .. }) = sent.answer else {
            continue;
        };
        let nonce = &sent.mark.nonce;
        let at = came.get(nonce).copied().unwrap_or(sent.at + after);
        match arrived.as_ref().is_none_or(|seen| seen.contains_key(nonce)) {
            true => of_target.push(at),
            false => of_another = of_another.max(Some(at)),
        }
    }
    of_target.sort_unstable();
    Ok(Ok(Answers {
        of_target,
        of_another,
    }))
}

/// When packets with nonces first came in on a host.
async fn arrivals(
    stage: &Stage<'_>,
    host: &HostName,
    counts: impl Fn(&fps_packet::Packet<'_>) -> bool,
) -> Result<HashMap<Nonce, Instant>, CheckError> {
    let tape = stage.tape(host);
    tape.sync().await?;
    let mut first = HashMap::new();
    tape.look(|frames| {
        for frame in frames {
            if frame.direction != Direction::Received {
                continue;
            }
            let packet = frame.packet().filter(|packet| packet.quoted().is_none());
            let nonce = packet.filter(&counts).and_then(|packet| packet.nonce());
            if let Some(nonce) = nonce {
                first.entry(nonce).or_insert(frame.at);
            }
        }
    });
    Ok(first)
}

/// The longest gaps, in order of time.
fn reported(stage: &Stage<'_>, gaps: &[Gap]) -> Vec<GapReport> {
    let longest = gaps.iter().take(REPORTED);
    let mut reported: Vec<GapReport> = longest
        .map(|gap| GapReport {
            began: stage.on_clock(gap.from),
            length: gap.length(),
            over: gap.over,
            late: gap.late,
        })
        .collect();
    reported.sort_by_key(|gap| gap.began);
    reported
}

/// A gap in words: its length, and where it began.
fn told(stage: &Stage<'_>, gap: &Gap) -> String {
    let length = match gap.over {
        true => format!("{:.1?}", gap.length()),
        false => format!("{:.1?} and was not over", gap.length()),
    };
    let before = stage.acts().iter().rev().find(|(at, _)| *at <= gap.from);
    match before {
        Some((at, act)) => format!("{length}, from {:.1?} after `{act}` began", gap.from - *at),
        None => match stage.acts().first() {
            Some((at, act)) => {
                let lead = at.saturating_duration_since(gap.from);
                format!("{length}, from {lead:.1?} before `{act}` began")
            }
            None => length,
        },
    }
}

/// The longest gaps, the acts, and what became of the probes in the longest one.
async fn shown(
    stage: &Stage<'_>,
    (at_most, probe): (Duration, &Probe<IpAddr>),
    gaps: &[Gap],
    sent: Vec<Sent>,
) -> Result<(Vec<Evidence>, Suspect), CheckError> {
    let start = stage.step_began();
    let since = |at: Instant| at.saturating_duration_since(start).as_secs_f64() * 1e3;
    let acts = stage.acts().iter();
    let mut lines: Vec<Evidence> = acts
        .map(|(at, act)| format!("{:8.2} ms  {act}", since(*at)).into())
        .collect();
    let long = gaps.iter().filter(|gap| gap.length() > at_most);
    let long = long.take(SHOWN);
    lines.extend(long.map(|gap| {
        let still = if gap.over { "" } else { " and longer" };
        let length = gap.length();
        let at = since(gap.from);
        Evidence::Line(format!("{at:8.2} ms  no answer for {length:.1?}{still}"))
    }));
    lines.push("in the longest gap:".to_owned().into());
    let longest = gaps[0];
    let within = |sent: &Sent| {
        let echo = matches!(sent.answer, Some(Answer::Echo { .. }));
        !echo && sent.at > longest.from && sent.at < longest.to
    };
    let lost: Vec<Attempt> = sent.into_iter().filter(within).map(Attempt::from).collect();
    let (more, suspect) = evidence::of_attempts(stage, probe, None, &lost).await?;
    lines.extend(more);
    Ok((lines, suspect.past()))
}
