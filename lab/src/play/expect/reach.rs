//! `reach`: probes are answered, by the target itself, and leave by the link named.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use fps_netlink::LinkName;
use fps_packet::{Direction, Frame};
use tokio::time::Instant;

use super::probing::{AtTheEnd, probe_until};
use super::{CheckError, evidence, locate, lossy, why};
use crate::play::Verdict;
use crate::play::stage::Stage;
use crate::probe::{Answer, Attempt};
use crate::scenario::{Bulk, HostName, Probe, Reach, When};

pub(super) async fn check(stage: &Stage<'_>, reach: &Reach) -> Result<Verdict, CheckError> {
    let when = reach.when;
    let (When::Within(time) | When::For(time)) = when;
    let deadline = Instant::now() + time;
    let located = match when {
        When::Within(_) => deadline,
        When::For(_) => Instant::now(),
    };
    let reach = match locate::probe(stage, &reach.probe, located).await? {
        Ok(probe) => &Located {
            probe,
            via: reach.via,
        },
        Err(why) => {
            let why = format!("expected answers; {why}");
            let evidence = stage.programs.obituaries();
            return Ok(Verdict::failed(why, evidence));
        }
    };
    match when {
        When::Within(_) => {
            let enough = async |attempt: &Attempt| Ok(holds(stage, reach, attempt).await?.is_ok());
            let end = AtTheEnd::GiveUp;
            let attempts = probe_until(stage, &reach.probe, deadline, end, enough).await?;
            if let Some(verdict) = lost(stage, reach).await? {
                return Ok(verdict);
            }
            for attempt in attempts.iter().rev() {
                if let Ok(seen) = holds(stage, reach, attempt).await? {
                    return Ok(Verdict::Held(seen));
                }
            }
            failed(stage, reach, &attempts).await
        }
        When::For(_) => {
            let broken = async |attempt: &Attempt| Ok(holds(stage, reach, attempt).await?.is_err());
            let end = AtTheEnd::WaitOn;
            let attempts = probe_until(stage, &reach.probe, deadline, end, broken).await?;
            if let Some(verdict) = lost(stage, reach).await? {
                return Ok(verdict);
            }
            for attempt in &attempts {
                if holds(stage, reach, attempt).await?.is_err() {
                    return failed(stage, reach, &attempts).await;
                }
            }
            Ok(Verdict::Held(format!(
                "each of {} probes in {time:?} answered",
                attempts.len()
            )))
        }
    }
}

/// What is asked, where its target is now.
struct Located {
    probe: Probe<IpAddr>,
    via: Option<LinkName>,
}

/// Whether an attempt was answered by the target and left as it should; what was seen, in words.
async fn holds(
    stage: &Stage<'_>,
    reach: &Located,
    attempt: &Attempt,
) -> Result<Result<String, String>, CheckError> {
    let Answer::Echo { after, .. } = attempt.answer else {
        return Ok(Err(attempt.answer.to_string()));
    };
    if let Some(target) = &reach.probe.to
        && !arrived(stage, target, attempt).await?
    {
        return Ok(Err(format!(
            "answered, but the question never came to {target}"
        )));
    }
    let seen = match reach.probe.load.bulk {
        Some(bulk) => moved(bulk, after),
        None => attempt.answer.to_string(),
    };
    let Some(via) = &reach.via else {
        return Ok(Ok(seen));
    };
    let links = leaves_by(stage, &reach.probe.from, attempt).await?;
    if links.len() == 1 && links.contains(via.as_str()) {
        return Ok(Ok(format!("by {via}, {seen}")));
    }
    let links: Vec<String> = links.into_iter().collect();
    Ok(Err(format!(
        "answered, but it left by {}",
        links.join(" and ")
    )))
}

/// A transfer in words.
fn moved(bulk: Bulk, after: Duration) -> String {
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    let rate = (bulk.up + bulk.down) as f64 / after.as_secs_f64() / 1e6;
    format!("{bulk}, the same at both ends, in {after:.1?}: {rate:.1} MB/s")
}

