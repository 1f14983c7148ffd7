//! What a failed expectation shows: the way that a probe took, hop by hop.

use std::collections::BTreeMap;
use std::time::Instant;

use fps_packet::{Direction, Frame};

use super::CheckError;
use crate::play::stage::Stage;
use crate::probe::{Answer, Attempt};
use crate::scenario::{HostName, Probe};

/// How many lines of hops are shown.
const SHOWN: usize = 24;

/// The names of a host's interfaces by their index.
pub(super) async fn link_names(
    stage: &Stage<'_>,
    host: &HostName,
) -> Result<BTreeMap<u32, String>, CheckError> {
    let links = stage.lab.host(host).station().netlink().links().await;
    let links = links.map_err(|error| CheckError::Network(host.clone(), error))?;
    Ok(links
        .into_iter()
        .map(|link| (link.index.get(), link.name.to_string()))
        .collect())
}

/// An interface's name; one that is gone by now has only its number left.
pub(super) fn link_name(names: &BTreeMap<u32, String>, index: u32) -> String {
    names
        .get(&index)
        .cloned()
        .unwrap_or_else(|| format!("a link that is gone (index {index})"))
}

/// One packet on one interface.
pub(super) fn line(start: Instant, host: &str, link: &str, frame: &Frame) -> String {
    let at = frame.at.saturating_duration_since(start).as_secs_f64() * 1e3;
    let way = match frame.direction {
        Direction::Sent => "out",
        Direction::OtherHost => "passing by",
        _ => "in",
    };
    let place = format!("{host}:{link}");
    match frame.packet() {
        Some(packet) => format!("{at:8.2} ms  {place:<20} {way:<3} {packet}"),
        None => format!(
            "{at:8.2} ms  {place:<20} {way:<3} protocol {:#06x}",
            frame.protocol
        ),
    }
}

/// How the attempts ended, and where the packets of one of them were seen.
pub(super) async fn of_attempts(
    stage: &Stage<'_>,
    probe: &Probe,
    attempts: &[Attempt],
) -> Result<Vec<String>, CheckError> {
    let mut answers: Vec<(String, usize)> = Vec::new();
    for attempt in attempts {
        let text = match &attempt.answer {
            Answer::Echo { .. } => "answered".to_owned(),
            other => other.to_string(),
        };
        match answers.iter_mut().find(|(known, _)| *known == text) {
            Some((_, count)) => *count += 1,
            None => answers.push((text, 1)),
        }
    }
    let mut lines: Vec<String> = answers
        .into_iter()
        .map(|(answer, count)| format!("{count} x {} {}: {answer}", probe.protocol, probe.address))
        .collect();
    // The first is the one whose packets have had the most time to get somewhere.
    let Some(attempt) = attempts.first() else {
        return Ok(lines);
    };
    let hops = hops(stage, probe, attempt).await?;
    if hops.is_empty() {
        lines.push("the first probe was seen on no interface of the lab".to_owned());
    } else {
        lines.push("the first probe, wherever it was seen:".to_owned());
        lines.extend(hops.into_iter().take(SHOWN));
    }
    Ok(lines)
}

async fn hops(
    stage: &Stage<'_>,
    probe: &Probe,
    attempt: &Attempt,
) -> Result<Vec<String>, CheckError> {
    let mut seen: Vec<(Instant, String)> = Vec::new();
    for (host, tape) in stage.tapes() {
        tape.sync().await?;
        let names = link_names(stage, host).await?;
        tape.look(|frames| {
            let ours = |frame: &&Frame| {
                let nonce = frame.packet().and_then(|packet| packet.nonce());
                nonce == Some(attempt.nonce) || attempt.asks(probe, frame)
            };
            seen.extend(frames.iter().filter(ours).map(|frame| {
                let link = link_name(&names, frame.ifindex);
                (frame.at, line(attempt.at, host.as_str(), &link, frame))
            }));
        });
    }
    seen.sort_by_key(|(at, _)| *at);
    Ok(seen.into_iter().map(|(_, line)| line).collect())
}
