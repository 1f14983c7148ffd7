//! The client's end: asks once, then carries packets.
//!
//! It has no timer: the relay asks it for a hello whenever the application has sent something, so
//! without more application data after the delay there is no hello.

use std::time::Instant;

use super::{Direction, Event, Session, Verdict, consume_packet};
use crate::clear::Message;
use crate::identity::{ClientUuid, InstanceId};
use crate::record::Record;

/// See the module.
#[derive(Debug)]
pub struct ClientSession {
    client: ClientUuid,
    instance: InstanceId,
    /// When `client_upgrade_delay_ms` is over.
    upgrade_at: Instant,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The application's handshake runs; which directions have carried application data yet.
    Watching {
        c2s: bool,
        s2c: bool,
    },
    /// The hello is out. There is no timeout: without an answer the carrier stays the
    /// application's alone.
    Asked,
    Open,
}

impl ClientSession {
    /// A session that may ask from `upgrade_at` on.
    pub fn new(client: ClientUuid, instance: InstanceId, upgrade_at: Instant) -> Self {
        Self {
            client,
            instance,
            upgrade_at,
            state: State::Watching {
                c2s: false,
                s2c: false,
            },
        }
    }
}

impl Session for ClientSession {
    fn on_record(&mut self, direction: Direction, record: &Record<'_>) -> Verdict {
        if !record.is_application_data() {
            return Verdict::Forward;
        }
        match (&mut self.state, direction) {
            (State::Watching { c2s, .. }, Direction::ClientToServer) => *c2s = true,
            (State::Watching { s2c, .. }, Direction::ServerToClient) => *s2c = true,
            (State::Asked, Direction::ServerToClient) => {
                if Message::decode(record.payload()) == Some(Message::Accept) {
                    self.state = State::Open;
                    return Verdict::Consume(vec![Event::Registered]);
                }
            }
            (State::Open, Direction::ServerToClient) => return consume_packet(record),
            (State::Asked | State::Open, Direction::ClientToServer) => {}
        }
        Verdict::Forward
    }

    fn poll_transmit(&mut self, now: Instant, at_boundary: bool, out: &mut Vec<u8>) {
        let ready = self.state
            == State::Watching {
                c2s: true,
                s2c: true,
            };
        if !ready || !at_boundary || now < self.upgrade_at {
            return;
        }
        let hello = Message::Hello {
            client: self.client,
            instance: self.instance,
        };
        if hello.encode(out).is_ok() {
            self.state = State::Asked;
        }
    }

    fn needs_whole_records(&self) -> bool {
        matches!(self.state, State::Asked | State::Open)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Direction::{ClientToServer as C2s, ServerToClient as S2c};
    use super::*;
    use crate::record::RecordParser;

    const DELAY: Duration = Duration::from_millis(50);
    const APPLICATION: &[u8] = &[23, 3, 3, 0, 2, 1, 2];
    const HANDSHAKE: &[u8] = &[22, 3, 1, 0, 1, 9];

    fn wire(message: Message<'_>) -> Vec<u8> {
        let mut out = Vec::new();
        message.encode(&mut out).expect("small message");
        out
    }

    fn judge(session: &mut ClientSession, direction: Direction, bytes: &[u8]) -> Verdict {
        let mut parser = RecordParser::default();
        parser.feed(bytes);
        session.on_record(direction, &parser.next_record().expect("one record"))
    }

    fn session() -> (ClientSession, Instant) {
        let start = Instant::now();
        let (client, instance) = (ClientUuid::from_bytes([1; 16]), InstanceId([2; 16]));
        (
            ClientSession::new(client, instance, start + DELAY),
            start + DELAY,
        )
    }

    fn asked() -> ClientSession {
        let (mut session, due) = session();
        judge(&mut session, C2s, APPLICATION);
        judge(&mut session, S2c, APPLICATION);
        session.poll_transmit(due, true, &mut Vec::new());
        session
    }

    #[test]
    fn asks_once_after_data_in_each_direction_and_the_delay_at_a_boundary() {
        const THERE: (Direction, &[u8]) = (C2s, APPLICATION);
        const BACK: (Direction, &[u8]) = (S2c, APPLICATION);
        let handshake = vec![(C2s, HANDSHAKE), (S2c, HANDSHAKE)];
        for (name, seen, early_ms, at_boundary, asks) in [
            ("nothing seen", vec![], 0, true, false),
            ("handshake only", handshake, 0, true, false),
            ("one way", vec![THERE], 0, true, false),
            ("other way", vec![BACK], 0, true, false),
            ("too early", vec![THERE, BACK], 1, true, false),
            ("inside a record", vec![THERE, BACK], 0, false, false),
            ("due", vec![BACK, THERE], 0, true, true),
        ] {
            let (mut session, due) = session();
            for (direction, record) in seen {
                let verdict = judge(&mut session, direction, record);
                assert_eq!(verdict, Verdict::Forward, "{name}");
            }
            let mut out = Vec::new();
            session.poll_transmit(due - Duration::from_millis(early_ms), at_boundary, &mut out);
            assert_eq!(!out.is_empty(), asks, "{name}");
            assert_eq!(session.needs_whole_records(), asks, "{name}");
            let length = out.len();
            session.poll_transmit(due, true, &mut out);
            assert!(!asks || out.len() == length, "{name}: asked twice");
        }
    }

    #[test]
    fn only_an_accept_from_the_server_opens_it() {
        let accept = wire(Message::Accept);
        let packet = wire(Message::Packet(&[0x45]));
        let (mut early, _) = session();
        assert_eq!(judge(&mut early, S2c, &accept), Verdict::Forward);
        let mut session = asked();
        assert_eq!(judge(&mut session, S2c, &packet), Verdict::Forward);
        assert_eq!(judge(&mut session, C2s, &accept), Verdict::Forward);
        assert_eq!(judge(&mut session, S2c, APPLICATION), Verdict::Forward);
        let registered = Verdict::Consume(vec![Event::Registered]);
        assert_eq!(judge(&mut session, S2c, &accept), registered);
    }

    #[test]
    fn once_open_it_takes_packets_out_of_one_direction_only() {
        let packet = wire(Message::Packet(&[0x45, 0]));
        let mut session = asked();
        judge(&mut session, S2c, &wire(Message::Accept));
        let taken = Verdict::Consume(vec![Event::Packet(vec![0x45, 0])]);
        assert_eq!(judge(&mut session, S2c, &packet), taken);
        assert_eq!(judge(&mut session, S2c, APPLICATION), Verdict::Forward);
        assert_eq!(
            judge(&mut session, S2c, &wire(Message::Accept)),
            Verdict::Forward
        );
        assert_eq!(judge(&mut session, C2s, &packet), Verdict::Forward);
    }
}