/// Whether the target's own capture has the question: another host may have the same address.
async fn arrived(
    stage: &Stage<'_>,
    target: &HostName,
    attempt: &Attempt,
) -> Result<bool, CheckError> {
    let tape = stage.tape(target);
    tape.sync().await?;
    Ok(tape.look(|frames| {
        let mut came_in = frames
            .iter()
            .filter(|frame| frame.direction == Direction::Received);
        came_in.any(|frame| attempt.mark.reaches(frame))
    }))
}

/// The links of the sender by which an attempt's packets have left, from the capture; of one that was answered,
/// until then. What the kernel says for a connection that is over has no socket, and so neither its mark nor
/// its user: it may go another way.
async fn leaves_by(
    stage: &Stage<'_>,
    from: &HostName,
    attempt: &Attempt,
) -> Result<BTreeSet<String>, CheckError> {
    let tape = stage.tape(from);
    tape.sync().await?;
    let answered = match attempt.answer {
        Answer::Echo { after, .. } => Some(attempt.at + after),
        _ => None,
    };
    let in_time = |frame: &Frame| answered.is_none_or(|end| frame.at <= end);
    let asks = |frame: &Frame| frame.direction == Direction::Sent && attempt.mark.asks(frame);
    Ok(tape.look(|frames| {
        frames
            .iter()
            .filter(|frame| asks(frame) && in_time(frame))
            .map(|frame| tape.names().show(frame.ifindex))
            .collect()
    }))
}

/// A capture that has lost packets cannot show that a probe went nowhere else.
async fn lost(stage: &Stage<'_>, reach: &Located) -> Result<Option<Verdict>, CheckError> {
    if reach.via.is_none() {
        return Ok(None);
    }
    let lost = stage.tape(&reach.probe.from).sync().await?;
    Ok((lost > 0).then(|| lossy(&reach.probe.from, lost)))
}

/// A capture that has lost packets cannot show that a question which was answered never came, either.
async fn unseen(
    stage: &Stage<'_>,
    reach: &Located,
    attempts: &[Attempt],
) -> Result<Option<Verdict>, CheckError> {
    let Some(target) = &reach.probe.to else {
        return Ok(None);
    };
    let lost = stage.tape(target).sync().await?;
    if lost == 0 {
        return Ok(None);
    }
    for attempt in attempts.iter().filter(|it| it.answer.is_echo()) {
        if !arrived(stage, target, attempt).await? {
            return Ok(Some(lossy(target, lost)));
        }
    }
    Ok(None)
}

async fn failed(
    stage: &Stage<'_>,
    reach: &Located,
    attempts: &[Attempt],
) -> Result<Verdict, CheckError> {
    if let Some(verdict) = unseen(stage, reach, attempts).await? {
        return Ok(verdict);
    }
    let probe = &reach.probe;
    let answered = attempts
        .iter()
        .filter(|attempt| attempt.answer.is_echo())
        .count();
    let mut links = BTreeSet::new();
    let mut why_not = None;
    for attempt in attempts {
        links.extend(leaves_by(stage, &probe.from, attempt).await?);
        if attempt.answer.is_echo() {
            why_not = holds(stage, reach, attempt).await?.err().or(why_not);
        } else if attempt.answer.is_another() {
            // The first has waited longest.
            why_not = why_not.or_else(|| Some(attempt.answer.to_string()));
        }
    }
    let links: Vec<String> = links.into_iter().collect();
    let left = match links.as_slice() {
        [] => "none left the host".to_owned(),
        links => format!("they left by {}", links.join(" and ")),
    };
    let expected = match &reach.via {
        Some(via) => format!("answers, by {via} alone"),
        None => "answers".to_owned(),
    };
    let why_not = why_not.map_or_else(String::new, |why| format!(" ({why})"));
    let why = format!(
        "expected {expected}; of {} probes {answered} were answered{why_not}, {left}",
        attempts.len()
    );
    let (evidence, suspect) =
        evidence::of_attempts(stage, probe, reach.via.as_ref(), attempts).await?;
    let explanation = why::explain(stage, &suspect).await;
    Ok(Verdict::failed(why, evidence).explained(explanation))
}
