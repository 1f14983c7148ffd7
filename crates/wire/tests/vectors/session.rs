//! Set 7: two recorded sessions, from their bytes to the packets.

use fps_wire::auth::{AllowList, Client, Server};
use fps_wire::classified::{Body, Channel, Limits, Opened, Opener, Outgoing, Padding, Sealer};
use fps_wire::control::ShaperSnapshot;
use fps_wire::fragment::Reassembler;
use fps_wire::{
    ClientUuid, Direction, Frame, FrameKind, Link, PrivateKey, RecordParser, SessionKeys,
};
use serde_json::Value;

use crate::data::{
    array, assert_link, bytes, direction, each, number, profile, records, set, short, size, text,
    whole,
};

/// A recorded session that is walked through, with all keys at hand.
struct Replay<'a> {
    given: &'a Value,
    client: Client,
    server: Server,
    link: Link,
    /// The records of each direction, as they are in the chunks.
    streams: [std::vec::IntoIter<Vec<u8>>; 2],
    auth: Option<(fps_wire::auth::Auth, fps_wire::auth::Sent)>,
    ends: Option<[(Sealer, Opener); 2]>,
    reassemblers: [Reassembler; 2],
    packets: [Vec<String>; 2],
}

fn way(direction: Direction) -> usize {
    usize::from(direction == Direction::ToClient)
}

impl<'a> Replay<'a> {
    fn new(given: &'a Value) -> Self {
        let secrets = &given["secrets"];
        let uuid: ClientUuid = text(secrets, "client_uuid").parse().unwrap();
        let server = Server::new(PrivateKey::from_bytes(array(secrets, "server_private_key")));
        assert_eq!(
            *server.public().as_bytes(),
            array(secrets, "server_public_key")
        );
        let client = Client::new(uuid.private_key(), server.public()).unwrap();
        let least = number(given, "min_records_before_trial");
        let reassembler = || Reassembler::new(size(given, "tun_mtu"), 64);
        Self {
            link: Link::new(&server.public(), profile(given), least),
            streams: Direction::BOTH.map(|direction| stream(given, direction).into_iter()),
            auth: None,
            ends: None,
            reassemblers: [reassembler(), reassembler()],
            packets: [Vec::new(), Vec::new()],
            given,
            client,
            server,
        }
    }

    fn ephemeral(&self, name: &str) -> PrivateKey {
        PrivateKey::from_bytes(array(&self.given["secrets"], name))
    }

    fn walk(&mut self) {
        for step in each(self.given, "records") {
            let direction = direction(step);
            let record = self.streams[way(direction)].next().expect("a record");
            assert_eq!(record.len(), size(step, "length"));
            match text(step, "kind") {
                "carrier" => self.carrier(direction, &record),
                "auth" => self.take_auth(step, &record),
                "accept" => self.take_accept(step, &record),
                "fps" => self.take_frames(step, direction, &record),
                other => panic!("kind {other}"),
            }
            self.link.count(direction, whole(&record));
        }
    }

    /// One that the application sent is nothing of ours, to whoever looks.
    fn carrier(&mut self, direction: Direction, record: &[u8]) {
        let before = self.link.transcript(direction);
        if let Some(ends) = &mut self.ends {
            let (_, opener) = &mut ends[way(direction)];
            assert!(!opener.is_ours(before, whole(record)));
        } else if let (Direction::ToServer, Some(binding)) = (direction, self.link.binding()) {
            let allowed = AllowList::new(vec![self.client.pair().client]).unwrap();
            let offered = self.server.open_auth(&allowed, &binding, whole(record), 64);
            assert!(offered.is_err());
        }
    }

    fn take_auth(&mut self, step: &Value, record: &[u8]) {
        let binding = self.link.binding().unwrap();
        assert_eq!(binding.as_bytes(), bytes(step, "handshake_binding"));
        let allowed = AllowList::new(vec![self.client.pair().client]).unwrap();
        let most = size(self.given, "max_padding_size");
        let auth = self
            .server
            .open_auth(&allowed, &binding, whole(record), most);
        let auth = auth.unwrap();
        assert_eq!(auth.payload, bytes(step, "payload"));
        let ephemeral = self.ephemeral("client_ephemeral_private_key");
        let capabilities = auth.capabilities;
        let made = self
            .client
            .auth(&binding, ephemeral, capabilities, &auth.payload, most);
        let (made, sent) = made.unwrap();
        assert_eq!(made, record);
        self.auth = Some((auth, sent));
    }

