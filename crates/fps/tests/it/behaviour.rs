//! What a relay of the C++ project does on its two sockets, and ours: the vectors' set 8.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use fps::lease::Pool;
use fps::random::{Keys, NoRandomness};
use fps::relay::{Relay, RelayError};
use fps::session::{
    Admission, Admit, Asked, ClientIdentity, ClientSession, Codec, Ended, NotAdmitted,
    Registration, ServerIdentity, ServerSession, Session,
};
use fps::tunnel::{
    ByLease, Carrier, CarrierId, Dispatch, DropReason, InnerAddresses, PacketQueue, Tunnel, Way,
};
use fps_wire::auth::{AllowList, Client, Server};
use fps_wire::classified::{Channel, Limits, Opened, Opener};
use fps_wire::control::{ClientInstance, Lease};
use fps_wire::{
    ClientUuid, Direction, PrivateKey, ProfileId, Record, RecordParser, SessionKeys, Transcript,
};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, LocalSet};

const SET: &str = include_str!("data/8-relay-behaviour.json");

/// As long as nothing has to come.
const QUIET: Duration = Duration::from_millis(50);
const PATIENCE: Duration = Duration::from_secs(10);

/// The C++ server passes an auth on that crossed records of the origin, and the application's session
/// ends with it; ours takes it.
const TAKEN_BY_US: &str = "origin data crosses the auth on the link: miss, goes to the origin";

/// The last record of this one carries a packet of the recorded host.
const WITH_A_PACKET: &str =
    "handshake, one datagram each way of the relay, carrier data passes in between";

fn text<'a>(of: &'a Value, name: &str) -> &'a str {
    of[name].as_str().unwrap_or_else(|| panic!("no {name}"))
}

fn bytes(of: &Value, name: &str) -> Vec<u8> {
    hex::decode(text(of, name)).unwrap()
}

fn array<const N: usize>(of: &Value, name: &str) -> [u8; N] {
    bytes(of, name).try_into().unwrap()
}

/// The one ephemeral key that a scenario has.
#[derive(Debug)]
struct Fixed(PrivateKey);

impl Keys for Fixed {
    fn ephemeral(&self) -> Result<PrivateKey, NoRandomness> {
        Ok(self.0.clone())
    }
}

/// Leases the one address.
#[derive(Debug)]
struct OneLease(Lease);

impl Admit for OneLease {
    fn admit(&self, asked: Asked<'_>) -> Result<Admission, NotAdmitted> {
        let instance = ClientInstance::read(asked.payload).map_err(|_| NotAdmitted::Payload)?;
        Ok(Admission {
            payload: self.0.to_bytes().to_vec(),
            instance: Some(instance),
            address: Some(self.0.client),
            address_v6: None,
            leases: Some(1),
        })
    }
}

/// Tells what there is, and keeps the queue of the last carrier.
struct Watched {
    inner: Box<dyn Dispatch>,
    queue: Rc<RefCell<Option<Rc<PacketQueue>>>>,
}

impl Dispatch for Watched {
    fn register(&mut self, carrier: Carrier, who: &Registration) -> Vec<Carrier> {
        *self.queue.borrow_mut() = Some(Rc::clone(&carrier.queue));
        self.inner.register(carrier, who)
    }

    fn remove(&mut self, id: CarrierId) -> Option<Rc<PacketQueue>> {
        self.inner.remove(id)
    }

    fn admit(&mut self, id: CarrierId, addresses: &InnerAddresses) -> Result<(), DropReason> {
        self.inner.admit(id, addresses)
    }

    fn release(&mut self, id: CarrierId) {
        self.inner.release(id);
    }

    fn came(&mut self, id: CarrierId, addresses: &InnerAddresses) -> Option<CarrierId> {
        self.inner.came(id, addresses)
    }

    fn choose(&mut self, addresses: &InnerAddresses) -> Result<Way, DropReason> {
        self.inner.choose(addresses)
    }

    fn len(&self) -> usize {
        self.inner.len()
    }
}

