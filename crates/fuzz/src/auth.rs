//! How a session begins: the server opens an auth, the client an accept. Only what was sealed with the
//! peer's key for this moment is taken, and both sides come to the same keys.
//!
//! Input: a byte for the side, a byte for what it is offered, and what that takes.

use std::sync::LazyLock;

use fps_wire::auth::{AllowList, Sent};
use fps_wire::{Binding, Direction, Link, MAX_PAYLOAD, PublicKey, Refusal};

use crate::forge::{self, Kind};
use crate::input::{Input, put};
use crate::seed::Seed;
use crate::vectors::{self, bytes, each};
use crate::world::{self, WORLD, World, private, whole};

/// Version, capabilities, ephemeral key and length, in front of a payload.
const HEAD: usize = 2 + 2 + 32 + 2;
/// What an auth or an accept has around its payload: the hints, the head and the tag.
const AROUND: usize = 16 + HEAD + 16;

/// Who opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Server,
    Client,
}

/// What a client has that waits for its accept.
struct Waiting {
    auth: Vec<u8>,
    sent: Sent,
    link: Link,
    binding: Binding,
}

static WAITING: LazyLock<Waiting> = LazyLock::new(|| {
    let ephemeral = private(world::CLIENT_EPHEMERAL);
    let made = WORLD.client.auth(&WORLD.binding, ephemeral, 1, b"", 0);
    let (auth, sent) = made.expect("short");
    let mut link = WORLD.link.clone();
    link.count(Direction::ToServer, whole(&auth));
    let binding = link.binding().expect("data went both ways");
    Waiting {
        auth,
        sent,
        link,
        binding,
    }
});

type Taken = Result<(u16, Vec<u8>), Refusal>;

impl Side {
    fn kind(self) -> Kind {
        match self {
            Self::Server => Kind::Auth,
            Self::Client => Kind::Accept,
        }
    }

    /// The link as it stands.
    fn link(self) -> (&'static Link, &'static Binding) {
        match self {
            Self::Server => (&WORLD.link, &WORLD.binding),
            Self::Client => (&WAITING.link, &WAITING.binding),
        }
    }

    fn forge(self, text: &[u8]) -> Option<Vec<u8>> {
        let (_, binding) = self.link();
        match self {
            Self::Server => forge::auth(binding, text),
            Self::Client => forge::accept(binding, &WAITING.auth[5..], text),
        }
    }

    fn open(self, binding: &Binding, record: &[u8], most: usize) -> Taken {
        let record = whole(record);
        match self {
            Self::Server => {
                let taken = WORLD
                    .server
                    .open_auth(&WORLD.allowed, binding, record, most);
                taken.map(|auth| {
                    assert_eq!(auth.client, WORLD.client.pair().client);
                    (auth.capabilities, auth.payload)
                })
            }
            Self::Client => {
                let taken = WORLD
                    .client
                    .open_accept(&WAITING.sent, binding, record, most);
                taken.map(|accept| (accept.capabilities, accept.payload))
            }
        }
    }
}

/// See the module.
pub fn check(data: &[u8]) -> bool {
    let mut input = Input::new(data);
    let side = match input.byte() % 2 {
        0 => Side::Server,
        _ => Side::Client,
    };
    match input.byte() % 4 {
        0 => sealed(side, &mut input),
        1 => changed(side, &mut input),
        2 => unsealed(side, &mut input),
        _ => handshake(&mut input),
    }
}

/// Of what the peer has sealed, that is taken which is well formed, and nothing else.
fn sealed(side: Side, input: &mut Input<'_>) -> bool {
    let most = usize::from(input.short());
    let text = match input.byte() % 2 {
        0 => input.rest().to_vec(),
        _ => well_formed(input),
    };
    let Some(record) = side.forge(&text) else {
        return false;
    };
    let (link, binding) = side.link();
    let taken = side.open(binding, &record, most);
    assert_eq!(taken, expected(side, &text, most));
    if taken.is_err() {
        return false;
    }
    let mut later = link.clone();
    later.count(Direction::ToClient, whole(&record));
    let later = later.binding().expect("as before");
    let late = side.open(&later, &record, most);
    assert_eq!(late, Err(Refusal::NotForUs), "another moment");
    if side == Side::Server {
        answer(&record, &text, most);
    }
    true
}

/// An auth of a client that is not let in is nothing; one with a good key can be answered.
fn answer(record: &[u8], text: &[u8], most: usize) {
    let (server, binding) = (&WORLD.server, &WORLD.binding);
    let others = AllowList::new(vec![private(world::STRANGER).public()]).expect("one");
    let refused = server.open_auth(&others, binding, whole(record), most);
    assert_eq!(refused.err(), Some(Refusal::UnknownClient));
    let auth = server.open_auth(&WORLD.allowed, binding, whole(record), most);
    let auth = auth.expect("it was taken");
    let can = server.can_answer(&auth);
    assert_eq!(can, agrees(world::SERVER, text));
    let ephemeral = private(world::SERVER_EPHEMERAL);
    let made = server.accept(&auth, binding, &ephemeral, 1, b"", 0);
    assert_eq!(made.is_ok(), can);
}

/// Whether the ephemeral key in a text is no point of low order.
fn agrees(private: [u8; 32], text: &[u8]) -> bool {
    let ephemeral = text[4..36].try_into().expect("32 bytes");
    forge::agree(private, PublicKey::from_bytes(ephemeral)).is_some()
}