    fn take_accept(&mut self, step: &Value, record: &[u8]) {
        let binding = self.link.binding().unwrap();
        assert_eq!(binding.as_bytes(), bytes(step, "handshake_binding"));
        let (auth, sent) = self.auth.as_ref().unwrap();
        let most = size(self.given, "max_padding_size");
        let accept = self.client.open_accept(sent, &binding, whole(record), most);
        let accept = accept.unwrap();
        assert_eq!(accept.payload, bytes(step, "payload"));
        let okm = array::<72>(&self.given["secrets"], "session_okm72");
        assert_eq!(*accept.keys.as_bytes(), okm);
        let ephemeral = self.ephemeral("server_ephemeral_private_key");
        let made = self.server.accept(
            auth,
            &binding,
            &ephemeral,
            accept.capabilities,
            &accept.payload,
            most,
        );
        assert_eq!(made.unwrap().0, record);
        self.ends = Some(Direction::BOTH.map(|direction| self.ends(direction, okm)));
    }

    fn ends(&self, direction: Direction, okm: [u8; 72]) -> (Sealer, Opener) {
        let keys = SessionKeys::from_bytes(okm);
        let (pair, profile) = (self.client.pair(), profile(self.given));
        let given = &self.given["limits"];
        let limit = |name| u32::try_from(number(given, name)).unwrap();
        let limits = Limits {
            frame_payload: limit("max_frame_payload"),
            frame_padding: limit("max_frame_padding"),
            record_padding: limit("max_record_padding"),
            frames: short(given, "max_frames"),
        };
        let channel = || Channel::new(keys.of_direction(direction), pair, &profile, limits);
        (Sealer::new(channel()), Opener::new(channel()))
    }

    /// Opens a record, compares its frames, and seals them once more to the same bytes.
    fn take_frames(&mut self, step: &Value, direction: Direction, record: &[u8]) {
        let before = self.link.transcript(direction);
        let way = way(direction);
        let (sealer, opener) = &mut self.ends.as_mut().unwrap()[way];
        assert_eq!(opener.sequence(), number(step, "sequence"));
        let mut opened = record.to_vec();
        let Ok(Opened::Frames(frames)) = opener.open(before, &mut opened) else {
            panic!("it does not open: {step}");
        };
        let least = frames.record_padding();
        assert_eq!(u64::from(least), number(step, "record_padding"));
        let found: Vec<Frame<'_>> = frames.collect();
        let expected = each(step, "frames");
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            assert_eq!(found.kind as u64, number(expected, "type"));
            assert_eq!(found.payload, bytes(expected, "payload"));
        }
        let outgoing = found.iter().map(|frame| Outgoing {
            body: Body::Whole(frame.kind, frame.payload),
            flags: frame.flags,
            padding: frame.padding,
        });
        let outgoing: Vec<_> = outgoing.collect();
        let padding = Padding {
            least,
            record_size: None,
        };
        let mut sealed = Vec::new();
        sealer
            .seal(before, &outgoing, padding, &mut sealed)
            .unwrap();
        assert_eq!(hex::encode(sealed), hex::encode(record));
        for frame in found {
            if frame.kind == FrameKind::Control {
                ShaperSnapshot::read(frame.payload).unwrap();
            } else if let Some(packet) = self.reassemblers[way].take(frame).unwrap() {
                self.packets[way].push(hex::encode(packet));
            }
        }
    }

    /// All there is has been walked through.
    fn assert_done(mut self) {
        assert_link(&self.link, &self.given["final"], "at the end");
        for (direction, name) in [(Direction::ToServer, "c2s"), (Direction::ToClient, "s2c")] {
            let expected: Vec<_> = each(&self.given["tun_packets"], name).to_vec();
            assert_eq!(self.packets[way(direction)], expected, "{name}");
            assert_eq!(self.streams[way(direction)].next(), None, "{name}");
        }
    }
}

fn stream(given: &Value, of: Direction) -> Vec<Vec<u8>> {
    let mut parser = RecordParser::default();
    let chunks = each(given, "chunks").iter();
    let chunks = chunks.filter(|chunk| direction(chunk) == of);
    let found = chunks.flat_map(|chunk| records(&mut parser, &bytes(chunk, "bytes")));
    let found = found.collect();
    assert_eq!(parser.pending(), 0);
    found
}

#[test]
fn a_recorded_session_comes_to_its_packets() {
    for text in [
        include_str!("data/7-session-a.json"),
        include_str!("data/7-session-b.json"),
    ] {
        let given = set(text);
        let mut replay = Replay::new(&given);
        replay.walk();
        replay.assert_done();
    }
}
