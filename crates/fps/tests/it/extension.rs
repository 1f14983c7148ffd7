//! The extension between two of ours, and neither where one side does not have it: both ends of a
//! carrier as state machines, record by record.

use std::rc::Rc;
use std::time::Instant;

use bytes::Buf;
use fps::lease::Pool;
use fps::random::System;
use fps::session::{
    Admission, Admit, Asked, Batch, ClientIdentity, ClientSession, Codec, Ended, Event,
    NotAdmitted, Registration, Sealed, ServerIdentity, ServerSession, Session, Verdict,
};
use fps::tunnel::{Flow, PacketQueue, Whole};
use fps_wire::auth::{AllowList, Client, Server};
use fps_wire::classified::{Invalid, Limits, Spread};
use fps_wire::control::ClientInstance;
use fps_wire::extension::{AES, ALL, IPV6_LEASE, WHOLE_PACKETS};
use fps_wire::{ClientUuid, ProfileId, Record};
use rstest::rstest;

const UUID: &str = "3f2b8c1d-9a4e-4f6b-8c2d-1e5f7a9b3c4d";

/// Leases the first address of a pool to anybody.
#[derive(Debug)]
struct FirstAddress;

impl Admit for FirstAddress {
    fn admit(&self, asked: Asked<'_>) -> Result<Admission, NotAdmitted> {
        let pool = Pool::new("10.66.0.0/24".parse().unwrap(), None).unwrap();
        let pool = pool.with_v6("fd66::/64".parse().unwrap()).unwrap();
        let address = pool.clients().next().unwrap();
        let mut payload = pool.lease(address, 1400).to_bytes().to_vec();
        let v6 = pool.lease_v6(address).filter(|_| asked.takes_v6);
        payload.extend(v6.iter().flat_map(|lease| lease.to_bytes()));
        Ok(Admission {
            payload,
            address: Some(address),
            address_v6: v6.map(|lease| lease.client),
            ..Admission::default()
        })
    }
}

/// Both ends of a carrier after the handshake.
struct Carrier {
    client: ClientSession,
    server: ServerSession,
    /// What each has told of the other.
    registered: Vec<Registration>,
}

fn application(number: u8) -> Vec<u8> {
    [&[23, 3, 3, 0, 60][..], &[number; 60]].concat()
}

fn take(session: &mut dyn Session, mut record: Vec<u8>) -> Result<(Verdict, Vec<Got>), Ended> {
    let mut got = Vec::new();
    let verdict = session.take(&mut record, &mut |event| match event {
        Event::Packet(packet) => got.push(Got::Packet(packet.to_vec())),
        Event::Whole(packet) => got.push(Got::Whole(packet.to_vec())),
        Event::Registered(registration) => got.push(Got::Registered(registration)),
        Event::Dropped(dropped) => panic!("{dropped}"),
        _ => {}
    })?;
    Ok((verdict, got))
}

#[derive(Debug, PartialEq, Eq)]
enum Got {
    Packet(Vec<u8>),
    Whole(Vec<u8>),
    Registered(Registration),
}

impl Carrier {
    fn new(client_has: u16, server_has: u16) -> Self {
        let uuid: ClientUuid = UUID.parse().unwrap();
        let (private, profile) = (uuid.private_key(), ProfileId::new("extension").unwrap());
        let server = Server::new(fps::random::private_key().unwrap());
        let codec = Codec {
            limits: Limits::default(),
            splits: true,
            packet: 1400,
        };
        let server = ServerIdentity {
            allowed: AllowList::new(vec![private.public()]).unwrap(),
            profile: profile.clone(),
            least_records: 1,
            in_flight: 256,
            most_payload: 512,
            capabilities: server_has,
            codec,
            keys: Box::new(System),
            admit: Rc::new(FirstAddress),
            server,
        };
        let client = ClientIdentity {
            client: Client::new(private, server.server.public()).unwrap(),
            profile,
            least_records: 1,
            most_payload: 512,
            capabilities: client_has,
            instance: ClientInstance([7; 16]),
            codec,
            keys: Box::new(System),
        };
        let mut carrier = Self {
            client: ClientSession::new(Rc::new(client), Instant::now()),
            server: ServerSession::new(Rc::new(server)),
            registered: Vec::new(),
        };
        carrier.shake_hands();
        carrier
    }

