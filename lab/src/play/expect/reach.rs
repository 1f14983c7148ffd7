//! `reach`: probes are answered, and leave by the link named.

use std::collections::BTreeSet;

use fps_packet::Direction;
use tokio::time::Instant;

use super::probing::{PATIENCE, probe_until};
use super::{CheckError, evidence, lossy};
use crate::play::Verdict;
use crate::play::stage::Stage;
use crate::probe::{Answer, Attempt};
use crate::scenario::{Probe, Reach, When};

pub(super) async fn check(stage: &Stage<'_>, reach: &Reach) -> Result<Verdict, CheckError> {
    match reach.when {
        When::Within(time) => {
            let deadline = Instant::now() + time;
            let enough = async |attempt: &Attempt| Ok(holds(stage, reach, attempt).await?.is_ok());
            let attempts = probe_until(stage, &reach.probe, deadline, deadline, enough).await?;
            // The capture's losses count only where it is to show that nothing went elsewhere.
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
        When::For(time) => {
            let deadline = Instant::now() + time;
            let broken = async |attempt: &Attempt| Ok(holds(stage, reach, attempt).await?.is_err());
            // The last ones have as much time as the first: only then is their silence one.
            let last_answer = deadline + PATIENCE;
            let attempts = probe_until(stage, &reach.probe, deadline, last_answer, broken).await?;
            if let Some(verdict) = lost(stage, reach).await? {
                return Ok(verdict);
            }
            for attempt in &attempts {
                if holds(stage, reach, attempt).await?.is_err() {
                    return failed(stage, reach, &attempts).await;
                }
            }
            let held = attempts.len();
            if held == 0 {
                return failed(stage, reach, &attempts).await;
            }
            Ok(Verdict::Held(format!("{held} probes answered in {time:?}")))
        }
    }
}

/// Whether an attempt was answered and left as it should; what was seen, in words.
async fn holds(
    stage: &Stage<'_>,
    reach: &Reach,
    attempt: &Attempt,
) -> Result<Result<String, ()>, CheckError> {
    let Answer::Echo { after } = attempt.answer else {
        return Ok(Err(()));
    };
    let Some(via) = &reach.via else {
        return Ok(Ok(format!("answered after {after:.1?}")));
    };
    let links = leaves_by(stage, &reach.probe, attempt).await?;
    let only_there = links.len() == 1 && links.contains(via.as_str());
    Ok(if only_there {
        Ok(format!("by {via}, answered after {after:.1?}"))
    } else {
        Err(())
    })
}

/// The links of the sender by which an attempt's packets have left, from the capture.
async fn leaves_by(
    stage: &Stage<'_>,
    probe: &Probe,
    attempt: &Attempt,
) -> Result<BTreeSet<String>, CheckError> {
    let tape = stage.tape(&probe.from);
    tape.sync().await?;
    let indices: BTreeSet<u32> = tape.look(|frames| {
        frames
            .iter()
            .filter(|frame| frame.direction == Direction::Sent && attempt.asks(probe, frame))
            .map(|frame| frame.ifindex)
            .collect()
    });
    let names = evidence::link_names(stage, &probe.from).await?;
    Ok(indices
        .into_iter()
        .map(|index| evidence::link_name(&names, index))
        .collect())
}

async fn lost(stage: &Stage<'_>, reach: &Reach) -> Result<Option<Verdict>, CheckError> {
    if reach.via.is_none() {
        return Ok(None);
    }
    let lost = stage.tape(&reach.probe.from).sync().await?;
    Ok((lost > 0).then(|| lossy(&reach.probe.from, lost)))
}

async fn failed(
    stage: &Stage<'_>,
    reach: &Reach,
    attempts: &[Attempt],
) -> Result<Verdict, CheckError> {
    let probe = &reach.probe;
    let answered = attempts
        .iter()
        .filter(|a| matches!(a.answer, Answer::Echo { .. }))
        .count();
    let mut links = BTreeSet::new();
    for attempt in attempts {
        links.extend(leaves_by(stage, probe, attempt).await?);
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
    let why = format!(
        "expected {expected}; of {} probes {answered} were answered, {left}",
        attempts.len()
    );
    let evidence = evidence::of_attempts(stage, probe, attempts).await?;
    Ok(Verdict::Failed { why, evidence })
}
