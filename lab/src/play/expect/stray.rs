//! A packet of the tunnel's carrier that never came to its other end, and where it was seen last.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use fps_netlink::{Flow, IfIndex, IpProtocol, LinkName};
use fps_packet::{Direction, Packet, Transport};

use super::CheckError;
use super::trail::furthest;
use super::volume::ports;
use super::why::{Stranded, Suspect};
use crate::explain::Fate;
use crate::play::stage::Stage;
use crate::scenario::{HostName, OuterProtocol, Tunnel};

/// For how long a packet may be on its way at most, where no link delays it.
const ON_ITS_WAY: Duration = Duration::from_millis(100);
/// By how many bytes behind its headers a packet is known again: those of TLS and WireGuard are its own.
const KNOWN_BY: usize = 48;

/// What was lost, and where.
pub(super) struct Stray {
    /// The packet, at the host that had it last.
    pub(super) suspect: Suspect,
    /// Where it was seen last.
    pub(super) place: String,
}

/// Which packets of the carrier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which {
    /// Those that open a connection.
    Opening,
    /// Those with data, of the client's connection from here; of any, where that is not known.
    Data(Option<SocketAddr>),
}

/// What is the same of a packet on every host, whatever NAT makes of its addresses, and when it is sent again.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Part {
    Opening,
    Data(Vec<u8>),
}

/// One packet at one place.
struct Seen<'a> {
    at: Instant,
    host: &'a HostName,
    link: String,
    index: Option<IfIndex>,
    came_in: bool,
    length: usize,
    part: Part,
    from: SocketAddr,
    to: SocketAddr,
}

/// The first of what `sender` has sent since the last packet arrived. None where all have arrived, or may be on
/// their way.
pub(super) async fn find(
    stage: &Stage<'_>,
    tunnel: &Tunnel,
    sender: &HostName,
    which: Which,
) -> Result<Option<Stray>, CheckError> {
    let too_young = ON_ITS_WAY + stage.lab.longest_wait();
    let all = collect(stage, tunnel, which).await?;
    let Some((sent, receiver)) = sent(&all, tunnel, sender, which) else {
        return Ok(None);
    };
    let Some(lost) = unarrived(&all, &sent, receiver) else {
        return Ok(None);
    };
    // What comes back begins like it by chance alone.
    let of_it = all.iter().filter(|it| it.part == lost.part);
    let of_it: Vec<&Seen<'_>> = of_it.collect();
    let last = furthest(of_it.iter().copied(), |it| (it.host, &it.link, it.came_in));
    let last = last.filter(|_| of_it[0].at.elapsed() > too_young);
    Ok(last.map(|last| Stray {
        suspect: suspect(tunnel, last, &of_it),
        place: format!("{}:{}", last.host, last.link),
    }))
}

/// All packets of the carrier's, in order of time.
async fn collect<'a>(
    stage: &'a Stage<'_>,
    tunnel: &Tunnel,
    which: Which,
) -> Result<Vec<Seen<'a>>, CheckError> {
    let mut all = Vec::new();
    for (host, tape) in stage.tapes() {
        tape.sync().await?;
        tape.look(|frames| {
            let passing = frames
                .iter()
                .filter(|it| it.direction != Direction::OtherHost);
            for frame in passing.filter(|frame| !stage.is_probe(frame)) {
                let packet = frame.packet();
                let carrying = packet.and_then(|packet| carries(tunnel, which, &packet));
                all.extend(carrying.map(|(part, from, to)| Seen {
                    at: frame.at,
                    host,
                    link: tape.names().show(frame.ifindex),
                    index: IfIndex::new(frame.ifindex),
                    came_in: frame.direction != Direction::Sent,
                    length: frame.length,
                    part,
                    from,
                    to,
                }));
            }
        });
    }
    all.sort_by_key(|it| it.at);
    Ok(all)
}

/// What a packet is of the carrier, and its ends; none where it is nothing of it.
fn carries(
    tunnel: &Tunnel,
    which: Which,
    packet: &Packet<'_>,
) -> Option<(Part, SocketAddr, SocketAddr)> {
    let (source, destination) = ports(packet, tunnel.outer().protocol)?;
    let from = SocketAddr::new(packet.source, source);
    let to = SocketAddr::new(packet.destination, destination);
    let end = far_end(tunnel);
    let part = match (which, packet.transport) {
        (Which::Opening, Transport::Tcp { flags, .. }) if flags.syn && !flags.ack => Part::Opening,
        (Which::Data(_), _) if !packet.payload.is_empty() => {
            let known_by = packet.payload.len().min(KNOWN_BY);
            Part::Data(packet.payload[..known_by].to_vec())
        }
        _ => return None,
    };
    (from == end || to == end).then_some((part, from, to))
}

fn far_end(tunnel: &Tunnel) -> SocketAddr {
    SocketAddr::new(tunnel.endpoint, tunnel.outer().port)
}

