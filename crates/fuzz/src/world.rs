//! The peers: the same in each run, so that a finding can be played again.

use std::sync::LazyLock;

use fps_wire::auth::{AllowList, Client, Server};
use fps_wire::{Binding, Direction, Link, PrivateKey, ProfileId, Record, Transcript};

/// The private keys, for whoever forges.
pub const CLIENT: [u8; 32] = [0x11; 32];
/// The server's.
pub const SERVER: [u8; 32] = [0x22; 32];
/// The client's for one session.
pub const CLIENT_EPHEMERAL: [u8; 32] = [0x33; 32];
/// The server's for one session.
pub const SERVER_EPHEMERAL: [u8; 32] = [0x44; 32];
/// Another client's.
pub const STRANGER: [u8; 32] = [0x55; 32];
/// The keys of a session: key and salt of each direction.
pub const SESSION: [u8; 72] = [0x66; 72];
/// The name of the deployment.
pub const PROFILE: &str = "fuzz";

/// Both peers, and a link on which application data has gone both ways.
#[derive(Debug)]
pub struct World {
    /// The client.
    pub client: Client,
    /// The server.
    pub server: Server,
    /// Whom it lets in: a stranger, and the client.
    pub allowed: AllowList,
    /// The link.
    pub link: Link,
    /// Its binding.
    pub binding: Binding,
}

/// The one that there is.
pub static WORLD: LazyLock<World> = LazyLock::new(|| {
    let server = Server::new(private(SERVER));
    let client = Client::new(private(CLIENT), server.public()).expect("no low order");
    let clients = vec![private(STRANGER).public(), client.pair().client];
    let mut link = Link::new(&server.public(), profile(), 1);
    for direction in Direction::BOTH {
        link.count(direction, whole(&[23, 3, 3, 0, 1, 7]));
    }
    World {
        allowed: AllowList::new(clients).expect("two"),
        binding: link.binding().expect("data went both ways"),
        client,
        server,
        link,
    }
});

/// A private key of these bytes.
pub fn private(bytes: [u8; 32]) -> PrivateKey {
    PrivateKey::from_bytes(bytes)
}

/// The deployment.
pub fn profile() -> ProfileId {
    ProfileId::new(PROFILE).expect("short")
}

/// A direction somewhere on its way.
pub fn somewhere(direction: Direction, records: u64) -> Transcript {
    Transcript::at(direction, records, 100 * records, [0x77; 32])
}

/// Bytes that are a record.
pub fn whole(bytes: &[u8]) -> Record<'_> {
    Record::of(bytes).expect("a whole record")
}

/// A record of application data with this payload; nothing where that is too long.
pub fn record(payload: &[u8]) -> Option<Vec<u8>> {
    let length = u16::try_from(payload.len()).ok()?;
    let record = [&[23, 3, 3][..], &length.to_be_bytes(), payload].concat();
    Record::of(&record).is_some().then_some(record)
}
