//! `silent`: no packet that matches is seen on a link, though the capture would see one.

use std::net::{IpAddr, Ipv4Addr};

use fps_netlink::{Flow, IfIndex};
use fps_packet::{Direction, Frame, Icmp, Packet, Transport};
use tokio::time::{Instant, sleep_until};

use super::control::{self, Place};
use super::why::{self, Suspect};
use super::{CheckError, Others, evidence, locate, lossy, sockets};
use crate::play::Verdict;
use crate::play::stage::Stage;
use crate::scenario::{self, Silent};
use crate::tape::Tape;

/// How many packets a failure shows.
const SHOWN: usize = 10;

pub(super) async fn check(
    stage: &Stage<'_>,
    silent: &Silent,
    others: &Others,
) -> Result<Verdict, CheckError> {
    let Some(peers) = peers(stage, silent).await? else {
        let why = "what is to be silent has no address, by which it would be known";
        return Ok(Verdict::Inconclusive(why.to_owned()));
    };
    sleep_until(Instant::now() + silent.hold).await;
    others.through().await;
    let host = stage.lab.host(&silent.on);
    let link = host
        .station()
        .netlink()
        .link(&silent.link)
        .await
        .map_err(|error| CheckError::Network(silent.on.clone(), error))?;
    let Some(link) = link else {
        return Ok(Verdict::Inconclusive(format!(
            "{} has no link {}: its silence proves nothing",
            silent.on, silent.link
        )));
    };
    let tape = stage.tape(&silent.on);
    let lost = tape.sync().await?;
    let heard = tape.look(|frames| {
        let heard = frames
            .iter()
            .filter(|frame| counts(stage, (silent, &peers), tape, frame) != Some(false));
        heard.cloned().collect::<Vec<_>>()
    });
    let strange = heard
        .iter()
        .find(|frame| counts(stage, (silent, &peers), tape, frame).is_none());
    if let Some(frame) = strange {
        return Ok(Verdict::Inconclusive(format!(
            "a packet passed {} on a link that came and went unseen (index {}), which may have \
             been {}",
            silent.on, frame.ifindex, silent.link
        )));
    }
    if !heard.is_empty() {
        return explained(stage, silent, &heard).await;
    }
    if lost > 0 {
        return Ok(lossy(&silent.on, lost));
    }
    let place = Place {
        host: &silent.on,
        link: silent.link,
        index: link.index,
    };
    let target = peers.first().copied();
    let target = target.unwrap_or(Ipv4Addr::new(192, 0, 2, 1).into());
    match control::seen(stage, place, target).await? {
        Ok(()) => Ok(Verdict::Held(format!(
            "nothing since the step began, for {:?} after its acts; the control was seen",
            silent.hold
        ))),
        Err(why) => Ok(Verdict::Inconclusive(why)),
    }
}

/// The addresses of those whose packets count, as they are now: a lease may end meanwhile.
async fn peers(stage: &Stage<'_>, silent: &Silent) -> Result<Option<Vec<IpAddr>>, CheckError> {
    let mut peers = Vec::new();
    for peer in &silent.peers {
        match locate::locate(stage, peer).await? {
            Some(address) => peers.push(address),
            None => return Ok(None),
        }
    }
    Ok(Some(peers))
}

async fn explained(
    stage: &Stage<'_>,
    silent: &Silent,
    heard: &[Frame],
) -> Result<Verdict, CheckError> {
    let broken = broken(silent, stage.step_began(), heard);
    Ok(match culprit(stage, silent, heard).await? {
        Some(suspect) => broken.explained(why::explain(stage, &suspect).await),
        None => broken,
    })
}

/// The first packet that was sent by that link: as one of the host's own, with the mark that its
/// connection has now, or as one that it forwarded.
async fn culprit(
    stage: &Stage<'_>,
    silent: &Silent,
    heard: &[Frame],
) -> Result<Option<Suspect>, CheckError> {
    let sent = heard.iter().filter(|it| it.direction == Direction::Sent);
    let Some(packet) = sent.filter_map(Frame::packet).next() else {
        return Ok(None);
    };
    let tape = stage.tape(&silent.on);
    let came_by = tape.look(|frames| {
        let mut same = frames.iter().filter(|frame| {
            frame.direction == Direction::Received && frame.packet() == Some(packet)
        });
        same.find_map(|frame| IfIndex::new(frame.ifindex))
    });
    let (from, to) = (packet.source, packet.destination);
    let flow = match came_by {
        Some(link) => Flow::to(to).came_in(from, link),
        None => match sockets::of_packet(stage, &silent.on, &packet)? {
            Some(socket) => socket.flow(),
            None => Flow::to(to).sent_from(from),
        },
    };
    // What is not to be seen on one link was to go by the tunnel, as far as there is one.
    let tun = why::client_tun(stage, &silent.on).filter(|tun| *tun != silent.link);
    Ok(Some(Suspect {
        wanted: tun,
        left_by: Some(silent.link),
        hint: Some(format!("that is where the routes of {} lead it", silent.on)),
        ..Suspect::new(&silent.on, flow)
    }))
}

/// Whether a packet breaks the silence; none where it cannot be said which link it passed.
fn counts(
    stage: &Stage<'_>,
    (silent, peers): (&Silent, &[IpAddr]),
    tape: &Tape,
    frame: &Frame,
) -> Option<bool> {
    let Some(packet) = frame.packet() else {
        return Some(false);
    };
    // The lab's own: another check's control packet, and what is left of earlier steps' probes.
    if packet.control().is_some() || stage.asked_before(frame) {
        return Some(false);
    }
    let concerns = |ip: IpAddr| peers.contains(&ip);
    let matches = match peers {
        [] => !is_housekeeping(&packet),
        _ => concerns(packet.source) || concerns(packet.destination),
    };
    let goes = match silent.direction {
        None => true,
        Some(scenario::Direction::In) => frame.direction != Direction::Sent,
        Some(scenario::Direction::Out) => frame.direction == Direction::Sent,
    };
    if matches && goes {
        tape.names().was(frame.ifindex, silent.link.as_str())
    } else {
        Some(false)
    }
}

/// What the kernel says by itself on every link, whether anybody uses it or not: neighbour
/// discovery (RFC 4861; not router advertisements and redirects, which somebody means) and group
/// membership (MLD, RFC 3810; IGMP).
fn is_housekeeping(packet: &Packet<'_>) -> bool {
    match packet.transport {
        Transport::Icmp(Icmp::Other { kind }) => {
            packet.source.is_ipv6() && matches!(kind, 130..=133 | 135 | 136 | 143)
        }
        Transport::Other(protocol) => i32::from(protocol) == nix::libc::IPPROTO_IGMP,
        _ => false,
    }
}

fn broken(silent: &Silent, start: std::time::Instant, heard: &[Frame]) -> Verdict {
    let passed = match silent.direction {
        None => "passed",
        Some(scenario::Direction::In) => "came in",
        Some(scenario::Direction::Out) => "left",
    };
    let why = format!(
        "expected silence on {}:{}; {} packets {passed} since the step began",
        silent.on,
        silent.link,
        heard.len()
    );
    let evidence = heard
        .iter()
        .take(SHOWN)
        .map(|frame| evidence::hop(start, silent.on.as_str(), silent.link.as_str(), frame))
        .collect();
    Verdict::failed(why, evidence)
}
