//! Questions asked one after the other, however long each waits for its answer.

use std::net::IpAddr;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::time::{Instant, sleep_until};

use super::CheckError;
use crate::play::stage::Stage;
use crate::probe::{Attempt, Question};
use crate::scenario::Probe;

/// The time between two questions, the first ones closer together: what comes true is seen soon.
const GAPS: [Duration; 3] = [
    Duration::from_millis(10),
    Duration::from_millis(20),
    Duration::from_millis(50),
];

/// How long a question waits for its answer.
pub(super) const PATIENCE: Duration = Duration::from_secs(1);

/// What the end of the time means for questions that still wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AtTheEnd {
    /// They have had no answer in time.
    GiveUp,
    /// They were asked in time, and may wait for their answers.
    WaitOn,
}

/// Asks until `enough` says so of a question that has come to its end, or until the deadline;
/// gives all that came to an end.
///
/// Time in which the lab itself did not come to ask does not count, as on a machine that has no turn for it: the
/// deadline is that much later. Each question brings it nearer by its gap all the same.
pub(super) async fn probe_until(
    stage: &Stage<'_>,
    probe: &Probe<IpAddr>,
    mut deadline: Instant,
    at_the_end: AtTheEnd,
    mut enough: impl AsyncFnMut(&Attempt) -> Result<bool, CheckError>,
) -> Result<Vec<Attempt>, CheckError> {
    let host = stage.lab.host(&probe.from).id();
    let trust = stage.lab.trust(&probe.protocol)?;
    // A transfer takes its time, and several at once would take it from each other.
    let heavy = probe.load.bulk.is_some();
    let mut under_way = FuturesUnordered::new();
    let mut done = Vec::new();
    let mut gaps = GAPS
        .into_iter()
        .chain(std::iter::repeat(GAPS[GAPS.len() - 1]));
    let mut next = Instant::now();
    loop {
        tokio::select! {
            biased;
            Some(attempt) = under_way.next(), if !under_way.is_empty() => {
                let attempt: Attempt = attempt?;
                let stop = enough(&attempt).await?;
                if heavy {
                    next = next.max(Instant::now());
                }
                done.push(attempt);
                if stop {
                    return Ok(done);
                }
            }
            () = sleep_until(next), if next < deadline && (!heavy || under_way.is_empty()) => {
                let question = Question::new(stage.lab.sandbox(), host, probe, trust.as_ref())?;
                stage.asked(question.mark());
                let now = Instant::now();
                deadline += now.saturating_duration_since(next);
                let left = deadline.saturating_duration_since(now);
                let patience = match at_the_end {
                    AtTheEnd::WaitOn => PATIENCE,
                    AtTheEnd::GiveUp if heavy => left,
                    AtTheEnd::GiveUp => PATIENCE.min(left),
                };
                under_way.push(question.ask(patience));
                next = now + gaps.next().unwrap_or(PATIENCE);
            }
            else => return Ok(done),
        }
    }
}
