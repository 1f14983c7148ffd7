//! Probes sent one after the other, however long each waits for its answer.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::time::{Instant, sleep_until};

use super::CheckError;
use crate::play::stage::Stage;
use crate::probe::{Attempt, ask};
use crate::scenario::Probe;

/// The time between two probes, the first ones closer together: what comes true is seen soon.
const GAPS: [Duration; 3] = [
    Duration::from_millis(10),
    Duration::from_millis(20),
    Duration::from_millis(50),
];

/// How long a probe waits for its answer.
pub(super) const PATIENCE: Duration = Duration::from_secs(1);

/// Sends probes until `enough` says so of one that has come to its end, or the deadline; gives
/// all that came to an end. Answers are taken until `last_answer`: a probe that has none by then
/// has none.
pub(super) async fn probe_until(
    stage: &Stage<'_>,
    probe: &Probe,
    deadline: Instant,
    last_answer: Instant,
    mut enough: impl AsyncFnMut(&Attempt) -> Result<bool, CheckError>,
) -> Result<Vec<Attempt>, CheckError> {
    let host = stage.lab.host(&probe.from).id();
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
                done.push(attempt);
                if stop {
                    return Ok(done);
                }
            }
            () = sleep_until(next), if next < deadline => {
                let patience = PATIENCE.min(last_answer.saturating_duration_since(next));
                under_way.push(ask(stage.lab.sandbox(), host, probe, patience));
                next += gaps.next().unwrap_or(PATIENCE);
            }
            else => return Ok(done),
        }
    }
}
