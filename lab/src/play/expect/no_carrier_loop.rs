//! `no-carrier-loop`: the carrier does not go into the tunnel that it carries.
//!
//! Three witnesses: no packet to the carrier's far end passes a link that the lab has not plugged in,
//! such as a TUN device; and the kernel's route for each socket that sends there, with its own mark
//! and source, leads to a link that it has. The first sees what happened, the second what would
//! happen with the next packet. The third is for a loop that no link and no route of this host shows,
//! such as one between two routers: on the links that the lab has plugged in, the carrier says no
//! more than what it carries explains (`volume`).

use std::collections::HashSet;
use std::time::Duration;

use fps_netlink::{Flow, IfIndex, Link};
use fps_packet::{Frame, Packet, Transport};
use tokio::time::{Instant, sleep_until};

use super::carriers::{self, Carrier, Carriers};
use super::control::{self, Place};
use super::volume::Volume;
use super::why::{self, Suspect};
use super::{CheckError, Others, evidence, lossy};
use crate::play::stage::Stage;
use crate::play::{Evidence, Verdict};
use crate::scenario::{NoCarrierLoop, OuterProtocol};

/// How often the carrier's sockets are looked at.
const LOOK: Duration = Duration::from_millis(50);
/// How many packets a failure shows.
const SHOWN: usize = 4;

pub(super) async fn check(
    stage: &Stage<'_>,
    wanted: &NoCarrierLoop,
    others: &Others,
) -> Result<Verdict, CheckError> {
    let watch = Watch::new(stage, wanted);
    let seen = watch.carriers(others).await?;
    let tape = stage.tape(&wanted.on);
    let lost = tape.sync().await?;
    let looped: Vec<Frame> = tape.look(|frames| {
        let looped = frames.iter().filter(|frame| watch.is_loop(frame));
        looped.cloned().collect()
    });
    let volume = watch.volume();
    if !looped.is_empty() || !seen.astray.is_empty() {
        let suspect = Suspect::new(&wanted.on, watch.culprit(&looped, seen.looped));
        let explanation = why::explain(stage, &suspect).await;
        return Ok(watch.broken(&looped, &seen, volume).explained(explanation));
    }
    if lost > 0 {
        return Ok(lossy(&wanted.on, lost));
    }
    let at_the_end = (volume, stage.step_began().elapsed());
    let excessive = |(volume, time): &(Volume, Duration)| volume.is_excessive(*time);
    if let Some((volume, time)) = seen.held.into_iter().chain([at_the_end]).find(excessive) {
        return Ok(watch.amplified(volume, time));
    }
    if let Err(why) = watch.controls().await? {
        return Ok(Verdict::Inconclusive(why));
    }
    if seen.ways.is_empty() {
        let how = match wanted.outer.protocol {
            OuterProtocol::Tcp => "was never connected to",
            OuterProtocol::Udp => "has no socket that sends to",
        };
        return Ok(Verdict::Inconclusive(format!(
            "{} {how} {}: there was no carrier that could loop",
            wanted.on, wanted.endpoint
        )));
    }
    Ok(Verdict::Held(format!(
        "no packet to {} in a tunnel, for {:?} after the acts, and the controls were seen; {}; \
         {volume}",
        wanted.endpoint,
        wanted.hold,
        seen.ways.join(", ")
    )))
}

struct Watch<'a> {
    stage: &'a Stage<'a>,
    wanted: &'a NoCarrierLoop,
    /// The links that the lab has plugged in or had, and the loopback device.
    underlay: HashSet<IfIndex>,
}

/// The ways of the carrier's sockets, in words: of those that are right, and of the others.
#[derive(Default)]
struct Ways {
    ways: Vec<String>,
    astray: Vec<String>,
    /// The first of the latter, as the kernel looks for its way.
    looped: Option<Flow>,
    /// What the carrier had said when it had held for its time, and how long the step had lasted: what is too
    /// much then may be little for all the time that other expectations take.
    held: Option<(Volume, Duration)>,
}