fn expected(side: Side, text: &[u8], most: usize) -> Taken {
    let number = |at: usize| u16::from_be_bytes([text[at], text[at + 1]]);
    if text.len() < HEAD || usize::from(number(HEAD - 2)) != text.len() - HEAD {
        return Err(Refusal::Size);
    }
    let payload = &text[HEAD..];
    if number(0) != 5 {
        Err(Refusal::Version)
    } else if payload.len() > most {
        Err(Refusal::PayloadTooLong)
    } else if side == Side::Client && !agrees(world::CLIENT, text) {
        Err(Refusal::LowOrderKey)
    } else {
        Ok((number(2), payload.to_vec()))
    }
}

/// A text whose version and length are right.
fn well_formed(input: &mut Input<'_>) -> Vec<u8> {
    let (capabilities, ephemeral) = (input.array::<2>(), input.array::<32>());
    let payload = put(input.rest());
    [&[0, 5][..], &capabilities, &ephemeral, &payload].concat()
}

/// Nothing that was changed on its way is taken.
fn changed(side: Side, input: &mut Input<'_>) -> bool {
    let text = well_formed(&mut Input::new(input.some()));
    let Some(record) = side.forge(&text) else {
        return false;
    };
    let mut payload = record[5..].to_vec();
    for _ in 0..input.byte() % 8 {
        let at = usize::from(input.short()) % payload.len();
        payload[at] ^= input.byte();
    }
    payload.truncate(payload.len() - usize::from(input.byte()).min(payload.len()));
    payload.extend(input.rest());
    let Some(other) = world::record(&payload) else {
        return false;
    };
    let (_, binding) = side.link();
    let taken = side.open(binding, &other, usize::MAX);
    match other == record {
        true => assert_eq!(taken, expected(side, &text, usize::MAX)),
        false => assert!(taken.is_err(), "it was changed"),
    }
    true
}

/// Nothing is taken that nobody has sealed, even with the hints of the moment.
fn unsealed(side: Side, input: &mut Input<'_>) -> bool {
    let (_, binding) = side.link();
    let hints = match input.byte() % 2 {
        0 => Vec::new(),
        _ => side.kind().hints(binding.as_bytes()),
    };
    let hinted = !hints.is_empty();
    let Some(record) = world::record(&[&hints, input.rest()].concat()) else {
        return false;
    };
    let error = side.open(binding, &record, usize::MAX).err();
    let error = error.expect("nobody has sealed it");
    match record.len() - 5 < AROUND {
        true => assert_eq!(error, Refusal::Size),
        false if hinted => assert_eq!(error, Refusal::Forged),
        false => assert_ne!(error, Refusal::Forged, "it has the hints"),
    }
    hinted && error == Refusal::Forged
}

/// Both come to the same keys, whatever they say to each other.
fn handshake(input: &mut Input<'_>) -> bool {
    let (one, other) = (private(input.array()), private(input.array()));
    let (most, theirs) = (usize::from(input.short()), usize::from(input.short()));
    let (said, between, answered) = (input.some(), input.some(), input.rest());
    let World { client, server, .. } = &*WORLD;
    let made = client.auth(&WORLD.binding, one, 1, said, most);
    let fits =
        |payload: &[u8], most| payload.len() <= most && AROUND + payload.len() <= MAX_PAYLOAD;
    assert_eq!(made.is_ok(), fits(said, most));
    let Ok((asked, sent)) = made else {
        return false;
    };
    let auth = server.open_auth(&WORLD.allowed, &WORLD.binding, whole(&asked), most);
    let auth = auth.expect("the client has made it");
    assert_eq!((auth.capabilities, &*auth.payload), (1, said));
    let mut link = WORLD.link.clone();
    link.count(Direction::ToServer, whole(&asked));
    if let Some(between) = world::record(between) {
        link.count(Direction::ToClient, whole(&between));
    }
    let binding = link.binding().expect("as before");
    let made = server.accept(&auth, &binding, &other, 2, answered, theirs);
    assert_eq!(made.is_ok(), fits(answered, theirs));
    let Ok((record, keys)) = made else {
        return false;
    };
    let accept = client.open_accept(&sent, &binding, whole(&record), theirs);
    let accept = accept.expect("the server has made it");
    assert_eq!((accept.capabilities, &*accept.payload), (2, answered));
    assert_eq!(accept.keys.as_bytes(), keys.as_bytes());
    let other = client.open_accept(&WAITING.sent, &binding, whole(&record), theirs);
    assert!(
        other.is_err() || asked == WAITING.auth,
        "it answers another auth"
    );
    true
}

/// One of each, and the recorded ones, which other keys have sealed.
pub fn seeds() -> Vec<Seed> {
    let mut seeds = Vec::new();
    for side in [0, 1] {
        let text = [&[0, 1][..], &[9; 32], b"payload"].concat();
        seeds.push(Seed::deep([&[side, 0, 2, 0, 1][..], &text].concat()));
        let long = [&[0, 5, 0, 1][..], &[9; 32], &put(b"payload")].concat();
        seeds.push(Seed::deep([&[side, 0, 2, 0, 0][..], &long].concat()));
        seeds.push(Seed::any([&[side, 0, 2, 0, 0][..], &[0; HEAD]].concat()));
        seeds.push(Seed::any([&[side, 0, 2, 0, 1][..], &[0; 34]].concat()));
        let flip = [1, 0, 20, 1, 0];
        seeds.push(Seed::deep([&[side, 1][..], &put(&text), &flip].concat()));
        seeds.push(Seed::deep([&[side, 2, 1][..], &[7; 60]].concat()));
        let both = [&[3; 64][..], &[2, 0, 2, 0], &put(b"hello"), &put(b"data")].concat();
        seeds.push(Seed::deep([&[side, 3][..], &both, b"lease"].concat()));
    }
    let set = vectors::handshake();
    for given in each(&set, "negative") {
        let side = u8::from(given["side"] == "client");
        let record = bytes(given, "record");
        seeds.push(Seed::any([&[side, 2, 0][..], &record[5..]].concat()));
    }
    seeds
}
