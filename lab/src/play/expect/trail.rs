//! Where the packets of one question were seen, on all hosts, and where they were lost.

use std::net::IpAddr;
use std::time::Instant;

use fps_netlink::{Flow, IfIndex, LinkName};
use fps_packet::{Direction, Frame, Icmp, Transport};

use super::CheckError;
use super::evidence::line;
use super::why::{Stranded, Suspect};
use crate::play::stage::Stage;
use crate::probe::Mark;
use crate::scenario::{HostName, Probe, ProbeProtocol};

/// A packet of a question on one interface.
pub(super) struct Hop {
    pub(super) host: HostName,
    pub(super) link: String,
    pub(super) line: String,
    frame: Frame,
}

/// All of them, in order of time.
pub(super) struct Trail {
    pub(super) hops: Vec<Hop>,
    mark: Mark,
}

impl Hop {
    pub(super) fn place(&self) -> String {
        format!("{}:{}", self.host, self.link)
    }

    fn index(&self) -> Option<IfIndex> {
        IfIndex::new(self.frame.ifindex)
    }

    fn came_in(&self) -> bool {
        self.frame.direction != Direction::Sent
    }

    fn ends(&self) -> Option<(IpAddr, IpAddr)> {
        let packet = self.frame.packet()?;
        Some((packet.source, packet.destination))
    }

    /// Whether it is an ICMP error.
    fn complains(&self) -> bool {
        let packet = self.frame.packet();
        packet.is_some_and(|packet| packet.quoted().is_some())
    }

    /// Whether it says that a packet is too big.
    fn says_too_big(&self) -> bool {
        let packet = self.frame.packet();
        packet.is_some_and(|it| matches!(it.transport, Transport::Icmp(Icmp::TooBig { .. })))
    }
}

impl Trail {
    /// Collects them; the lines count from `start`.
    pub(super) async fn of(
        stage: &Stage<'_>,
        mark: Mark,
        start: Instant,
    ) -> Result<Self, CheckError> {
        let mut hops = Vec::new();
        for (host, tape) in stage.tapes() {
            tape.sync().await?;
            tape.look(|frames| {
                let ours = frames.iter().filter(|frame| mark.concerns(frame));
                hops.extend(ours.map(|frame| {
                    let link = tape.names().show(frame.ifindex);
                    Hop {
                        host: host.clone(),
                        line: line(start, host.as_str(), &link, frame),
                        link,
                        frame: frame.clone(),
                    }
                }));
            });
        }
        hops.sort_by_key(|hop| hop.frame.at);
        Ok(Self { hops, mark })
    }

    /// The host that decided wrongly, or that nothing left any more.
    pub(super) fn suspect(&self, probe: &Probe<IpAddr>) -> Suspect {
        if let Some(suspect) = self.refuser() {
            return suspect;
        }
        let asks = |hop: &&Hop| self.mark.asks(&hop.frame);
        let Some(last) = self.hops.iter().rev().find(asks) else {
            return Suspect::new(&probe.from, flow(probe));
        };
        let at_target = probe.to.as_ref() == Some(&last.host) && last.came_in();
        if !at_target {
            return self.lost_at(last, probe);
        }
        let answers = |hop: &&Hop| !self.mark.asks(&hop.frame) && !hop.complains();
        match (self.hops.iter().rev().find(answers), last.ends()) {
            (Some(answer), _) => self.lost_at(answer, probe),
            (None, Some((asker, target))) => {
                Suspect::new(&last.host, Flow::to(asker).sent_from(target))
            }
            (None, None) => Suspect::new(&probe.from, flow(probe)),
        }
    }

    /// The link by which the question left its sender first.
    pub(super) fn left_by(&self, sender: &HostName) -> Option<LinkName> {
        let mut hops = self.hops.iter();
        let first = hops.find(|hop| hop.host == *sender && !hop.came_in())?;
        LinkName::new(&first.link).ok()
    }