/// What one end has sent to the other, and who that is; none where the server has heard of no client.
fn sent<'a, 'b>(
    all: &'b [Seen<'a>],
    tunnel: &'b Tunnel,
    sender: &HostName,
    which: Which,
) -> Option<(Vec<&'b Seen<'a>>, &'b HostName)> {
    let is_own = |it: &Seen<'_>| !matches!(which, Which::Data(Some(own)) if own != it.from);
    let by_client =
        |it: &&Seen<'_>| it.is_sent_by(&tunnel.client) && it.to == far_end(tunnel) && is_own(it);
    let by_client: Vec<_> = all.iter().filter(by_client).collect();
    if *sender == tunnel.client {
        return Some((by_client, &tunnel.server));
    }
    // NAT may have given the client another address.
    let parts: HashSet<&Part> = by_client.iter().map(|it| &it.part).collect();
    let mut at_server = all.iter().filter(|it| it.has_come_to(&tunnel.server));
    let client = at_server.find(|it| parts.contains(&it.part))?.from;
    let to_client = |it: &&Seen<'_>| it.is_sent_by(&tunnel.server) && it.to == client;
    Some((all.iter().filter(to_client).collect(), &tunnel.client))
}

/// The first of those that have not arrived although what was sent before them has, or nothing has.
fn unarrived<'a, 'b>(
    all: &[Seen<'a>],
    sent: &[&'b Seen<'a>],
    receiver: &HostName,
) -> Option<&'b Seen<'a>> {
    let came = all.iter().filter(|it| it.has_come_to(receiver));
    let arrived: HashSet<&Part> = came.map(|it| &it.part).collect();
    // What is sent again counts where it was sent last: what came behind it may have arrived, as small packets
    // do where something on the way takes no large ones.
    let last = sent.iter().enumerate();
    let last: HashMap<&Part, usize> = last.map(|(number, it)| (&it.part, number)).collect();
    let mut last: Vec<usize> = last.into_values().collect();
    last.sort_unstable();
    let mut lost = last.into_iter().rev().map(|number| sent[number]);
    lost.by_ref()
        .take_while(|it| !arrived.contains(&it.part))
        .last()
}

/// The packet at the host that had it last.
fn suspect(tunnel: &Tunnel, last: &Seen<'_>, of_it: &[&Seen<'_>]) -> Suspect {
    let (from, to) = (last.from.ip(), last.to.ip());
    let here = of_it.iter().filter(|it| it.host == last.host);
    let came_by = here
        .filter(|it| it.came_in)
        .find_map(|it| Some((it.from.ip(), it.index?)));
    let mut suspect = match (last.index.filter(|_| last.came_in), came_by) {
        (Some(link), _) => Suspect {
            stranded: Some(Stranded {
                from,
                link,
                length: last.length,
            }),
            fate: Some(Fate::Stranded),
            ..Suspect::new(last.host, Flow::to(to).came_in(from, link))
        },
        (None, Some((from, link))) => Suspect {
            fate: Some(Fate::Lost),
            ..Suspect::new(last.host, Flow::to(to).came_in(from, link))
        },
        (None, None) => {
            let (flow, mark) = (Flow::to(to).sent_from(from), tunnel.mark());
            Suspect {
                fate: Some(Fate::Lost),
                left_by: LinkName::new(&last.link).ok(),
                ..Suspect::new(last.host, mark.map_or(flow, |mark| flow.marked(mark)))
            }
        }
    };
    if last.to == far_end(tunnel) {
        let protocol = match tunnel.outer().protocol {
            OuterProtocol::Tcp => IpProtocol::Tcp,
            OuterProtocol::Udp => IpProtocol::Udp,
        };
        suspect.flow = suspect.flow.to_port(protocol, last.to.port());
    }
    suspect
}

impl Seen<'_> {
    fn is_sent_by(&self, host: &HostName) -> bool {
        *self.host == *host && !self.came_in
    }

    fn has_come_to(&self, host: &HostName) -> bool {
        *self.host == *host && self.came_in
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sent by the one host or come in at the other, in this order.
    fn seen<'a>(hosts: &'a [HostName; 2], all: &[(usize, &str)]) -> Vec<Seen<'a>> {
        let end: SocketAddr = "203.0.113.10:7443".parse().unwrap();
        let all = all.iter().map(|(host, text)| Seen {
            at: Instant::now(),
            host: &hosts[*host],
            link: "eth0".to_owned(),
            index: None,
            came_in: *host == 1,
            length: text.len(),
            part: Part::Data(text.as_bytes().to_vec()),
            from: end,
            to: end,
        });
        all.collect()
    }

    #[test]
    fn the_first_that_is_lost_is_behind_all_that_arrived() {
        let hosts = ["laptop", "server"].map(HostName::new);
        for (all, expected) in [
            (&[][..], None),
            (&[(0, "a")], Some("a")),
            (&[(0, "a"), (1, "a")], None),
            (&[(0, "a"), (1, "a"), (0, "b"), (0, "c")], Some("b")),
            // One that was lost, and what came behind it was not: the way is there.
            (&[(0, "a"), (0, "b"), (1, "b")], None),
            // Too large for something on the way, and so sent again and again.
            (
                &[(0, "large"), (0, "b"), (1, "b"), (0, "large")],
                Some("large"),
            ),
        ] {
            let all = seen(&hosts, all);
            let sent: Vec<&Seen<'_>> = all.iter().filter(|it| it.is_sent_by(&hosts[0])).collect();
            let lost = unarrived(&all, &sent, &hosts[1]);
            let expected = expected.map(|text| Part::Data(text.as_bytes().to_vec()));
            assert_eq!(lost.map(|it| it.part.clone()), expected);
        }
    }
}
