//! `path`: the links that a probe really passes, and those that carried it through a tunnel.

mod carried;
mod compare;
mod passage;

use std::net::IpAddr;

use tokio::time::Instant;

use compare::{Comparison, compare};
use passage::Passage;

use super::probing::{AtTheEnd, probe_until};
use super::{CheckError, evidence, locate, lossy, why};
use crate::play::stage::Stage;
use crate::play::{Evidence, Verdict};
use crate::probe::Attempt;
use crate::scenario::{Probe, Trace};

pub(super) async fn check(stage: &Stage<'_>, path: &Trace) -> Result<Verdict, CheckError> {
    let deadline = Instant::now() + path.within;
    let probe = match locate::probe(stage, &path.probe, deadline).await? {
        Ok(probe) => probe,
        Err(why) => return Ok(Verdict::failed(why, Vec::<Evidence>::new())),
    };
    let enough = async |attempt: &Attempt| {
        let passage = Passage::of(stage, &probe, attempt).await?;
        Ok(attempt.answer.is_echo() && compare(&path.hops, &passage).is_none())
    };
    let attempts = probe_until(stage, &probe, deadline, AtTheEnd::GiveUp, enough).await?;
    for (host, tape) in stage.tapes() {
        let lost = tape.sync().await?;
        if lost > 0 {
            return Ok(lossy(host, lost));
        }
    }
    // The last one that was answered, or else the one that has had the most time to get somewhere.
    let answered = attempts.iter().rev().find(|it| it.answer.is_echo());
    let Some(attempt) = answered.or(attempts.first()) else {
        return Ok(Verdict::Inconclusive("no probe was sent".to_owned()));
    };
    let passage = Passage::of(stage, &probe, attempt).await?;
    let carried = carried::all(stage, &passage).await?;
    let parting = compare(&path.hops, &passage);
    let seen = passage.told(&carried);
    let Some(parting) = parting else {
        if attempt.answer.is_echo() {
            return Ok(Verdict::Held(seen));
        }
        let why = format!("it took the path, but {}: {seen}", attempt.answer);
        return failed(stage, path, &probe, &attempts, why, Vec::new()).await;
    };
    let why = format!("{}; it went {seen}", parting.told());
    let lines = parting.side_by_side(&path.hops, &passage);
    failed(stage, path, &probe, &attempts, why, lines).await
}

async fn failed(
    stage: &Stage<'_>,
    path: &Trace,
    probe: &Probe<IpAddr>,
    attempts: &[Attempt],
    why: String,
    lines: Vec<String>,
) -> Result<Verdict, CheckError> {
    let first = path.hops.first().map(|hop| &hop.link);
    let (more, suspect) = evidence::of_attempts(stage, probe, first, attempts).await?;
    let lines = lines.into_iter().map(Evidence::Line).chain(more).collect();
    let explanation = why::explain(stage, &suspect).await;
    Ok(Verdict::failed(why, lines).explained(explanation))
}

impl Comparison {
    /// Where they part, in words.
    fn told(&self) -> String {
        let show = |it: Option<&String>| it.map_or("nothing more", String::as_str).to_owned();
        format!(
            "expected {} at hop {}, and there was {}",
            show(self.wanted.as_ref()),
            self.number,
            show(self.real.as_ref())
        )
    }
}
