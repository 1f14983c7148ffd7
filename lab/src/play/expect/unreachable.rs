//! `unreachable`: no probe is answered, though the target does answer.

use std::iter;
use std::net::IpAddr;
use std::time::Instant as Moment;

use fps_packet::Direction;
use nix::errno::Errno;
use tokio::time::Instant;

use super::probing::{AtTheEnd, PATIENCE, probe_until};
use super::{CheckError, evidence, how, locate, lossy, turns, why};
use crate::play::Verdict;
use crate::play::stage::Stage;
use crate::probe::{Answer, Attempt, Question};
use crate::scenario::{How, Probe, ProbeProtocol, Sender, Unreachable};

pub(super) async fn check(
    stage: &Stage<'_>,
    unreachable: &Unreachable,
) -> Result<Verdict, CheckError> {
    let deadline = Instant::now() + unreachable.hold;
    let probe = match locate::probe(stage, &unreachable.probe, deadline).await? {
        Ok(probe) => probe,
        Err(why) => {
            let why = format!("{why}: nobody could be asked");
            return Ok(Verdict::Inconclusive(why));
        }
    };
    let probe = &probe;
    let answered = async |attempt: &Attempt| Ok(attempt.answer.is_echo());
    let end = AtTheEnd::GiveUp;
    let mut attempts = probe_until(stage, probe, deadline, end, answered).await?;
    let Some(last) = attempts.last() else {
        return Ok(Verdict::Inconclusive("no probe was sent".to_owned()));
    };
    if last.answer.is_echo() {
        return answered_after_all(stage, probe, &attempts).await;
    }
    if let Some(verdict) = too_early(stage, unreachable, &attempts) {
        return Ok(verdict);
    }
    if let Err(why) = turns::taken(stage, &probe.from).await? {
        return Ok(Verdict::Inconclusive(why));
    }
    if let Some(verdict) = control(stage, probe).await? {
        return Ok(verdict);
    }
    if let Some(late) = late(stage, probe, &attempts).await? {
        // Whether the host takes such an answer is seen when somebody waits for it.
        let again = ask(stage, probe).await?;
        let (echo, since) = (
            again.answer.is_echo(),
            late.saturating_duration_since(attempts[0].at),
        );
        attempts.push(again);
        if echo {
            return answered_after_all(stage, probe, &attempts).await;
        }
        if self::late(stage, probe, &attempts).await?.is_some() {
            return Ok(Verdict::Inconclusive(format!(
                "an answer came {since:.1?} after the first question, when nobody waited for it any more: \
                 write a longer `for`"
            )));
        }
    }
    verdict(stage, (probe, &unreachable.how), &attempts).await
}

/// Somebody has answered the last question.
async fn answered_after_all(
    stage: &Stage<'_>,
    probe: &Probe<IpAddr>,
    attempts: &[Attempt],
) -> Result<Verdict, CheckError> {
    let last = attempts.last().expect("somebody was asked");
    let why = format!("expected no answer; {} {}", probe.address, last.answer);
    let (evidence, suspect) = evidence::of_attempts(stage, probe, None, attempts).await?;
    let explanation = why::explain(stage, &suspect).await;
    Ok(Verdict::failed(why, evidence).explained(explanation))
}

/// When an answer came to the sender, if nobody waited for it any more. One that came in time and was not
/// taken, as the kernel takes none from a martian (RFC 1812, 5.3.8), tells that others would not be, either.
async fn late(
    stage: &Stage<'_>,
    probe: &Probe<IpAddr>,
    attempts: &[Attempt],
) -> Result<Option<Moment>, CheckError> {
    let tape = stage.tape(&probe.from);
    tape.sync().await?;
    let came: Vec<_> = tape.look(|frames| {
        let received = frames
            .iter()
            .filter(|frame| frame.direction == Direction::Received);
        let answers = received.filter_map(|frame| {
            let to = attempts.iter().find(|it| it.mark.answers(frame))?;
            Some((frame.at, to.over))
        });
        answers.collect()
    });
    let in_time = came.iter().any(|(at, over)| at < over);
    let late = came.iter().find(|_| !in_time);
    Ok(late.map(|(at, _)| *at))
}

