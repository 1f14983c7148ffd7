//! The server's end: lets known clients in, and leaves everyone else's data alone.
//!
//! A client binds its auth to what it has seen of the server's direction. While records of the origin
//! are on their way to it that is less than the server has sent, and the auth would miss, reach the
//! origin and end the application's session: a known weakness of the C++ build, with which an origin
//! that talks unasked never gets a tunnel. So the states of the last records are kept, and an auth is
//! taken at any of them. Nothing of that is seen on the wire: the accept is bound to all that was
//! sent, as always, and the client has seen that when it reads it.

use std::collections::VecDeque;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::rc::Rc;
use std::time::Instant;

use fps_wire::auth::{AllowList, Auth, Server};
use fps_wire::extension::{Extension, IPV6_LEASE};
use fps_wire::{Binding, Direction, Link, Pair, ProfileId, PublicKey, Record, Refusal, Transcript};

use super::open::Open;
use super::{Batch, Codec, Ended, Event, Registration, Sealed, Session, Verdict};
use crate::random::Keys;
use crate::tunnel::PacketQueue;
use fps_wire::control::ClientInstance;

/// The shortest payload of an auth.
const LEAST_AUTH: usize = 70;

/// What all sessions of a server have in common.
#[derive(Debug)]
pub struct ServerIdentity {
    /// The server.
    pub server: Server,
    /// The clients that it knows.
    pub allowed: AllowList,
    /// The profile of both.
    pub profile: ProfileId,
    /// So many records each way come before anything of ours.
    pub least_records: u64,
    /// How many records may be on their way to a client when it asks.
    pub in_flight: usize,
    /// How long a payload of auth or accept may be.
    pub most_payload: usize,
    /// What it can do beyond the wire.
    pub capabilities: u16,
    /// How packets become frames.
    pub codec: Codec,
    /// Where ephemeral keys come from.
    pub keys: Box<dyn Keys>,
    /// Who says what a client gets.
    pub admit: Rc<dyn Admit>,
}

/// Says what a client gets that has proved who it is.
pub trait Admit: std::fmt::Debug {
    /// The payload of the accept, for that of the auth.
    fn admit(&self, asked: Asked<'_>) -> Result<Admission, NotAdmitted>;
}

/// Who asks, and for what.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Its identity.
    pub client: &'a PublicKey,
    /// The payload of its auth.
    pub payload: &'a [u8],
    /// Whether both sides know IPv6 leases.
    pub takes_v6: bool,
}

/// What a client gets.
#[derive(Clone, Debug, Default)]
pub struct Admission {
    /// The payload of the accept.
    pub payload: Vec<u8>,
    /// The client's process, where it says which.
    pub instance: Option<ClientInstance>,
    /// The address that it has.
    pub address: Option<Ipv4Addr>,
    /// The one of IPv6.
    pub address_v6: Option<Ipv6Addr>,
    /// How many leases there are now; none where none are given.
    pub leases: Option<u64>,
}

/// Why a client that is known gets nothing. Its carrier ends: it has stopped and waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAdmitted {
    /// Its payload is no message that says which process it is.
    #[error("its payload is no client instance")]
    Payload,
    /// All addresses are taken.
    #[error("no lease is free")]
    NoLease,
    /// The lease could not be kept.
    #[error("the lease file cannot be written")]
    LeaseFile,
}

/// See the module.
#[derive(Debug)]
pub struct ServerSession {
    identity: Rc<ServerIdentity>,
    link: Link,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Every record is tried; an auth that fails goes to the origin like any other data. The states
    /// of the server's direction before its last records, the oldest first.
    Waiting(VecDeque<Transcript>),
    /// An auth was taken; the accept is not yet on the link.
    Answering(Box<Answer>),
    Open(Box<Open>),
}

#[derive(Debug)]
struct Answer {
    auth: Auth,
    payload: Vec<u8>,
    /// The client's direction right behind the auth: there the client waits.
    behind: Link,
}

const OUT: Direction = Direction::ToClient;
const IN: Direction = Direction::ToServer;

impl ServerSession {
    /// A session of a new carrier.
    pub fn new(identity: Rc<ServerIdentity>) -> Self {
        let server = identity.server.public();
        let link = Link::new(&server, identity.profile.clone(), identity.least_records);
        Self {
            identity,
            link,
            state: State::Waiting(VecDeque::new()),
        }
    }