    /// Whether the sender has heard that a packet was too big.
    pub(super) fn told_too_big(&self, sender: &HostName) -> bool {
        let mut hops = self.hops.iter();
        hops.any(|hop| hop.host == *sender && hop.came_in() && hop.says_too_big())
    }

    /// The host that answered with an ICMP error: what it says is about what came in there.
    fn refuser(&self) -> Option<Suspect> {
        let complaint = self
            .hops
            .iter()
            .find(|hop| hop.complains() && !hop.came_in())?;
        let about = self
            .hops
            .iter()
            .rev()
            .find(|hop| hop.host == complaint.host && hop.came_in() && !hop.complains());
        about.map(|hop| self.stranded(hop))
    }

    /// Where a packet that was seen there last went astray.
    fn lost_at(&self, last: &Hop, probe: &Probe<IpAddr>) -> Suspect {
        if last.came_in() {
            return self.stranded(last);
        }
        // It left and came nowhere. What came in here before was forwarded.
        let asks = |hop: &Hop| self.mark.asks(&hop.frame);
        let same = |hop: &&Hop| hop.host == last.host && hop.came_in() && asks(hop) == asks(last);
        let came_in = self.hops.iter().rev().find(same);
        match (came_in.and_then(Hop::index), last.ends()) {
            // The host may have given it other addresses meanwhile.
            (Some(link), Some((source, destination))) => Suspect {
                lost: true,
                ..Suspect::new(&last.host, Flow::to(destination).came_in(source, link))
            },
            (None, Some((source, destination))) if last.host == probe.from => {
                let flow = Flow {
                    to: destination,
                    ..flow(probe).sent_from(source)
                };
                Suspect {
                    lost: true,
                    left_by: LinkName::new(&last.link).ok(),
                    ..Suspect::new(&last.host, flow)
                }
            }
            (None, Some((source, destination))) => Suspect {
                lost: true,
                ..Suspect::new(&last.host, Flow::to(destination).sent_from(source))
            },
            (_, None) => Suspect::new(&probe.from, flow(probe)),
        }
    }

    /// A packet that came in and got no further.
    fn stranded(&self, hop: &Hop) -> Suspect {
        let (Some((from, to)), Some(link)) = (hop.ends(), hop.index()) else {
            unreachable!("a packet of a question is an IP packet on a link")
        };
        let to = self.behind(hop, to).unwrap_or(to);
        Suspect {
            stranded: Some(Stranded {
                from,
                link,
                length: hop.frame.length,
            }),
            ..Suspect::new(&hop.host, Flow::to(to).came_in(from, link))
        }
    }

    /// For whom an answer is to which a host gave its own address: the source that the question had
    /// when it came in there.
    fn behind(&self, answer: &Hop, to: IpAddr) -> Option<IpAddr> {
        let asks = |hop: &&Hop| hop.host == answer.host && self.mark.asks(&hop.frame);
        let mut left = self.hops.iter().filter(asks).filter(|hop| !hop.came_in());
        let gave_it = left.any(|hop| hop.ends().is_some_and(|(source, _)| source == to));
        let mut came = self.hops.iter().filter(asks).filter(|hop| hop.came_in());
        let (source, _) = came.next()?.ends()?;
        (gave_it && source != to).then_some(source)
    }
}

/// A probe as its sender's kernel sees it before it has a source.
pub(super) fn flow(probe: &Probe<IpAddr>) -> Flow {
    let flow = Flow::to(probe.address);
    let flow = match probe.sender.source {
        Some(source) => flow.sent_from(source),
        None => flow,
    };
    let flow = match probe.sender.mark {
        Some(mark) => flow.marked(mark),
        None => flow,
    };
    match &probe.protocol {
        ProbeProtocol::Icmp => flow,
        ProbeProtocol::Tcp(port) => flow.to_port(fps_netlink::IpProtocol::Tcp, *port),
        ProbeProtocol::Udp(port) => flow.to_port(fps_netlink::IpProtocol::Udp, *port),
        ProbeProtocol::Web(get) => flow.to_port(fps_netlink::IpProtocol::Tcp, get.port),
    }
}
