//! In which way a target is out of reach: what the socket says, and what the captures show.

use std::fmt;
use std::net::IpAddr;

use fps_packet::{Direction, Icmp, Packet, TcpFlags, Transport};
use nix::errno::Errno;

use super::trail::{Trail, flow};
use super::why::Suspect;
use super::{CheckError, neighbour};
use crate::explain::Fate;
use crate::play::stage::Stage;
use crate::probe::{Answer, Attempt};
use crate::scenario::{HostName, How, Probe};

/// In which way, and on what grounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Grounds {
    /// None where it is neither of the three.
    pub(super) how: Option<How>,
    /// What was seen, in words.
    pub(super) seen: String,
}

impl fmt::Display for Grounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.how {
            Some(how) => write!(f, "{how}: {}", self.seen),
            None => f.write_str(&self.seen),
        }
    }
}

/// In which ways a probe was not answered, without repetition.
///
/// Silence counts only where there was nothing else, and as the first attempt met it, which has
/// waited longest: routers do not tell one sender more than so many errors in a second
/// (`icmp_ratelimit`), and the last attempts may just have been sent.
pub(super) async fn of(
    stage: &Stage<'_>,
    probe: &Probe<IpAddr>,
    attempts: &[Attempt],
) -> Result<Vec<Grounds>, CheckError> {
    let mut all: Vec<Grounds> = Vec::new();
    for attempt in attempts {
        if let Some(grounds) = told(stage, probe, attempt).await?
            && !all.contains(&grounds)
        {
            all.push(grounds);
        }
    }
    if let (true, Some(first)) = (all.is_empty(), attempts.first()) {
        all.push(silence(stage, probe, first).await?);
    }
    Ok(all)
}

/// What somebody said about an attempt; none where nobody said anything.
async fn told(
    stage: &Stage<'_>,
    probe: &Probe<IpAddr>,
    attempt: &Attempt,
) -> Result<Option<Grounds>, CheckError> {
    if let Some(error) = icmp_error(stage, &probe.from, attempt).await? {
        return Ok(Some(by_icmp(stage, probe, attempt, error).await?));
    }
    let grounds = |how, seen: String| Ok(Some(Grounds { how, seen }));
    match &attempt.answer {
        Answer::Echo { .. } | Answer::Silence | Answer::Stuck(_) => Ok(None),
        Answer::Stalled { .. } | Answer::Garbled => grounds(
            Some(How::Filtered),
            format!("the connection stood, but {}", attempt.answer),
        ),
        Answer::Page(page) => grounds(None, format!("somebody answered: {page}")),
        Answer::Tls(failure) if failure.is_cut() => {
            let said = |packet: &Packet<'_>| resets(packet).is_some();
            let by = match sent_by_target(stage, probe, attempt, said).await? {
                true => "by the target itself",
                false => "by somebody in the target's name: its own capture has not sent that",
            };
            grounds(None, format!("{failure} {by}"))
        }
        Answer::Tls(failure) => grounds(None, format!("somebody answered, but {failure}")),
        Answer::Refused => {
            let said = |packet: &Packet<'_>| resets(packet).is_some();
            match sent_by_target(stage, probe, attempt, said).await? {
                true => grounds(
                    Some(How::Refused),
                    "the target itself ended the connection".to_owned(),
                ),
                false => grounds(
                    Some(How::Filtered),
                    "somebody ended the connection in the target's name: its own capture has not \
                     sent that"
                        .to_owned(),
                ),
            }
        }
        Answer::NoWay(errno) => Ok(Some(no_way(stage, probe, attempt, *errno).await?)),
    }
}