fn lease(of: &Value) -> Lease {
    let address = |name| text(of, name).parse().unwrap();
    Lease {
        client: address("client_ipv4"),
        server: address("server_ipv4"),
        network: address("network_ipv4"),
        prefix_len: of["prefix_length"].as_u64().unwrap().try_into().unwrap(),
        mtu: of["mtu"].as_u64().unwrap().try_into().unwrap(),
    }
}

fn codec() -> Codec {
    Codec {
        limits: Limits::default(),
        splits: true,
        packet: 1280,
    }
}

/// A relay as a scenario has it, with the two sockets that the scenario holds.
struct Scene<'a> {
    given: &'a Value,
    near: TcpStream,
    far: TcpStream,
    queue: Rc<RefCell<Option<Rc<PacketQueue>>>>,
    tunnel: Rc<Tunnel>,
    relay: JoinHandle<Result<(), RelayError>>,
    /// What has gone to the link from the relay.
    sent: Vec<u8>,
}

async fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let connect = TcpStream::connect(listener.local_addr().unwrap());
    let (ours, theirs) = tokio::join!(connect, listener.accept());
    (ours.unwrap(), theirs.unwrap().0)
}

impl<'a> Scene<'a> {
    async fn new(given: &'a Value) -> Self {
        let serves = text(given, "relay_role") == "server";
        let queue = Rc::new(RefCell::new(None));
        let inner: Box<dyn Dispatch> = match serves {
            true => {
                let lease = lease(&given["lease"]);
                let network = ipnet::Ipv4Net::new(lease.network, lease.prefix_len).unwrap();
                let pool = Pool::new(network, Some(lease.server)).unwrap();
                Box::new(ByLease::new(pool, true))
            }
            false => Box::<fps::tunnel::RoundRobin>::default(),
        };
        let dispatch = Watched {
            inner,
            queue: Rc::clone(&queue),
        };
        let tunnel = Rc::new(Tunnel::new(None, Box::new(dispatch), None));
        let relay = Relay {
            id: CarrierId(1),
            session: match serves {
                true => server(given),
                false => client(given),
            },
            tunnel: Rc::clone(&tunnel),
            read_buffer_size: 65536,
            queue_bytes: 1 << 20,
        };
        let ((near, relay_near), (far, relay_far)) = (pair().await, pair().await);
        let (plain, link) = match serves {
            true => (relay_far, relay_near),
            false => (relay_near, relay_far),
        };
        let relay = tokio::task::spawn_local(async move {
            relay.run(plain, link, std::future::pending()).await.1
        });
        Self {
            given,
            near,
            far,
            queue,
            tunnel,
            relay,
            sent: Vec::new(),
        }
    }

    fn at(&mut self, step: &Value) -> &mut TcpStream {
        match text(step, "at") {
            "near" => &mut self.near,
            "far" => &mut self.far,
            other => panic!("at {other}"),
        }
    }

    async fn receive(&mut self, step: &Value, length: usize) -> Vec<u8> {
        let mut received = vec![0; length];
        let read = self.at(step).read_exact(&mut received);
        let read = tokio::time::timeout(PATIENCE, read).await;
        read.expect("in time").expect("it comes");
        if (text(step, "at") == "near") == (text(self.given, "relay_role") == "server") {
            self.sent.extend(&received);
        }
        received
    }

    /// Waits until nothing comes any more on either socket, and fails where something does.
    async fn assert_quiet(&mut self, at: &str) {
        for stream in [&self.near, &self.far] {
            let wait = tokio::time::timeout(QUIET, stream.readable());
            let came = wait.await.is_ok();
            let nothing = !came || stream.try_read(&mut [0]).is_err();
            assert!(nothing, "{at}: something came");
        }
    }

    async fn assert_closed(&mut self, step: &Value, at: &str) {
        let mut rest = Vec::new();
        let read = self.at(step).read_to_end(&mut rest);
        let read = tokio::time::timeout(PATIENCE, read).await.expect("in time");
        // With data of ours unread it is a reset.
        assert!(read.is_err() || rest.is_empty(), "{at}: {rest:?}");
    }

