//! `unreachable`: no probe is answered, though the target does answer.

use tokio::time::Instant;

use super::probing::{PATIENCE, probe_until};
use super::{CheckError, evidence};
use crate::play::Verdict;
use crate::play::stage::Stage;
use crate::probe::{Answer, Attempt, ask};
use crate::scenario::{Probe, Unreachable};

pub(super) async fn check(
    stage: &Stage<'_>,
    unreachable: &Unreachable,
) -> Result<Verdict, CheckError> {
    let probe = &unreachable.probe;
    let deadline = Instant::now() + unreachable.hold;
    let answered = async |attempt: &Attempt| Ok(matches!(attempt.answer, Answer::Echo { .. }));
    let attempts = probe_until(stage, probe, deadline, deadline, answered).await?;
    if let Some(attempt) = attempts.last()
        && matches!(attempt.answer, Answer::Echo { .. })
    {
        let why = format!("expected no answer; {} {}", probe.address, attempt.answer);
        let evidence = evidence::of_attempts(stage, probe, &attempts).await?;
        return Ok(Verdict::Failed { why, evidence });
    }
    let Some(last) = attempts.last() else {
        return Ok(Verdict::Inconclusive("no probe was sent".to_owned()));
    };
    let seen = format!("{} probes, the last: {}", attempts.len(), last.answer);
    Ok(control(stage, probe).await?.unwrap_or(Verdict::Held(seen)))
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
        ..probe.clone()
    };
    let host = stage.lab.host(target).id();
    let attempt = ask(stage.lab.sandbox(), host, &itself, PATIENCE).await?;
    Ok(match attempt.answer {
        Answer::Echo { .. } => None,
        other => Some(Verdict::Inconclusive(format!(
            "{target} does not answer itself on {} ({}) either: {other}; it would have been \
             silent whatever the network did",
            probe.address, probe.protocol
        ))),
    })
}