    fn shake_hands(&mut self) {
        assert_eq!(self.ask(1), Verdict::Forward);
        assert_eq!(self.answer(2), Verdict::Forward);
        let (mut auth, mut accept) = (Vec::new(), Vec::new());
        let now = Instant::now();
        self.client.poll_transmit(now, true, &mut auth).unwrap();
        let (verdict, got) = take(&mut self.server, auth).unwrap();
        assert_eq!(verdict, Verdict::Consume);
        self.note(got);
        self.server.poll_transmit(now, true, &mut accept).unwrap();
        let (verdict, got) = take(&mut self.client, accept).unwrap();
        assert_eq!(verdict, Verdict::Consume);
        self.note(got);
    }

    fn note(&mut self, got: Vec<Got>) {
        self.registered.extend(got.into_iter().map(|it| match it {
            Got::Registered(registration) => registration,
            other => panic!("{other:?}"),
        }));
    }

    /// A record of the application's.
    fn ask(&mut self, number: u8) -> Verdict {
        let record = application(number);
        self.client.forward(Record::of(&record).unwrap());
        take(&mut self.server, record).unwrap().0
    }

    /// One of the origin's.
    fn answer(&mut self, number: u8) -> Verdict {
        let record = application(number);
        self.server.forward(Record::of(&record).unwrap());
        take(&mut self.client, record).unwrap().0
    }
}

/// The records that a session makes of packets.
fn seal(session: &mut dyn Session, packets: &[&[u8]]) -> Vec<Vec<u8>> {
    let queue = PacketQueue::new(1 << 20);
    for packet in packets {
        let flow = Flow::of(packet);
        // As a tunnel does.
        let mut spread = Spread::new(Whole::LONGEST);
        spread.fill(packet);
        let put = match packet.len() > Spread::PART && session.extension().is_some() {
            true => queue.push_spread(&mut spread, flow, || Spread::new(0)),
            false => queue.push(packet, flow),
        };
        assert!(put);
    }
    let (mut out, mut sealed) = (Vec::new(), Sealed::default());
    while !queue.is_empty() {
        let mut batch = Batch::default();
        let more = session.seal(&queue, usize::MAX, &mut batch);
        let bytes = batch.len();
        let mut all = batch.bytes();
        assert_eq!(all.remaining(), bytes);
        out.extend(all.copy_to_bytes(bytes));
        sealed.records += more.records;
        sealed.packets += more.packets;
        sealed.lost += more.lost;
    }
    assert_eq!((sealed.packets, sealed.lost), (packets.len() as u64, 0));
    let mut records = Vec::new();
    let mut rest = &out[..];
    while !rest.is_empty() {
        let length = 5 + usize::from(u16::from_be_bytes([rest[3], rest[4]]));
        assert!(length <= 5 + 16384 + 256, "as TLS has them (RFC 8446, 5.2)");
        records.push(rest[..length].to_vec());
        rest = &rest[length..];
    }
    assert_eq!(records.len() as u64, sealed.records);
    records
}