impl<'a> Watch<'a> {
    fn new(stage: &'a Stage<'a>, wanted: &'a NoCarrierLoop) -> Self {
        // Those too that are gone: what they saw in this step was no loop.
        let links = stage.lab.host(&wanted.on).underlay().iter().copied();
        let underlay = links.chain([IfIndex::LOOPBACK]).collect();
        Self {
            stage,
            wanted,
            underlay,
        }
    }

    /// Looks at the sockets that send to the endpoint again and again, as long as it is to hold, and until
    /// the step's other expectations are through.
    async fn carriers(&self, others: &Others) -> Result<Ways, CheckError> {
        let NoCarrierLoop {
            endpoint,
            outer,
            hold,
            ..
        } = *self.wanted;
        let end = Instant::now() + hold;
        let on = &self.wanted.on;
        let mut sockets = Carriers::of(self.stage, on, outer)?;
        let mut seen = Ways::default();
        loop {
            let from = carriers::sources(self.stage, on, endpoint, outer).await?;
            let now = sockets.now(self.stage, endpoint, outer, &from);
            for carrier in now.map_err(|error| self.unreadable(error))? {
                self.look_at(&carrier, &mut seen).await?;
            }
            let now = Instant::now();
            if now < end {
                sleep_until(end.min(now + LOOK)).await;
                continue;
            }
            let time = || (self.volume(), self.stage.step_began().elapsed());
            seen.held.get_or_insert_with(time);
            if others.are_through() {
                return Ok(seen);
            }
            sleep_until(now + LOOK).await;
        }
    }

    /// What the carrier has said, and what it has carried.
    fn volume(&self) -> Volume {
        let tape = self.stage.tape(&self.wanted.on);
        tape.look(|frames| Volume::of(frames, self.wanted, &self.underlay))
    }

    async fn look_at(&self, carrier: &Carrier, seen: &mut Ways) -> Result<(), CheckError> {
        let host = self.stage.lab.host(&self.wanted.on);
        let route = host.station().netlink().lookup(&carrier.flow).await;
        let route = route.map_err(|error| self.unreadable(error))?;
        let Ok(route) = route else {
            // Between two networks there is no way at all, which is no loop.
            return Ok(());
        };
        let Some(link) = route.link else {
            return Ok(());
        };
        let name = self.stage.tape(&self.wanted.on).names().show(link.get());
        let way = format!("{} leaves by {name} (table {})", carrier.whose, route.table);
        let list = match self.underlay.contains(&link) {
            true => &mut seen.ways,
            false => {
                seen.looped.get_or_insert(carrier.flow);
                &mut seen.astray
            }
        };
        if !list.contains(&way) {
            list.push(way);
        }
        Ok(())
    }

    /// Whether a packet to the carrier's far end passes a tunnel.
    fn is_loop(&self, frame: &Frame) -> bool {
        let Some(packet) = frame.packet() else {
            return false;
        };
        let is_link = |index: &IfIndex| index.get() == frame.ifindex;
        packet.destination == self.wanted.endpoint
            && !self.underlay.iter().any(is_link)
            && packet.control().is_none()
            && !is_late_answer(&packet)
            && !self.stage.is_probe(frame)
    }

    /// What the kernel was asked for the way of: a carrier's packet, or else the first that passed, of
    /// whose socket no mark is known.
    fn culprit(&self, looped: &[Frame], socket: Option<Flow>) -> Flow {
        let packet = looped.iter().find_map(Frame::packet);
        let passed = packet.map(|it| Flow::to(it.destination).sent_from(it.source));
        socket.or(passed).unwrap_or(Flow::to(self.wanted.endpoint))
    }