/// What the sender's own kernel has said.
async fn no_way(
    stage: &Stage<'_>,
    probe: &Probe<IpAddr>,
    attempt: &Attempt,
    errno: Errno,
) -> Result<Grounds, CheckError> {
    let what = errno.desc().to_lowercase();
    let (how, seen) = match errno {
        Errno::EPERM => (
            Some(How::Filtered),
            format!("the sender's own firewall: {what}"),
        ),
        Errno::EMSGSIZE => (
            None,
            "the packet is larger than the way takes, as the sender knows".to_owned(),
        ),
        Errno::ENOBUFS => (None, format!("a link of the sender has dropped it: {what}")),
        _ => match left(stage, &probe.from, attempt).await? {
            false => (
                Some(How::Unrouted),
                format!("{what}, and nothing left the sender"),
            ),
            true => (
                Some(How::Filtered),
                format!("{what}, though the packet left the sender"),
            ),
        },
    };
    Ok(Grounds { how, seen })
}

/// An ICMP error that came to the sender: who sent it, and what it says.
struct Complaint {
    by: IpAddr,
    icmp: Icmp,
}

async fn icmp_error(
    stage: &Stage<'_>,
    from: &HostName,
    attempt: &Attempt,
) -> Result<Option<Complaint>, CheckError> {
    let tape = stage.tape(from);
    tape.sync().await?;
    Ok(tape.look(|frames| {
        let mut about = frames
            .iter()
            .filter(|frame| frame.direction == Direction::Received && attempt.mark.concerns(frame));
        about.find_map(|frame| {
            let packet = frame.packet()?;
            packet.quoted()?;
            match packet.transport {
                Transport::Icmp(icmp) => Some(Complaint {
                    by: packet.source,
                    icmp,
                }),
                _ => None,
            }
        })
    }))
}

/// What an ICMP error means (RFC 792, RFC 1812 5.2.7.1; RFC 4443 3.1).
async fn by_icmp(
    stage: &Stage<'_>,
    probe: &Probe<IpAddr>,
    attempt: &Attempt,
    complaint: Complaint,
) -> Result<Grounds, CheckError> {
    let Complaint { by, icmp } = complaint;
    let v4 = by.is_ipv4();
    let (how, what) = match icmp {
        Icmp::Unreachable { code } => match (v4, code) {
            (true, 9 | 10 | 13) | (false, 1 | 5 | 6) => (
                Some(How::Filtered),
                format!("{by} said that it is prohibited (ICMP unreachable, code {code})"),
            ),
            (true, 2 | 3) | (false, 4) => {
                let said = |packet: &Packet<'_>| packet.quoted().is_some();
                let itself = by == probe.address;
                match itself && sent_by_target(stage, probe, attempt, said).await? {
                    true => (
                        Some(How::Refused),
                        "the target itself said that there is no such port".to_owned(),
                    ),
                    false => (
                        Some(How::Filtered),
                        format!("{by} said that there is no such port, and the target did not"),
                    ),
                }
            }
            _ => (
                Some(How::Unrouted),
                format!("{by} said that it has no way there (ICMP unreachable, code {code})"),
            ),
        },
        Icmp::TimeExceeded => (
            Some(How::Unrouted),
            format!("{by} said that it has been through too many routers"),
        ),
        Icmp::TooBig { mtu } => (
            None,
            format!("{by} said that the next link takes {mtu} bytes"),
        ),
        _ => (None, format!("{by} said {icmp:?}")),
    };
    Ok(Grounds { how, seen: what })
}