    async fn play(&mut self) {
        let name = text(self.given, "name");
        for (at, step) in self.given["steps"].as_array().unwrap().iter().enumerate() {
            let at = format!("{name}, step {at}");
            match text(step, "op") {
                "send" => {
                    let bytes = bytes(step, "bytes");
                    self.at(step).write_all(&bytes).await.unwrap();
                    // What goes on at both sockets at once has no order of its own.
                    self.settle().await;
                }
                "receive"
                    if name == TAKEN_BY_US && text(step, "at") == "far" && self.is_auth(step) =>
                {
                    self.expect_accept(step, &at).await;
                }
                "receive" => self.expect(step, &at).await,
                "nothing received" => self.assert_quiet(&at).await,
                "shutdown write" => self.at(step).shutdown().await.unwrap(),
                "closed" => self.assert_closed(step, &at).await,
                other => panic!("op {other}"),
            }
        }
    }

    /// Lets the relay do what it has to, however busy the machine is: it has no timers.
    async fn settle(&self) {
        let begin = Instant::now();
        while begin.elapsed() < QUIET {
            tokio::task::yield_now().await;
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn expect(&mut self, step: &Value, at: &str) {
        let expected = bytes(step, "bytes");
        let steps = self.given["steps"].as_array().unwrap();
        let is_packet = text(self.given, "name") == WITH_A_PACKET && steps.last() == Some(step);
        if is_packet {
            return self.expect_packet(step).await;
        }
        let received = self.receive(step, expected.len()).await;
        assert_eq!(hex::encode(received), hex::encode(expected), "{at}");
    }

    /// A packet of ours: its record differs from the recorded one, but has to open.
    async fn expect_packet(&mut self, step: &Value) {
        let packet = [0x45; 40];
        let queue = self.queue.borrow().clone().expect("registered");
        assert!(queue.push(&packet, fps::tunnel::Flow::of(&packet)));
        let before = transcript(self.given, &self.sent);
        let mut record = self.receive(step, 5 + 50 + 10 + packet.len()).await;
        let keys = SessionKeys::from_bytes(array(self.given, "session_okm72"));
        let way = Direction::ToClient;
        let (key, pair) = (keys.of_direction(way), peers(self.given).0.pair());
        let channel = Channel::new(key, pair, &profile(self.given), Limits::default());
        let mut opener = Opener::new(channel);
        let Ok(Opened::Frames(frames)) = opener.open(&before, &mut record) else {
            panic!("it does not open");
        };
        let payloads: Vec<_> = frames.map(|frame| frame.payload.to_vec()).collect();
        assert_eq!(payloads, [packet]);
    }

    fn is_auth(&self, step: &Value) -> bool {
        bytes(step, "bytes").len() == 93
    }

    /// What the client gets in the place of what the origin would have.
    async fn expect_accept(&mut self, step: &Value, at: &str) {
        let near = serde_json::json!({"at": "near"});
        assert_eq!(text(step, "at"), "far");
        let accept = self.receive(&near, 93).await;
        assert!(Record::of(&accept).is_some(), "{at}");
        self.assert_quiet(at).await;
    }

    /// What the counters say at the end, and how it ended.
    async fn assert_ended(&mut self) {
        let name = text(self.given, "name");
        let counters = self.tunnel.counters();
        let auth = &self.given["auth"];
        if name == TAKEN_BY_US {
            assert_eq!(counters.authenticated.get(), 1, "{name}");
        } else {
            for (count, key) in [
                (&counters.candidates, "candidates"),
                (&counters.authenticated, "authenticated"),
                (&counters.precheck_failed, "precheck_failed"),
                (&counters.unknown_client, "unknown_client"),
                (&counters.decrypt_failed, "decrypt_failed"),
            ] {
                let expected = auth[key].as_u64().unwrap();
                // What the client's own socket brings is tried there, too; who misses there is told
                // from the rest by nothing else.
                assert_eq!(count.get(), expected, "{name}: {key}");
            }
            let decoded = self.given["classified_record"]["records_decoded"].as_u64();
            assert_eq!(Some(counters.records_decoded.get()), decoded, "{name}");
        }
        let closes = !self.given["last_closed"].is_null();
        if closes {
            let ended = (&mut self.relay).await.unwrap().unwrap_err();
            let close = &self.given["last_closed"]["close"];
            let expected = match close["reason"].as_str().unwrap() {
                "internal_error" => close["error"].as_str().unwrap(),
                reason => reason,
            };
            assert_eq!(ended.reason(), expected, "{name}");
            let tampered = self.given["classified_record"]["tampered_or_invalid"].as_u64();
            let invalid = matches!(ended, RelayError::Session(Ended::Record(_)));
            assert_eq!(Some(u64::from(invalid)), tampered, "{name}");
        }
        if name.starts_with("spoofed") {
            assert_eq!(self.tunnel.dropped(DropReason::SpoofedSource), 1, "{name}");
        }
    }
}

/// The transcript of what has gone by from the relay.
fn transcript(given: &Value, sent: &[u8]) -> Transcript {
    let server = peers(given).1.public();
    let mut transcript = Transcript::new(&server, &profile(given), Direction::ToClient);
    let mut parser = RecordParser::default();
    parser.feed(sent);
    while let Some(record) = parser.next_record() {
        transcript.count(record);
    }
    transcript
}

fn profile(given: &Value) -> ProfileId {
    ProfileId::new(text(given, "profile_id")).unwrap()
}

fn peers(given: &Value) -> (Client, Server) {
    let secrets = &given["secrets"];
    let uuid: ClientUuid = text(secrets, "client_uuid").parse().unwrap();
    let server = Server::new(PrivateKey::from_bytes(array(secrets, "server_private_key")));
    let client = Client::new(uuid.private_key(), server.public()).unwrap();
    (client, server)
}

fn keys(given: &Value) -> Box<dyn Keys> {
    let name = "relay_ephemeral_private_key";
    let key = match given["secrets"][name].is_string() {
        true => array(&given["secrets"], name),
        // Where none is needed.
        false => [7; 32],
    };
    Box::new(Fixed(PrivateKey::from_bytes(key)))
}

fn number(given: &Value, name: &str) -> u64 {
    given[name].as_u64().unwrap()
}

fn server(given: &Value) -> Box<dyn Session> {
    let (client, server) = peers(given);
    let identity = ServerIdentity {
        server,
        allowed: AllowList::new(vec![client.pair().client]).unwrap(),
        profile: profile(given),
        least_records: number(given, "min_records_before_trial"),
        in_flight: 256,
        most_payload: number(given, "max_padding_size").try_into().unwrap(),
        capabilities: 1,
        codec: codec(),
        keys: keys(given),
        admit: Rc::new(OneLease(lease(&given["lease"]))),
    };
    Box::new(ServerSession::new(Rc::new(identity)))
}

fn client(given: &Value) -> Box<dyn Session> {
    let identity = ClientIdentity {
        client: peers(given).0,
        profile: profile(given),
        least_records: number(given, "min_records_before_trial"),
        most_payload: number(given, "max_padding_size").try_into().unwrap(),
        capabilities: 1,
        instance: ClientInstance(array(&given["secrets"], "client_instance_id")),
        codec: codec(),
        keys: keys(given),
    };
    Box::new(ClientSession::new(Rc::new(identity), Instant::now()))
}

#[test]
fn a_relay_does_on_its_sockets_what_the_peers_does() {
    let set: Value = serde_json::from_str(SET).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    for given in set["scenarios"].as_array().unwrap() {
        LocalSet::new().block_on(&runtime, async {
            let mut scene = Scene::new(given).await;
            scene.play().await;
            scene.assert_ended().await;
        });
    }
}