    /// Takes a record for an auth, if it is one at this moment or at one of the last.
    fn open_auth(&self, record: Record<'_>) -> Option<Result<Auth, Refusal>> {
        let State::Waiting(states) = &self.state else {
            return None;
        };
        let now = self
            .link
            .binding()
            .filter(|_| record.is_application_data())?;
        let first = self.open_auth_at(record, &now);
        if !matches!(first, Err(Refusal::NotForUs)) {
            return Some(first);
        }
        let length = record.payload().len();
        if length > LEAST_AUTH + self.identity.most_payload {
            return Some(first);
        }
        let earlier = states.iter().rev();
        let mut earlier = earlier.filter_map(|state| self.link.binding_with(state));
        let found = earlier.find_map(|binding| match self.open_auth_at(record, &binding) {
            Err(Refusal::NotForUs) => None,
            found => Some(found),
        });
        Some(found.unwrap_or(first))
    }

    fn open_auth_at(&self, record: Record<'_>, binding: &Binding) -> Result<Auth, Refusal> {
        let identity = &self.identity;
        let most = identity.most_payload;
        identity
            .server
            .open_auth(&identity.allowed, binding, record, most)
    }

    fn try_auth(
        &mut self,
        record: Record<'_>,
        tell: &mut dyn FnMut(Event<'_>),
    ) -> Result<Verdict, Ended> {
        let opened = self.open_auth(record);
        self.link.count(IN, record);
        let auth = match opened {
            None => return Ok(Verdict::Forward),
            Some(Err(refusal)) => {
                tell(Event::Refused(refusal));
                return Ok(Verdict::Forward);
            }
            Some(Ok(auth)) => auth,
        };
        if !self.identity.server.can_answer(&auth) {
            return Err(Ended::NoAccept);
        }
        let client = auth.client;
        let both = self.identity.capabilities & auth.capabilities;
        let admission = self.identity.admit.admit(Asked {
            client: &client,
            payload: &auth.payload,
            takes_v6: both & IPV6_LEASE != 0,
        })?;
        self.state = State::Answering(Box::new(Answer {
            auth,
            payload: admission.payload,
            behind: self.link.clone(),
        }));
        tell(Event::Registered(Registration::Client {
            client,
            instance: admission.instance,
            address: admission.address,
            address_v6: admission.address_v6,
            leases: admission.leases,
        }));
        Ok(Verdict::Consume)
    }
}

impl Session for ServerSession {
    fn forward(&mut self, record: Record<'_>) {
        if let State::Waiting(states) = &mut self.state {
            states.push_back(self.link.transcript(OUT).clone());
            if states.len() > self.identity.in_flight {
                states.pop_front();
            }
        }
        self.link.count(OUT, record);
    }

    fn take(
        &mut self,
        record: &mut [u8],
        tell: &mut dyn FnMut(Event<'_>),
    ) -> Result<Verdict, Ended> {
        let whole = Record::of(record).expect("the parser gives whole records");
        match &mut self.state {
            State::Waiting(_) => self.try_auth(whole, tell),
            State::Open(open) => open.take(&mut self.link, record, tell),
            // Who has asked waits; this is nobody's that we know.
            State::Answering(_) => {
                self.link.count(IN, whole);
                Ok(Verdict::Forward)
            }
        }
    }

    fn is_paused(&self) -> bool {
        false
    }

    fn poll_transmit(
        &mut self,
        _now: Instant,
        _at_boundary: bool,
        out: &mut Vec<u8>,
    ) -> Result<(), Ended> {
        let State::Answering(answer) = &self.state else {
            return Ok(());
        };
        let identity = &self.identity;
        let sent = self.link.transcript(OUT);
        let binding = answer.behind.binding_with(sent).ok_or(Ended::NoAccept)?;
        let ephemeral = identity.keys.ephemeral()?;
        let made = identity.server.accept(
            &answer.auth,
            &binding,
            &ephemeral,
            identity.capabilities,
            &answer.payload,
            identity.most_payload,
        );
        let (record, keys) = made.map_err(|_| Ended::NoAccept)?;
        out.extend(&record);
        let pair = Pair {
            client: answer.auth.client,
            server: identity.server.public(),
        };
        let (codec, extension) = (identity.codec, self.extension());
        let open = Open::new(&keys, OUT, pair, &self.link, codec, extension);
        self.link
            .count(OUT, Record::of(&record).expect("a record of ours"));
        self.state = State::Open(Box::new(open));
        Ok(())
    }

    fn seal(&mut self, queue: &PacketQueue, most: usize, out: &mut Batch) -> Sealed {
        match &mut self.state {
            State::Open(open) => open.seal(&mut self.link, queue, most, out),
            State::Waiting(_) | State::Answering(_) => Sealed::default(),
        }
    }

    fn extension(&self) -> Option<Extension> {
        match &self.state {
            State::Waiting(_) => None,
            State::Answering(answer) => {
                Extension::agreed(self.identity.capabilities, answer.auth.capabilities)
            }
            State::Open(open) => open.extension(),
        }
    }

    fn needs_whole_records(&self) -> bool {
        !matches!(self.state, State::Waiting(_))
    }
}
