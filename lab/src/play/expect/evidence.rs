//! What a failed expectation shows: the way that a probe took, hop by hop.

use std::net::IpAddr;
use std::time::Instant;

use fps_netlink::LinkName;
use fps_packet::{Direction, Frame};

use super::CheckError;
use super::trail::{self, Trail};
use super::why::Suspect;
use crate::play::stage::Stage;
use crate::probe::{Answer, Attempt};
use crate::scenario::Probe;

/// How many lines of hops are shown.
const SHOWN: usize = 14;

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
    probe: &Probe<IpAddr>,
    via: Option<&LinkName>,
    attempts: &[Attempt],
) -> Result<(Vec<String>, Suspect), CheckError> {
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
        return Ok((lines, Suspect::new(&probe.from, trail::flow(probe))));
    };
    let trail = Trail::of(stage, attempt.mark, attempt.at).await?;
    let hops = &trail.hops;
    if hops.is_empty() {
        lines.push("the first probe was seen on no interface of the lab".to_owned());
    } else {
        lines.push("the first probe, wherever it was seen:".to_owned());
        lines.extend(hops.iter().take(SHOWN).map(|hop| hop.line.clone()));
    }
    if let Some(more) = hops.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        lines.push(format!("and {more} times more"));
    }
    let left_by = trail.left_by(&probe.from);
    let astray = via
        .zip(left_by.as_ref())
        .is_some_and(|(via, link)| via != link);
    // Where somebody has answered, or it left by another link than it was to, the sender chose.
    let suspect = match attempt.answer.is_echo() || astray {
        true => Suspect {
            left_by,
            wanted: via.copied(),
            ..Suspect::new(&probe.from, trail::flow(probe))
        },
        false => {
            let suspect = trail.suspect(probe);
            let told = trail.told_too_big(probe, &suspect);
            suspect
                .answered(&attempt.answer)
                .told(told)
                .wanted(&probe.from, via)
        }
    };
    Ok((lines, suspect))
}
