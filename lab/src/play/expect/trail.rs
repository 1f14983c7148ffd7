//! Where the packets of one question were seen, on all hosts, and where they were lost.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Instant;

use fps_netlink::{Flow, IfIndex, LinkName};
use fps_packet::{Direction, Frame, Icmp, Packet, Transport};

use super::CheckError;
use super::evidence;
use super::why::{Stranded, Suspect};
use crate::explain::Fate;
use crate::play;
use crate::play::stage::Stage;
use crate::probe::Mark;
use crate::scenario::{HostName, Probe, ProbeProtocol};
use crate::user;

/// A packet of a question on one interface.
pub(super) struct Hop {
    pub(super) host: HostName,
    pub(super) link: String,
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

    /// As it is shown; its time counts from `start`.
    pub(super) fn shown(&self, start: Instant) -> play::Hop {
        evidence::hop(start, self.host.as_str(), &self.link, &self.frame)
    }

    fn index(&self) -> Option<IfIndex> {
        IfIndex::new(self.frame.ifindex)
    }

    /// Whether it was for another station: a bridge floods what it knows no port for.
    pub(super) fn passes_by(&self) -> bool {
        self.frame.direction == Direction::OtherHost
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

    /// Whether it is an error about that packet.
    fn quotes(&self, other: &Self) -> bool {
        let packet = self.frame.packet();
        let quoted = packet.and_then(|packet| packet.quoted());
        let quoted = quoted.map(|packet| (packet.source, packet.destination));
        quoted.is_some() && quoted == other.ends()
    }

    /// Whether it says that a packet has no way, or may not have one.
    fn says_unreachable(&self) -> bool {
        let packet = self.frame.packet();
        packet.is_some_and(|it| matches!(it.transport, Transport::Icmp(Icmp::Unreachable { .. })))
    }

    /// Whether it says that a packet is too big.
    fn says_too_big(&self) -> bool {
        let packet = self.frame.packet();
        packet.is_some_and(|it| matches!(it.transport, Transport::Icmp(Icmp::TooBig { .. })))
    }
}

impl Trail {
    /// Collects them.
    pub(super) async fn of(stage: &Stage<'_>, mark: Mark) -> Result<Self, CheckError> {
        let mut hops = Vec::new();
        for (host, tape) in stage.tapes() {
            tape.sync().await?;
            tape.look(|frames| {
                let ours = frames.iter().filter(|frame| mark.concerns(frame));
                hops.extend(ours.map(|frame| {
                    let link = tape.names().show(frame.ifindex);
                    Hop {
                        host: host.clone(),
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
        if let Some(suspect) = self.refuser(probe) {
            return suspect;
        }
        let Some(last) = self.last(probe, |hop| self.mark.asks(&hop.frame)) else {
            return Suspect {
                fate: Some(Fate::Held),
                ..Suspect::new(&probe.from, flow(probe))
            };
        };
        let at_target = probe.to.as_ref() == Some(&last.host) && last.came_in();
        if !at_target {
            return self.lost_at(last, probe);
        }
        let answers = |hop: &Hop| !self.mark.asks(&hop.frame) && !hop.complains();
        match (self.last(probe, answers), last.ends()) {
            (Some(answer), _) => self.lost_at(answer, probe),
            (None, Some((asker, target))) => {
                let answer = Flow::to(asker).sent_from(target);
                Suspect {
                    fate: Some(Fate::Unanswered),
                    ..Suspect::new(&last.host, answer)
                }
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

    /// Whether a message that a packet is too big came in at the packet's sender.
    pub(super) fn told_too_big(&self, probe: &Probe<IpAddr>, suspect: &Suspect) -> bool {
        let is_question = suspect.flow.to == probe.address;
        let sender = match is_question {
            true => Some(&probe.from),
            false => probe.to.as_ref(),
        };
        let mut hops = self.hops.iter();
        hops.any(|hop| Some(&hop.host) == sender && hop.came_in() && hop.says_too_big())
    }

    /// The host that refused it, by an ICMP error or a reset: what it says is about what came in
    /// there, or about what it was to send itself.
    fn refuser(&self, probe: &Probe<IpAddr>) -> Option<Suspect> {
        let refuses = |hop: &&Hop| !hop.came_in() && self.refusal(hop).is_some();
        let refusal = self.hops.iter().find(refuses)?;
        // That a packet is too big, or has been through too many routers, no firewall says.
        let bars = refusal.says_unreachable() || !refusal.complains();
        let fate = self.refusal(refusal).filter(|_| bars).map(Fate::Refused);
        let came_in =
            |hop: &&Hop| hop.host == refusal.host && hop.came_in() && self.refusal(hop).is_none();
        let quoted = |hop: &&Hop| hop.frame.at <= refusal.frame.at && refusal.quotes(hop);
        let mut of_host = self.hops.iter().rev().filter(came_in);
        let about = of_host.clone().find(quoted).or_else(|| of_host.next());
        let suspect = match about {
            Some(about) => self.stranded(about),
            None if refusal.host == probe.from => Suspect::new(&probe.from, flow(probe)),
            None => return None,
        };
        Some(Suspect { fate, ..suspect })
    }

    /// What a packet says against the question: an ICMP error, or a reset where the target has not
    /// taken the connection.
    fn refusal(&self, hop: &Hop) -> Option<String> {
        let packet = hop.frame.packet()?;
        match packet.transport {
            Transport::Icmp(_) if hop.complains() => Some(said(&packet)),
            Transport::Tcp { flags, .. } if flags.rst && !self.mark.asks(&hop.frame) => {
                (!self.is_taken()).then(|| "TCP reset".to_owned())
            }
            _ => None,
        }
    }

    /// Whether somebody has taken the connection.
    fn is_taken(&self) -> bool {
        let mut answers = self.hops.iter().filter(|hop| !self.mark.asks(&hop.frame));
        answers.any(|hop| {
            let transport = hop.frame.packet().map(|packet| packet.transport);
            matches!(transport, Some(Transport::Tcp { flags, .. }) if flags.syn)
        })
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
        let suspect = match (came_in.and_then(Hop::index), last.ends()) {
            // The host may have given it other addresses meanwhile.
            (Some(link), Some((source, destination))) => {
                Suspect::new(&last.host, Flow::to(destination).came_in(source, link))
            }
            (None, Some((source, destination))) if last.host == probe.from => {
                let flow = Flow {
                    to: destination,
                    ..flow(probe).sent_from(source)
                };
                Suspect {
                    left_by: LinkName::new(&last.link).ok(),
                    ..Suspect::new(&last.host, flow)
                }
            }
            (None, Some((source, destination))) => {
                Suspect::new(&last.host, Flow::to(destination).sent_from(source))
            }
            (_, None) => return Suspect::new(&probe.from, flow(probe)),
        };
        Suspect {
            fate: (!self.goes_on(last)).then_some(Fate::Lost),
            ..suspect
        }
    }

    /// The packet of a kind to look at: the one that got furthest, or, where an answer came home and more was
    /// lost, as of a transfer of which the long packets are, the last one.
    fn last(&self, probe: &Probe<IpAddr>, kind: impl Fn(&Hop) -> bool) -> Option<&Hop> {
        let mut hops = self.hops.iter();
        let home = |hop: &Hop| hop.host == probe.from && hop.came_in() && !hop.complains();
        match hops.any(|hop| home(hop) && !self.mark.asks(&hop.frame)) {
            true => {
                let mut latest = self.hops.iter().rev();
                latest.find(|hop| kind(hop) && !hop.passes_by())
            }
            false => {
                let of_kind = self.hops.iter().filter(|hop| kind(hop) && !hop.passes_by());
                furthest(of_kind, |hop| (&hop.host, &hop.link, hop.came_in()))
            }
        }
    }

    /// Whether a question went on in another form: a host may have given it another target, which the
    /// mark does not know.
    fn goes_on(&self, last: &Hop) -> bool {
        let mut later = self.hops.iter().filter(|hop| hop.frame.at > last.frame.at);
        self.mark.asks(&last.frame)
            && later.any(|hop| hop.host != last.host && !self.mark.asks(&hop.frame))
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
            fate: Some(Fate::Stranded),
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

/// The packet that came to a new place last. TCP sends again what is not answered, and the last one of that
/// may just have been on its way.
pub(super) fn furthest<'a, T, Place: Ord>(
    seen: impl Iterator<Item = &'a T>,
    place: impl Fn(&'a T) -> Place,
) -> Option<&'a T> {
    let mut places = BTreeSet::new();
    seen.filter(|it| places.insert(place(it))).last()
}

/// An ICMP error without what it is about.
fn said(packet: &Packet<'_>) -> String {
    let text = packet.to_string();
    let words = text
        .split_once(" icmp")
        .map_or(text.as_str(), |(_, words)| words);
    let words = words.split(" (").next().unwrap_or(words);
    format!("ICMP{}", words.strip_prefix('6').unwrap_or(words))
}

/// A probe as its sender's kernel sees it before it has a source.
pub(super) fn flow(probe: &Probe<IpAddr>) -> Flow {
    let user = probe.sender.uid.unwrap_or(0);
    let flow = Flow::to(probe.address).of_user(user::seen_here(user));
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
