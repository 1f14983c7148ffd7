//! What a failed expectation shows: the way that a probe took, hop by hop.

use std::net::IpAddr;
use std::time::Instant;

use fps_netlink::Flow;
use fps_packet::{Direction, Frame};

use super::CheckError;
use crate::play::stage::Stage;
use crate::probe::{Answer, Attempt, Mark};
use crate::scenario::{HostName, Probe};

/// How many lines of hops are shown.
const SHOWN: usize = 24;

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
    lines.extend(stage.programs.obituaries());
    // The first is the one whose packets have had the most time to get somewhere.
    let Some(attempt) = attempts.first() else {
        return Ok(lines);
    };
    let hops = hops(stage, attempt.mark, attempt.at).await?;
    let last_host = hops.last().map_or(&probe.from, |hop| &hop.host).clone();
    if hops.is_empty() {
        lines.push("the first probe was seen on no interface of the lab".to_owned());
    } else {
        lines.push("the first probe, wherever it was seen:".to_owned());
        lines.extend(hops.iter().take(SHOWN).map(|hop| hop.line.clone()));
    }
    lines.push(way(stage, &probe.from, probe.address).await?);
    if last_host != probe.from {
        // Where a question ends, either it or its answer has no way on.
        let towards = match hops.last().and_then(|hop| hop.source) {
            Some(source) if probe.to.as_ref() == Some(&last_host) => source,
            _ => probe.address,
        };
        lines.push(way(stage, &last_host, towards).await?);
    }
    Ok(lines)
}

/// Where a host's routes lead.
async fn way(stage: &Stage<'_>, host: &HostName, to: IpAddr) -> Result<String, CheckError> {
    let netlink = stage.lab.host(host).station().netlink();
    let route = netlink.lookup(&Flow::to(to)).await;
    let route = route.map_err(|error| CheckError::Network(host.clone(), error))?;
    let route = match route {
        Err(errno) => {
            return Ok(format!(
                "{host} has no way to {to}: {}",
                errno.desc().to_lowercase()
            ));
        }
        Ok(route) => route,
    };
    let names = stage.tape(host).names();
    let link = route
        .link
        .map_or_else(String::new, |link| names.show(link.get()));
    let via = route
        .gateway
        .map_or_else(String::new, |gateway| format!(" via {gateway}"));
    Ok(format!(
        "{host} sends what is for {to} by {link}{via} (table {})",
        route.table
    ))
}

/// A packet of a probe on one interface.
struct Hop {
    at: Instant,
    host: HostName,
    link: String,
    source: Option<IpAddr>,
    line: String,
}

/// The interface on which a question's packets were seen last.
pub(super) async fn last_place(
    stage: &Stage<'_>,
    mark: Mark,
) -> Result<Option<String>, CheckError> {
    let hops = hops(stage, mark, stage.step_began()).await?;
    Ok(hops.last().map(|hop| format!("{}:{}", hop.host, hop.link)))
}

async fn hops(stage: &Stage<'_>, mark: Mark, start: Instant) -> Result<Vec<Hop>, CheckError> {
    let mut seen = Vec::new();
    for (host, tape) in stage.tapes() {
        tape.sync().await?;
        tape.look(|frames| {
            let ours = frames.iter().filter(|frame| mark.concerns(frame));
            seen.extend(ours.map(|frame| {
                let link = tape.names().show(frame.ifindex);
                Hop {
                    at: frame.at,
                    host: host.clone(),
                    source: frame.packet().map(|packet| packet.source),
                    line: line(start, host.as_str(), &link, frame),
                    link,
                }
            }));
        });
    }
    seen.sort_by_key(|hop| hop.at);
    Ok(seen)
}
