//! Where the question of one probe was seen on its way to the target.

use std::net::IpAddr;
use std::time::Instant;

use fps_packet::{Direction, Frame, Packet};

use super::CheckError;
use super::carried::Carried;
use crate::play::stage::Stage;
use crate::probe::Attempt;
use crate::scenario::{HostName, Probe};

/// A packet of the question on one link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) at: Instant,
    pub(super) host: HostName,
    pub(super) link: String,
    pub(super) sent: bool,
    /// How many routers it may still pass.
    ttl: u8,
}

/// All of them, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Passage(pub(super) Vec<Seen>);

impl Seen {
    pub(super) fn place(&self) -> String {
        format!("{}:{}", self.host, self.link)
    }
}

impl Passage {
    /// Collects them: what carries the nonce until it has come to the target. What carries it later
    /// is the answer, whatever addresses routers have given it.
    pub(super) async fn of(
        stage: &Stage<'_>,
        probe: &Probe<IpAddr>,
        attempt: &Attempt,
    ) -> Result<Self, CheckError> {
        let mut seen = Vec::new();
        for (host, tape) in stage.tapes() {
            tape.sync().await?;
            tape.look(|frames| {
                let ours = frames.iter().filter(|frame| is_ours(frame, attempt));
                seen.extend(ours.map(|frame| Seen {
                    at: frame.at,
                    host: host.clone(),
                    link: tape.names().show(frame.ifindex),
                    sent: frame.direction == Direction::Sent,
                    ttl: ttl(frame),
                }));
            });
        }
        Ok(Self::ordered(seen, &probe.from, probe.to.as_ref()))
    }

    /// Puts them in order, and ends with the target's. The kernel may give a packet one stamp for several
    /// links; then whoever decremented its TTL has had it later, and who sent it had it before who got it.
    pub(super) fn ordered(mut seen: Vec<Seen>, from: &HostName, to: Option<&HostName>) -> Self {
        seen.sort_by_key(|it| (it.at, std::cmp::Reverse(it.ttl), !it.sent));
        // What has been sent again, or back to where it was with the same TTL, is the same hop.
        let mut known: Vec<Seen> = Vec::new();
        for it in seen {
            let again = |other: &Seen| {
                let same = other.host == it.host && other.link == it.link;
                same && other.sent == it.sent && other.ttl == it.ttl
            };
            let comes_home = it.host == *from && !it.sent;
            if comes_home || known.iter().any(again) {
                continue;
            }
            let arrived = Some(&it.host) == to && !it.sent;
            known.push(it);
            if arrived {
                break;
            }
        }
        Self(known)
    }

    /// The whole way in words, with what carried it.
    pub(super) fn told(&self, carried: &[Carried]) -> String {
        if self.0.is_empty() {
            return "nowhere: it was seen on no link".to_owned();
        }
        let mut told = String::new();
        for (number, seen) in self.0.iter().enumerate() {
            if number > 0 {
                told.push_str(" > ");
            }
            told.push_str(&seen.place());
            if let Some(carried) = carried.iter().find(|it| it.behind == number) {
                told.push_str(&format!(" (carrier: {})", carried.places.join(" > ")));
            }
        }
        told
    }
}

fn is_ours(frame: &Frame, attempt: &Attempt) -> bool {
    // What was for another station on the link has not come in.
    if frame.direction == Direction::OtherHost {
        return false;
    }
    // A connection that does not stand yet has no packet with the nonce.
    let packet = frame.packet().filter(|packet| packet.quoted().is_none());
    packet.is_some_and(|it: Packet<'_>| it.nonce() == Some(attempt.mark.nonce))
        || attempt.mark.asks(frame)
}

/// The TTL of an IPv4 packet (RFC 791), or the hop limit of an IPv6 one (RFC 8200).
fn ttl(frame: &Frame) -> u8 {
    let at = match frame.bytes.first().map(|first| first >> 4) {
        Some(6) => 7,
        _ => 8,
    };
    frame.bytes.get(at).copied().unwrap_or_default()
}

#[cfg(test)]
pub(super) mod tests {
    use std::time::Duration;

    use super::*;

    /// `laptop:eth0 out 64` and so on, a millisecond after each other.
    pub(in super::super) fn seen(text: &[&str]) -> Vec<Seen> {
        let start = Instant::now();
        let mut all = Vec::new();
        for (number, line) in text.iter().enumerate() {
            let words: Vec<&str> = line.split(' ').collect();
            let (host, link) = words[0].split_once(':').unwrap();
            all.push(Seen {
                at: start + Duration::from_millis(number as u64),
                host: HostName::new(host),
                link: link.to_owned(),
                sent: words[1] == "out",
                ttl: words[2].parse().unwrap(),
            });
        }
        all
    }

    fn ordered(seen: Vec<Seen>) -> Vec<String> {
        let (from, to) = (HostName::new("laptop"), HostName::new("web"));
        let passage = Passage::ordered(seen, &from, Some(&to));
        passage.0.iter().map(Seen::place).collect()
    }

    #[test]
    fn one_stamp_for_all_links_is_put_in_order_by_the_ttl() {
        let mut all = seen(&[
            "web:eth0 in 63",
            "router:wan out 63",
            "laptop:eth0 out 64",
            "router:lan in 64",
        ]);
        let at = all[0].at;
        all.iter_mut().for_each(|it| it.at = at);
        let way = ["laptop:eth0", "router:lan", "router:wan", "web:eth0"];
        assert_eq!(ordered(all), way);
    }

    #[test]
    fn it_ends_at_the_target_and_the_answer_is_no_part_of_it() {
        let all = seen(&[
            "laptop:eth0 out 64",
            "web:eth0 in 64",
            "web:eth0 out 64",
            "laptop:eth0 in 64",
        ]);
        assert_eq!(ordered(all), ["laptop:eth0", "web:eth0"]);
    }

    #[test]
    fn a_loop_shows_and_a_retransmission_does_not() {
        let all = seen(&[
            "laptop:eth0 out 64",
            "router:lan in 64",
            "laptop:eth0 out 64",
            "router:lan in 64",
            "router:lan out 63",
            "other:lan in 63",
            "other:lan out 62",
            "router:lan in 62",
        ]);
        let way = [
            "laptop:eth0",
            "router:lan",
            "router:lan",
            "other:lan",
            "other:lan",
            "router:lan",
        ];
        assert_eq!(ordered(all), way);
    }
}