/// Nobody can tell whether silence is more than slowness where a bad link has held packets for as long
/// as anybody has waited for them.
fn too_early(
    stage: &Stage<'_>,
    unreachable: &Unreachable,
    attempts: &[Attempt],
) -> Option<Verdict> {
    let said = |attempt: &Attempt| !matches!(attempt.answer, Answer::Silence | Answer::Stuck(_));
    // There and back: to find the neighbours, to make the connection, to agree on keys, to ask.
    let rounds = match &unreachable.probe.protocol {
        ProbeProtocol::Icmp | ProbeProtocol::Udp(_) => 2,
        ProbeProtocol::Tcp(_) => 3,
        ProbeProtocol::Web(_) => 5,
    };
    let round = stage.lab.longest_wait();
    let (needed, waited) = (round * rounds, unreachable.hold.min(PATIENCE));
    if needed < waited || attempts.iter().any(said) {
        return None;
    }
    let remedy = match needed < PATIENCE {
        true => format!("write `for` longer than {needed:?}"),
        false => format!("no probe waits longer than {PATIENCE:?}"),
    };
    Some(Verdict::Inconclusive(format!(
        "bad links have held packets for {round:?} there and back, so that answers may still be on their \
         way after {waited:?}: {remedy}"
    )))
}

/// Nobody has answered, though somebody would have: says how, and whether it may be so.
async fn verdict(
    stage: &Stage<'_>,
    (probe, wanted): (&Probe<IpAddr>, &[How]),
    attempts: &[Attempt],
) -> Result<Verdict, CheckError> {
    let homeless = |attempt: &Attempt| attempt.answer == Answer::NoWay(Errno::EADDRNOTAVAIL);
    if let Some(source) = probe.sender.source
        && attempts.iter().all(homeless)
    {
        return Ok(Verdict::Inconclusive(format!(
            "{} has no address {source} now, so that nothing was asked",
            probe.from
        )));
    }
    // Nobody has sent anything where the kernel has no room for it, as for the next hop of too many labs
    // (gc_thresh3 in arp(7)).
    let unsent = |attempt: &Attempt| attempt.answer == Answer::NoWay(Errno::ENOBUFS);
    if attempts.iter().all(unsent) {
        return Ok(Verdict::Inconclusive(format!(
            "the kernel had no room for what {} asks (ENOBUFS), so that nothing was asked",
            probe.from
        )));
    }
    let all = how::of(stage, probe, attempts).await?;
    let seen: Vec<String> = all.iter().map(how::Grounds::to_string).collect();
    let seen = format!("{} probes, {}", attempts.len(), seen.join("; "));
    let allowed = |it: &how::Grounds| it.how.is_some_and(|how| wanted.contains(&how));
    if wanted.is_empty() {
        return Ok(Verdict::Held(seen));
    }
    for host in iter::once(&probe.from).chain(&probe.to) {
        let lost = stage.tape(host).sync().await?;
        if lost > 0 {
            return Ok(lossy(host, lost));
        }
    }
    if all.iter().all(allowed) {
        return Ok(Verdict::Held(seen));
    }
    let wanted: Vec<String> = wanted.iter().map(How::to_string).collect();
    let why = format!("expected it to be {}; {seen}", wanted.join(" or "));
    let (evidence, suspect) = evidence::of_attempts(stage, probe, None, attempts).await?;
    let explanation = why::explain(stage, &suspect).await;
    Ok(Verdict::failed(why, evidence).explained(explanation))
}

/// The positive control: the target answers the same question when it asks itself. Without it a
/// dead service or a broken prober would pass for a closed network.
async fn control(stage: &Stage<'_>, probe: &Probe<IpAddr>) -> Result<Option<Verdict>, CheckError> {
    let Some(target) = &probe.to else {
        return Ok(Some(Verdict::Inconclusive(format!(
            "{} belongs to no host of the lab: nobody could have answered",
            probe.address
        ))));
    };
    let itself = Probe {
        from: target.clone(),
        // A mark that is to keep the probe away must not keep the control away.
        sender: Sender::default(),
        ..probe.clone()
    };
    Ok(match ask(stage, &itself).await?.answer {
        Answer::Echo { .. } => None,
        other => Some(Verdict::Inconclusive(format!(
            "{target} does not answer itself on {} ({}) either: {other}; it would have been \
             silent whatever the network did",
            probe.address, probe.protocol
        ))),
    })
}

/// Asks once.
async fn ask(stage: &Stage<'_>, probe: &Probe<IpAddr>) -> Result<Attempt, CheckError> {
    let bulk = probe.load.bulk.is_some();
    let patience = if bulk { 4 * PATIENCE } else { PATIENCE };
    let trust = stage.lab.trust(&probe.protocol)?;
    let id = stage.lab.host(&probe.from).id();
    let question = Question::new(stage.lab.sandbox(), id, probe, trust.as_ref())?;
    stage.asked(question.mark());
    Ok(question.ask(patience).await?)
}
