//! `not-asked`: a DNS server is not asked for a name, though its log would show it.

use std::net::Ipv4Addr;
use std::time::Duration;

use fps_dns::zone::{Name, RecordType};
use fps_packet::Nonce;
use tokio::time::{Instant, sleep_until, timeout};

use super::CheckError;
use crate::ask::question;
use crate::lab::{LogEntry, NameServer};
use crate::play::Verdict;
use crate::play::stage::Stage;
use crate::probe::ProbeError;
use crate::scenario::NotAsked;

/// How long the control question may take.
const PATIENCE: Duration = Duration::from_secs(1);
/// How many questions a failure shows.
const SHOWN: usize = 10;

pub(super) async fn check(stage: &Stage<'_>, wanted: &NotAsked) -> Result<Verdict, CheckError> {
    sleep_until(Instant::now() + wanted.hold).await;
    let host = stage.lab.host(&wanted.on);
    let server = host.name_server().expect("validation has seen it");
    let below = wanted.name.name();
    // The lab's own questions are below `.` as well, if several of these run at once.
    let seen =
        |entry: &LogEntry| below.zone_of(&entry.asked.name) && !stage.is_control(&entry.asked.name);
    let asked: Vec<_> = since_the_step(stage, server)
        .into_iter()
        .filter(seen)
        .collect();
    if !asked.is_empty() {
        return Ok(broken(stage, wanted, &asked));
    }
    if server.has_lost() {
        let why = format!("{} was asked more than can be remembered", wanted.on);
        return Ok(Verdict::Inconclusive(why));
    }
    let nonce = Nonce::random().map_err(ProbeError::from)?;
    let control = format!("control-{nonce}.invalid.");
    let control: Name = control.to_lowercase().parse().expect("a nonce is short");
    stage.asks_control(control.clone());
    let to = Ipv4Addr::LOCALHOST.into();
    let asking = question(stage.lab.sandbox(), host.id(), to, &control, RecordType::A);
    // Whatever it answers: what counts is that its log has it.
    let _ = timeout(PATIENCE, asking).await;
    let entries = since_the_step(stage, server);
    match entries.iter().any(|entry| entry.asked.name == control) {
        true => Ok(Verdict::Held(format!(
            "not since the step began, for {:?} after its acts; the control was seen",
            wanted.hold
        ))),
        false => Ok(Verdict::Inconclusive(format!(
            "{} has not seen the question that the lab asked it itself: its silence proves nothing",
            wanted.on
        ))),
    }
}

fn since_the_step(stage: &Stage<'_>, server: &NameServer) -> Vec<LogEntry> {
    server.asked_since(stage.step_began())
}

fn broken(stage: &Stage<'_>, wanted: &NotAsked, asked: &[LogEntry]) -> Verdict {
    let evidence = asked.iter().take(SHOWN).map(|entry| {
        let after = entry.at.saturating_duration_since(stage.step_began());
        let LogEntry {
            from,
            by,
            asked,
            word,
            ..
        } = entry;
        format!(
            "{after:.1?} {from} ({by:?}) asked for {} {}: {word}",
            asked.name, asked.kind
        )
    });
    let why = format!(
        "expected that {} is not asked for {}; it was, {} times since the step began",
        wanted.on,
        wanted.name,
        asked.len()
    );
    Verdict::failed(why, evidence.collect())
}