    /// The positive control, on every tunnel there is.
    async fn controls(&self) -> Result<Result<(), String>, CheckError> {
        let tunnels = self.tunnels().await?;
        if tunnels.is_empty() {
            return Ok(Err(format!(
                "{} has no tunnel into which the carrier could go",
                self.wanted.on
            )));
        }
        for tunnel in tunnels {
            let place = Place {
                host: &self.wanted.on,
                link: tunnel.name,
                index: tunnel.index,
            };
            if let Err(why) = control::seen(self.stage, place, self.wanted.endpoint).await? {
                return Ok(Err(why));
            }
        }
        Ok(Ok(()))
    }

    async fn tunnels(&self) -> Result<Vec<Link>, CheckError> {
        let netlink = self.stage.lab.host(&self.wanted.on).station().netlink();
        let links = netlink.links().await;
        let links = links.map_err(|error| self.unreadable(error))?;
        let strange = links
            .into_iter()
            .filter(|link| !self.underlay.contains(&link.index));
        Ok(strange.collect())
    }

    /// A packet or a route shows a loop; what the other witnesses say is told as well.
    fn broken(&self, looped: &[Frame], seen: &Ways, volume: Volume) -> Verdict {
        let (on, endpoint) = (&self.wanted.on, self.wanted.endpoint);
        let why = match looped.len() {
            0 => {
                let what = match self.wanted.outer.protocol {
                    OuterProtocol::Tcp => "connection",
                    OuterProtocol::Udp => "socket that sends",
                };
                format!("the route of a {what} to {endpoint} leads into a tunnel of {on}")
            }
            1 => format!("a packet to {endpoint} went into a tunnel of {on}"),
            count => format!("{count} packets to {endpoint} went into a tunnel of {on}"),
        };
        let names = self.stage.tape(on).names();
        let start = self.stage.step_began();
        let lines = looped
            .iter()
            .take(SHOWN)
            .map(|frame| evidence::hop(start, on.as_str(), &names.show(frame.ifindex), frame));
        let others = seen.ways.iter().cloned().chain([volume.to_string()]);
        let astray = seen.astray.iter().cloned();
        let astray = astray.map(Evidence::Line);
        let evidence = astray.chain(lines.map(Evidence::Hop));
        Verdict::failed(why, evidence.chain(others.map(Evidence::Line)).collect())
    }

    /// The carrier says more than it carries.
    fn amplified(&self, volume: Volume, time: Duration) -> Verdict {
        let (on, endpoint) = (&self.wanted.on, self.wanted.endpoint);
        let why = format!("more of the carrier passed {on} to and from {endpoint} than it carries");
        Verdict::failed(why, vec![volume.excess(time)])
    }

    fn unreadable(&self, error: fps_netlink::Error) -> CheckError {
        CheckError::Network(self.wanted.on.clone(), error)
    }
}

/// Whether the kernel refuses what came for a connection that is over. There is no socket any more
/// whose mark it could take (`tcp_v4_send_reset` in net/ipv4/tcp_ipv4.c), so that it goes where
/// unmarked packets go; nobody answers it, and nothing loops.
fn is_late_answer(packet: &Packet<'_>) -> bool {
    match packet.transport {
        Transport::Tcp { flags, .. } => flags.rst && !flags.ack && !flags.syn,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use fps_packet::TcpFlags;

    use super::*;

    fn is_late(flags: TcpFlags) -> bool {
        is_late_answer(&Packet {
            source: Ipv4Addr::LOCALHOST.into(),
            destination: Ipv4Addr::LOCALHOST.into(),
            transport: Transport::Tcp {
                source_port: 1,
                destination_port: 2,
                flags,
            },
            payload: b"",
        })
    }

    #[test]
    fn only_a_bare_reset_is_a_late_answer() {
        let none = TcpFlags::default();
        let (rst, ack) = (true, true);
        assert!(is_late(TcpFlags { rst, ..none }));
        // It refuses one who wants to connect: somebody asked for that.
        assert!(!is_late(TcpFlags { rst, ack, ..none }));
        assert!(!is_late(TcpFlags { ack, ..none }));
        assert!(!is_late(TcpFlags { syn: true, ..none }));
    }
}
