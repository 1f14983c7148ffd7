//! What a failed expectation shows: the way that a probe took, hop by hop.

use std::net::IpAddr;
use std::time::Instant;

use fps_netlink::LinkName;
use fps_packet::Frame;

use super::CheckError;
use super::trail::{self, Trail};
use super::why::Suspect;
use crate::play::stage::Stage;
use crate::play::{Evidence, Hop};
use crate::probe::{Answer, Attempt};
use crate::scenario::Probe;

/// How many lines of hops are shown.
const SHOWN: usize = 14;

/// One packet on one interface.
pub(super) fn hop(start: Instant, host: &str, link: &str, frame: &Frame) -> Hop {
    Hop {
        at: frame.at.saturating_duration_since(start),
        host: host.to_owned(),
        link: link.to_owned(),
        way: frame.direction.into(),
        packet: match frame.packet() {
            Some(packet) => packet.to_string(),
            None => format!("protocol {:#06x}", frame.protocol),
        },
    }
}

/// How the attempts ended, and where the packets of one of them were seen.
pub(super) async fn of_attempts(
    stage: &Stage<'_>,
    probe: &Probe<IpAddr>,
    via: Option<&LinkName>,
    attempts: &[Attempt],
) -> Result<(Vec<Evidence>, Suspect), CheckError> {
    let mut lines = answers(probe, attempts);
    lines.extend(stage.programs.obituaries());
    let mut lines: Vec<Evidence> = lines.into_iter().map(Evidence::Line).collect();
    // The first is the one whose packets have had the most time to get somewhere.
    let Some(attempt) = attempts.first() else {
        return Ok((lines, Suspect::new(&probe.from, trail::flow(probe))));
    };
    let trail = Trail::of(stage, attempt.mark).await?;
    lines.extend(hops(&trail, attempt.at));
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
                .of(probe)
        }
    };
    Ok((lines, suspect))
}

/// How often each answer came.
fn answers(probe: &Probe<IpAddr>, attempts: &[Attempt]) -> Vec<String> {
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
    let asked = format!("{} {}", probe.protocol, probe.address);
    let lines = answers.into_iter();
    lines
        .map(|(answer, count)| format!("{count} x {asked}: {answer}"))
        .collect()
}

/// Where the first question was seen.
fn hops(trail: &Trail, asked: Instant) -> Vec<Evidence> {
    let line = |text: &str| Evidence::Line(text.to_owned());
    let hops = &trail.hops;
    if hops.is_empty() {
        return vec![line("the first probe was seen on no interface of the lab")];
    }
    let mut lines = vec![line("the first probe, wherever it was seen:")];
    let shown = hops.iter().take(SHOWN);
    lines.extend(shown.map(|hop| hop.shown(asked).into()));
    if let Some(more) = hops.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        lines.push(line(&format!("and {more} times more")));
    }
    lines
}
