//! The client's end: asks once, then carries packets.
//!
//! It has no timer: the relay asks it for an auth whenever the application has sent something, so
//! without more application data after the delay there is none. From then on the application's
//! records wait until the accept has come, since the server answers to the link as it is behind the
//! auth. There is no timeout: a server that does not know this client passes the auth on, and the
//! origin ends the connection.

use std::rc::Rc;
use std::time::Instant;

use fps_wire::auth::{Client, Sent};
use fps_wire::control::{ClientInstance, Lease, LeaseV6};
use fps_wire::extension::{Extension, IPV6_LEASE};
use fps_wire::{Direction, Link, ProfileId, Record};

use super::open::Open;
use super::{Batch, Codec, Ended, Event, Registration, Sealed, Session, Verdict};
use crate::random::Keys;
use crate::tunnel::PacketQueue;

/// What all sessions of a client have in common.
#[derive(Debug)]
pub struct ClientIdentity {
    /// The client and its server.
    pub client: Client,
    /// The profile of both.
    pub profile: ProfileId,
    /// So many records each way come before anything of ours.
    pub least_records: u64,
    /// How long a payload of auth or accept may be.
    pub most_payload: usize,
    /// What it can do beyond the wire.
    pub capabilities: u16,
    /// This process.
    pub instance: ClientInstance,
    /// How packets become frames.
    pub codec: Codec,
    /// Where ephemeral keys come from.
    pub keys: Box<dyn Keys>,
}

/// See the module.
#[derive(Debug)]
pub struct ClientSession {
    identity: Rc<ClientIdentity>,
    /// When `client_upgrade_delay_ms` is over.
    upgrade_at: Instant,
    link: Link,
    state: State,
}

#[derive(Debug)]
enum State {
    /// The application's alone, as yet.
    Watching,
    /// The auth is on the link.
    Asked(Sent),
    Open(Box<Open>),
}

const OUT: Direction = Direction::ToServer;
const IN: Direction = Direction::ToClient;

impl ClientSession {
    /// A session that may ask from `upgrade_at` on.
    pub fn new(identity: Rc<ClientIdentity>, upgrade_at: Instant) -> Self {
        let server = identity.client.pair().server;
        let link = Link::new(&server, identity.profile.clone(), identity.least_records);
        Self {
            identity,
            upgrade_at,
            link,
            state: State::Watching,
        }
    }

    /// Takes a record for the accept, if it is that.
    fn try_accept(
        &mut self,
        record: Record<'_>,
        tell: &mut dyn FnMut(Event<'_>),
    ) -> Result<Verdict, Ended> {
        let State::Asked(sent) = &self.state else {
            return Ok(Verdict::Forward);
        };
        let Some(binding) = self.link.binding().filter(|_| record.is_application_data()) else {
            return Ok(Verdict::Forward);
        };
        let most = self.identity.most_payload;
        let client = &self.identity.client;
        let accept = match client.open_accept(sent, &binding, record, most) {
            Ok(accept) => accept,
            Err(refusal) => {
                tell(Event::Refused(refusal));
                return Ok(Verdict::Forward);
            }
        };
        let both = self.identity.capabilities & accept.capabilities;
        let (lease, lease_v6) = leases(&accept.payload, both & IPV6_LEASE != 0)?;
        let (pair, codec) = (client.pair(), self.identity.codec);
        let extension = Extension::agreed(self.identity.capabilities, accept.capabilities);
        let open = Open::new(&accept.keys, OUT, pair, &self.link, codec, extension);
        self.state = State::Open(Box::new(open));
        tell(Event::Registered(Registration::Server { lease, lease_v6 }));
        Ok(Verdict::Consume)
    }
}

/// What an accept's payload says. Where both know leases of IPv6, one may stand behind the other.
fn leases(payload: &[u8], v6: bool) -> Result<(Option<Lease>, Option<LeaseV6>), Ended> {
    let bad = |_| Ended::BadLease;
    let (first, second) = match payload.len().checked_sub(LeaseV6::LEN) {
        Some(length) if v6 => payload.split_at(length),
        _ => (payload, &[][..]),
    };
    let first = (!first.is_empty()).then(|| Lease::read(first).map_err(bad));
    let second = (!second.is_empty()).then(|| LeaseV6::read(second).map_err(bad));
    Ok((first.transpose()?, second.transpose()?))
}

impl Session for ClientSession {
    fn forward(&mut self, record: Record<'_>) {
        self.link.count(OUT, record);
    }

    fn take(
        &mut self,
        record: &mut [u8],
        tell: &mut dyn FnMut(Event<'_>),
    ) -> Result<Verdict, Ended> {
        if let State::Open(open) = &mut self.state {
            return open.take(&mut self.link, record, tell);
        }
        let whole = Record::of(record).expect("the parser gives whole records");
        let verdict = self.try_accept(whole, tell)?;
        self.link.count(IN, whole);
        Ok(verdict)
    }

    fn is_paused(&self) -> bool {
        matches!(self.state, State::Asked(_))
    }

    fn poll_transmit(
        &mut self,
        now: Instant,
        at_boundary: bool,
        out: &mut Vec<u8>,
    ) -> Result<(), Ended> {
        let ready = matches!(self.state, State::Watching) && at_boundary && now >= self.upgrade_at;
        let Some(binding) = self.link.binding().filter(|_| ready) else {
            return Ok(());
        };
        let identity = &self.identity;
        let auth = identity.client.auth(
            &binding,
            identity.keys.ephemeral()?,
            identity.capabilities,
            &identity.instance.to_bytes(),
            identity.most_payload,
        );
        match auth {
            Ok((record, sent)) => {
                out.extend(&record);
                self.link
                    .count(OUT, Record::of(&record).expect("a record of ours"));
                self.state = State::Asked(sent);
            }
            // `max_padding_size` below 18 leaves no room for it: the carrier is the application's.
            Err(error) => tracing::debug!(event = "auth_failed", error = %error),
        }
        Ok(())
    }

    fn seal(&mut self, queue: &PacketQueue, most: usize, out: &mut Batch) -> Sealed {
        match &mut self.state {
            State::Open(open) => open.seal(&mut self.link, queue, most, out),
            State::Watching | State::Asked(_) => Sealed::default(),
        }
    }

    fn extension(&self) -> Option<Extension> {
        match &self.state {
            State::Open(open) => open.extension(),
            State::Watching | State::Asked(_) => None,
        }
    }

    fn needs_whole_records(&self) -> bool {
        !matches!(self.state, State::Watching)
    }
}
