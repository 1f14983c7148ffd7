//! What a step's expectations have looked at: packets, questions to DNS servers, probes.

use std::time::Instant;

use fps_dns::zone::Transport;
use fps_packet::Direction;

use crate::play::expect::Begun;
use crate::play::stage::Stage;
use crate::report::Event;
use crate::scenario::Step;

/// How many packets of a host are looked at: a transfer has more than anybody reads, and each costs its
/// search for a nonce.
const LOOKED_AT: usize = 4000;

/// Writes them down, each kind in order of time.
pub(in crate::play) fn testify(stage: &Stage<'_>, step: &Step, begun: &Begun) {
    let kinds = [
        packets(stage),
        questions(stage),
        begun.probes(step).collect(),
    ];
    for mut events in kinds {
        events.sort_by_key(|(at, _)| *at);
        for (at, event) in events {
            stage.timeline.tell_of(at, event);
        }
    }
}

/// The packets of questions of this step, wherever they were seen.
fn packets(stage: &Stage<'_>) -> Vec<(Instant, Event)> {
    let mut events = Vec::new();
    for (host, tape) in stage.tapes() {
        tape.look(|frames| {
            for frame in frames.iter().take(LOOKED_AT) {
                let way = match frame.direction {
                    Direction::Sent => "out",
                    // A bridge floods what it knows no port for.
                    Direction::OtherHost => continue,
                    _ => "in",
                };
                let packet = frame.packet().filter(|_| stage.is_asked_now(frame));
                let Some(packet) = packet else { continue };
                let event = Event::Packet {
                    host: host.to_string(),
                    link: tape.names().show(frame.ifindex),
                    way: way.to_owned(),
                    packet: packet.to_string(),
                };
                events.push((frame.at, event));
            }
        });
    }
    events
}

/// What DNS servers of the lab's were asked in this step.
fn questions(stage: &Stage<'_>) -> Vec<(Instant, Event)> {
    let mut events = Vec::new();
    for (name, host) in stage.lab.hosts() {
        let Some(server) = host.name_server() else {
            continue;
        };
        let asked = server.asked_since(stage.step_began()).into_iter();
        events.extend(asked.map(|entry| {
            let event = Event::Question {
                server: name.to_string(),
                from: entry.from.to_string(),
                by: match entry.by {
                    Transport::Udp => "udp".to_owned(),
                    Transport::Tcp => "tcp".to_owned(),
                },
                name: entry.asked.name.to_string(),
                record: entry.asked.kind.to_string(),
                answer: entry.word,
            };
            (entry.at, event)
        }));
    }
    events
}
