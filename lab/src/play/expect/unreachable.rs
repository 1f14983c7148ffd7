//! `unreachable`: no probe is answered, though the target does answer.

use tokio::time::Instant;

use super::probing::{AtTheEnd, PATIENCE, probe_until};
use super::{CheckError, evidence, why};
use crate::play::Verdict;
use crate::play::stage::Stage;
use crate::probe::{Answer, Attempt, Question};
use crate::scenario::{Probe, Sender, Unreachable};

pub(super) async fn check(
    stage: &Stage<'_>,
    unreachable: &Unreachable,
) -> Result<Verdict, CheckError> {
    let probe = &unreachable.probe;
    let deadline = Instant::now() + unreachable.hold;
    let answered = async |attempt: &Attempt| Ok(attempt.answer.is_echo());
    let end = AtTheEnd::GiveUp;
    let attempts = probe_until(stage, probe, deadline, end, answered).await?;
    let Some(last) = attempts.last() else {
        return Ok(Verdict::Inconclusive("no probe was sent".to_owned()));
    };
    if last.answer.is_echo() {
        let why = format!("expected no answer; {} {}", probe.address, last.answer);
        let (evidence, suspect) = evidence::of_attempts(stage, probe, &attempts).await?;
        let explanation = why::explain(stage, &suspect).await?;
        return Ok(Verdict::failed(why, evidence).explained(explanation));
    }
    if let Some(verdict) = control(stage, probe).await? {
        return Ok(verdict);
    }
    let place = evidence::last_place(stage, last.mark).await?;
    let place = place.map_or_else(String::new, |place| format!(", last seen on {place}"));
    let count = attempts.len();
    Ok(Verdict::Held(format!(
        "{count} probes, the last: {}{place}",
        last.answer
    )))
}

/// The positive control: the target answers the same question when it asks itself. Without it a
/// dead service or a broken prober would pass for a closed network.
async fn control(stage: &Stage<'_>, probe: &Probe) -> Result<Option<Verdict>, CheckError> {
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
    let question = Question::new(stage.lab.sandbox(), stage.lab.host(target).id(), &itself)?;
    stage.asked(question.mark());
    let attempt = question.ask(PATIENCE).await?;
    Ok(match attempt.answer {
        Answer::Echo { .. } => None,
        other => Some(Verdict::Inconclusive(format!(
            "{target} does not answer itself on {} ({}) either: {other}; it would have been \
             silent whatever the network did",
            probe.address, probe.protocol
        ))),
    })
}