/// Whether the target's own capture has sent something about the attempt.
async fn sent_by_target(
    stage: &Stage<'_>,
    probe: &Probe<IpAddr>,
    attempt: &Attempt,
    said: impl Fn(&Packet<'_>) -> bool,
) -> Result<bool, CheckError> {
    let Some(target) = &probe.to else {
        return Ok(false);
    };
    let tape = stage.tape(target);
    tape.sync().await?;
    let came = tape.look(|frames| {
        let mut of_ours = frames.iter().filter_map(fps_packet::Frame::packet);
        of_ours.find_map(|packet| attempt.mark.opens(&packet))
    });
    Ok(tape.look(|frames| {
        let mut sent = frames
            .iter()
            .filter(|frame| frame.direction == Direction::Sent);
        sent.any(|frame| {
            let Some(packet) = frame.packet() else {
                return false;
            };
            // Behind a router that translates addresses the target knows the sender by another.
            let ours = attempt.mark.concerns(frame) || came == resets(&packet) && came.is_some();
            ours && said(&packet)
        })
    }))
}

/// The connection that a packet ends or breaks off: who it goes to, and both ports.
fn resets(packet: &Packet<'_>) -> Option<(IpAddr, u16, u16)> {
    match packet.transport {
        Transport::Tcp {
            source_port,
            destination_port,
            flags: TcpFlags { rst, fin, .. },
        } if rst || fin => Some((packet.destination, destination_port, source_port)),
        _ => None,
    }
}

/// Whether any packet of an attempt left the sender.
async fn left(stage: &Stage<'_>, from: &HostName, attempt: &Attempt) -> Result<bool, CheckError> {
    let tape = stage.tape(from);
    tape.sync().await?;
    Ok(tape.look(|frames| frames.iter().any(|frame| attempt.mark.asks(frame))))
}

/// Nobody said anything: where the packet was seen last, or why it never left.
async fn silence(
    stage: &Stage<'_>,
    probe: &Probe<IpAddr>,
    attempt: &Attempt,
) -> Result<Grounds, CheckError> {
    if let Answer::Stuck(phase) = attempt.answer {
        return Ok(Grounds {
            how: Some(How::Filtered),
            seen: format!("the connection stood, but {phase}"),
        });
    }
    let trail = Trail::of(stage, attempt.mark).await?;
    let mut seen = trail.hops.iter().rev();
    if let Some(last) = seen.find(|hop| !hop.passes_by()) {
        return lost(stage, &trail.suspect(probe), &last.place()).await;
    }
    let netlink = stage.lab.host(&probe.from).station().netlink();
    let route = netlink.lookup(&flow(probe)).await;
    let route = route.map_err(|error| CheckError::Network(probe.from.clone(), error))?;
    let (how, seen) = match route {
        Err(errno) => (
            How::Unrouted,
            format!("nothing left the sender: {}", errno.desc().to_lowercase()),
        ),
        Ok(route) => {
            let next = route.gateway.unwrap_or(probe.address);
            match neighbour::is_mute(stage, &probe.from, next).await? {
                true => (
                    How::Unrouted,
                    format!("nothing left the sender, since nobody on its link is {next}"),
                ),
                false => (
                    How::Filtered,
                    "nothing left the sender, though it has a route: its own firewall lost it"
                        .to_owned(),
                ),
            }
        }
    };
    Ok(Grounds {
        how: Some(how),
        seen,
    })
}

/// A packet was lost where no one else has it: asks the kernel there what it does with it. A router tells
/// a sender only now and then that it has no way.
async fn lost(stage: &Stage<'_>, suspect: &Suspect, place: &str) -> Result<Grounds, CheckError> {
    let Suspect { host, flow, .. } = suspect;
    let netlink = stage.lab.host(host).station().netlink();
    let route = netlink.lookup(flow).await;
    let route = route.map_err(|error| CheckError::Network(host.clone(), error))?;
    let seen = format!("silence, and the packet was last seen on {place}");
    // Who drops a packet has taken it in.
    if suspect.fate == Some(Fate::Lost) {
        let seen = format!("{seen}, by which it left, and nobody took it in");
        return Ok(Grounds { how: None, seen });
    }
    let (how, seen) = match route {
        Ok(route) => {
            let next = route.gateway.unwrap_or(flow.to);
            match neighbour::is_mute(stage, host, next).await? {
                true => (
                    How::Unrouted,
                    format!("{seen}; nobody on a link of {host} is {next}"),
                ),
                false => (How::Filtered, seen),
            }
        }
        Err(errno) => {
            // A prohibit route answers EACCES (ip-route(8)).
            let how = match errno {
                Errno::EACCES => How::Filtered,
                _ => How::Unrouted,
            };
            let what = errno.desc().to_lowercase();
            (how, format!("{seen}; to {} {host} says: {what}", flow.to))
        }
    };
    Ok(Grounds {
        how: Some(how),
        seen,
    })
}
