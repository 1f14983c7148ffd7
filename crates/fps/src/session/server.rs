//! The server's end: lets known clients in, and leaves everyone else's data alone.

use std::collections::HashSet;
use std::rc::Rc;
use std::time::Instant;

use super::{Direction, Event, Session, Verdict, consume_packet};
use crate::clear::Message;
use crate::identity::ClientUuid;
use crate::record::Record;

/// See the module.
#[derive(Debug)]
pub struct ServerSession {
    allowed: Rc<HashSet<ClientUuid>>,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Every record is tried; a hello that fails goes to the origin like any other data.
    Waiting,
    /// A hello was taken; the accept is not yet on the link.
    Answering,
    Open,
}

impl ServerSession {
    /// A session that lets these clients in.
    pub fn new(allowed: Rc<HashSet<ClientUuid>>) -> Self {
        Self {
            allowed,
            state: State::Waiting,
        }
    }

    fn try_hello(&mut self, record: &Record<'_>) -> Verdict {
        match Message::decode(record.payload()) {
            Some(Message::Hello { client, .. }) if self.allowed.contains(&client) => {
                self.state = State::Answering;
                Verdict::Consume(vec![Event::Authenticated, Event::Registered])
            }
            _ => Verdict::Forward,
        }
    }
}

impl Session for ServerSession {
    fn on_record(&mut self, direction: Direction, record: &Record<'_>) -> Verdict {
        if direction == Direction::ServerToClient || !record.is_application_data() {
            return Verdict::Forward;
        }
        match self.state {
            State::Waiting => self.try_hello(record),
            State::Answering | State::Open => consume_packet(record),
        }
    }

    fn poll_transmit(&mut self, _now: Instant, _at_boundary: bool, out: &mut Vec<u8>) {
        if self.state == State::Answering && Message::Accept.encode(out).is_ok() {
            self.state = State::Open;
        }
    }

    fn needs_whole_records(&self) -> bool {
        self.state != State::Waiting
    }
}

#[cfg(test)]
mod tests {
    use super::Direction::{ClientToServer as C2s, ServerToClient as S2c};
    use super::*;
    use crate::identity::InstanceId;
    use crate::record::RecordParser;

    const KNOWN: [u8; 16] = [1; 16];

    fn wire(message: Message<'_>) -> Vec<u8> {
        let mut out = Vec::new();
        message.encode(&mut out).expect("small message");
        out
    }

    fn hello(client: [u8; 16]) -> Vec<u8> {
        let client = ClientUuid::from_bytes(client);
        wire(Message::Hello {
            client,
            instance: InstanceId([9; 16]),
        })
    }

    fn session() -> ServerSession {
        ServerSession::new(Rc::new(HashSet::from([ClientUuid::from_bytes(KNOWN)])))
    }

    fn judge(session: &mut ServerSession, direction: Direction, bytes: &[u8]) -> Verdict {
        let mut parser = RecordParser::default();
        parser.feed(bytes);
        session.on_record(direction, &parser.next_record().expect("one record"))
    }

    #[test]
    fn forwards_whatever_is_no_hello_of_a_known_client() {
        let mut wrong_type = hello(KNOWN);
        wrong_type[0] = 22;
        for (name, direction, bytes) in [
            ("unknown client", C2s, hello([2; 16])),
            ("from the origin", S2c, hello(KNOWN)),
            ("a handshake record", C2s, wrong_type),
            ("a packet too early", C2s, wire(Message::Packet(&[0x45]))),
            ("an accept", C2s, wire(Message::Accept)),
            ("application data", C2s, vec![23, 3, 3, 0, 1, 5]),
        ] {
            let mut session = session();
            assert_eq!(
                judge(&mut session, direction, &bytes),
                Verdict::Forward,
                "{name}"
            );
            assert!(!session.needs_whole_records(), "{name}");
            let mut out = Vec::new();
            session.poll_transmit(Instant::now(), true, &mut out);
            assert!(out.is_empty(), "{name}: answered");
        }
    }

    #[test]
    fn a_failed_hello_does_not_spoil_a_later_good_one() {
        let mut session = session();
        judge(&mut session, C2s, &hello([2; 16]));
        let taken = Verdict::Consume(vec![Event::Authenticated, Event::Registered]);
        assert_eq!(judge(&mut session, C2s, &hello(KNOWN)), taken);
    }

    #[test]
    fn answers_once_and_then_takes_packets() {
        let mut session = session();
        judge(&mut session, C2s, &hello(KNOWN));
        let mut out = Vec::new();
        session.poll_transmit(Instant::now(), false, &mut out);
        session.poll_transmit(Instant::now(), true, &mut out);
        assert_eq!(out, wire(Message::Accept));
        let packet = wire(Message::Packet(&[0x60]));
        let taken = Verdict::Consume(vec![Event::Packet(vec![0x60])]);
        assert_eq!(judge(&mut session, C2s, &packet), taken);
        assert_eq!(judge(&mut session, S2c, &packet), Verdict::Forward);
        assert_eq!(judge(&mut session, C2s, &hello(KNOWN)), Verdict::Forward);
    }
}