#[rstest]
#[case::both(ALL, ALL, Some("aes-128-gcm"))]
#[case::a_client_without_aes(WHOLE_PACKETS, ALL, Some("chacha20-poly1305"))]
#[case::a_server_without_aes(ALL, WHOLE_PACKETS, Some("chacha20-poly1305"))]
#[case::a_server_of_version_5(ALL | 1, 1, None)]
#[case::a_client_of_version_5(1, ALL | 1, None)]
#[case::the_cipher_alone(AES, ALL, None)]
fn packets_go_both_ways_between_the_applications_records(
    #[case] client: u16,
    #[case] server: u16,
    #[case] cipher: Option<&str>,
) {
    let mut carrier = Carrier::new(client, server);
    for session in [&carrier.client as &dyn Session, &carrier.server] {
        assert_eq!(session.extension().map(|it| it.cipher()), cipher);
    }
    let (short, long) = ([0x45; 100], vec![0x45; 65000]);
    let packets: Vec<&[u8]> = match cipher {
        Some(_) => vec![&short, &long, &short],
        None => vec![&short, &short],
    };
    let expected = |packet: &&[u8]| match cipher {
        Some(_) => Got::Whole(packet.to_vec()),
        None => Got::Packet(packet.to_vec()),
    };
    let expected: Vec<_> = packets.iter().map(expected).collect();
    for round in 10..13 {
        for to_server in [true, false] {
            let (from, to): (&mut dyn Session, &mut dyn Session) = match to_server {
                true => (&mut carrier.client, &mut carrier.server),
                false => (&mut carrier.server, &mut carrier.client),
            };
            let mut all = Vec::new();
            for record in seal(from, &packets) {
                let (verdict, got) = take(to, record).unwrap();
                assert_eq!(verdict, Verdict::Consume);
                all.extend(got);
            }
            // The queue lets the short ones go first.
            assert_eq!(all.len(), expected.len());
            assert!(all.iter().all(|it| expected.contains(it)));
        }
        assert_eq!(carrier.ask(round), Verdict::Forward);
        assert_eq!(carrier.answer(round), Verdict::Forward);
    }
}

/// A record of ours that is repeated, or stands behind another record of the application's than it
/// was made for, is the application's: it goes on, and no packet comes of it.
#[test]
fn a_record_belongs_to_one_place() {
    let mut carrier = Carrier::new(ALL, ALL);
    let first = seal(&mut carrier.client, &[&[0x45; 100]]).remove(0);
    assert_eq!(
        take(&mut carrier.server, first.clone()).unwrap().0,
        Verdict::Consume
    );
    let (verdict, got) = take(&mut carrier.server, first).unwrap();
    assert_eq!((verdict, got), (Verdict::Forward, Vec::new()), "repeated");

    let mut carrier = Carrier::new(ALL, ALL);
    let record = seal(&mut carrier.client, &[&[0x45; 100]]).remove(0);
    take(&mut carrier.server, application(9)).unwrap();
    let (verdict, got) = take(&mut carrier.server, record).unwrap();
    assert_eq!((verdict, got), (Verdict::Forward, Vec::new()), "moved");
}

#[test]
fn a_record_that_was_changed_ends_the_carrier() {
    for place in [13, 40, 100] {
        let mut carrier = Carrier::new(ALL, ALL);
        let mut record = seal(&mut carrier.client, &[&[0x45; 100]]).remove(0);
        record[place] ^= 1;
        let ended = take(&mut carrier.server, record).unwrap_err();
        let expected = match place {
            13 => Invalid::ClientHint,
            _ => Invalid::Forged,
        };
        assert_eq!(ended, Ended::Record(expected), "{place}");
    }
}

#[rstest]
#[case::both(IPV6_LEASE, IPV6_LEASE, true)]
#[case::all(ALL | 1, ALL | 1, true)]
#[case::a_client_of_version_5(1, IPV6_LEASE, false)]
#[case::a_server_of_version_5(IPV6_LEASE, 1, false)]
#[case::other_bits(AES | WHOLE_PACKETS, ALL, false)]
fn an_ipv6_address_comes_with_the_lease_where_both_know_it(
    #[case] client: u16,
    #[case] server: u16,
    #[case] comes: bool,
) {
    let carrier = Carrier::new(client, server);
    let [
        Registration::Client {
            address,
            address_v6,
            ..
        },
        Registration::Server { lease, lease_v6 },
    ] = carrier.registered[..]
    else {
        panic!("{:?}", carrier.registered);
    };
    assert_eq!(lease.map(|lease| lease.client), address);
    assert!(address.is_some());
    assert_eq!(lease_v6.map(|lease| lease.client), address_v6);
    assert_eq!(lease_v6.is_some(), comes);
}
