//! What a carrier's records mean, as state machines that do no I/O.
//!
//! A session sees every record of its carrier in both directions, in the order of the link, and says
//! of each whether it is the application's (forward it byte for byte) or ours (consume it). It knows
//! no socket and no clock: the relay brings records and the time, and asks what to insert.

mod batch;
mod client;
mod open;
mod server;

use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::Instant;

pub use batch::Batch;
pub use client::{ClientIdentity, ClientSession};
pub use open::{Codec, Sealed};
pub use server::{Admission, Admit, Asked, NotAdmitted, ServerIdentity, ServerSession};

use fps_wire::classified::Invalid;
use fps_wire::control::{ClientInstance, Lease, LeaseV6};
use fps_wire::extension::Extension;
use fps_wire::fragment::Dropped;
use fps_wire::{PublicKey, Record};

use crate::tunnel::PacketQueue;

/// What to do with a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is the application's: pass it on unchanged.
    Forward,
    /// It is ours: take it out.
    Consume,
}

/// What a record says, or did not come to.
#[derive(Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// A record was tried for an auth or an accept, and was none: why not, if it was nearly one.
    Refused(fps_wire::Refusal),
    /// Packets may be sent on this carrier from now on.
    Registered(Registration),
    /// One IP packet out of the tunnel.
    Packet(&'a [u8]),
    /// A whole one, as a device takes it, behind its header.
    Whole(&'a [u8]),
    /// A part of one that came to nothing.
    Dropped(Dropped),
    /// A record of ours has been opened.
    Opened,
}

/// Who is at the other end of a carrier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registration {
    /// The server, which gives this client an address.
    Server {
        /// The addresses; none where the server gives none.
        lease: Option<Lease>,
        /// Those of IPv6, where it gives any.
        lease_v6: Option<LeaseV6>,
    },
    /// A client.
    Client {
        /// Its identity.
        client: PublicKey,
        /// Its process, where it says which.
        instance: Option<ClientInstance>,
        /// The address that it has.
        address: Option<Ipv4Addr>,
        /// The one of IPv6.
        address_v6: Option<Ipv6Addr>,
        /// How many leases there are now; none where none are given.
        leases: Option<u64>,
    },
}

/// Why a session cannot go on. It takes its carrier down, and nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Ended {
    /// A record of ours is not in order.
    #[error(transparent)]
    Record(#[from] Invalid),
    /// The client was let in, and no accept could be made.
    #[error("no accept can be made for the client")]
    NoAccept,
    /// The client's payload is none that can be answered.
    #[error("the client's auth cannot be answered: {0}")]
    NotAdmitted(#[from] NotAdmitted),
    /// The lease cannot be read.
    #[error("the server's lease cannot be read")]
    BadLease,
    /// There are no random bytes.
    #[error(transparent)]
    NoRandomness(#[from] crate::random::NoRandomness),
}

impl Ended {
    /// The word for the log.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Record(_) => "classified_record_error",
            Self::NoAccept | Self::NoRandomness(_) => "server_accept_failed",
            Self::NotAdmitted(_) => "server_accept_payload_failed",
            Self::BadLease => "lease_invalid",
        }
    }
}

/// One end of a carrier's tunnel session.
pub trait Session {
    /// Takes note of a record of the plain side, which goes on the link next.
    fn forward(&mut self, record: Record<'_>);

    /// Judges a record of the link; one of ours is opened in place.
    fn take(
        &mut self,
        record: &mut [u8],
        tell: &mut dyn FnMut(Event<'_>),
    ) -> Result<Verdict, Ended>;

    /// Whether the plain side's records must wait, so that none goes on the link.
    fn is_paused(&self) -> bool;

    /// Appends a record that the session wants on the link now, if any. `at_boundary` says that no
    /// half record of the plain side waits to be forwarded.
    fn poll_transmit(
        &mut self,
        now: Instant,
        at_boundary: bool,
        out: &mut Vec<u8>,
    ) -> Result<(), Ended>;

    /// Appends packets that wait, as records, until there are so many bytes, or one that is sealed where
    /// it lies.
    fn seal(&mut self, queue: &PacketQueue, most: usize, out: &mut Batch) -> Sealed;

    /// What both sides use beyond version 5; it stands once the carrier is registered.
    fn extension(&self) -> Option<Extension>;

    /// Whether bytes that are no record must end the carrier: once ours are on the link, a lost
    /// boundary cannot be told from lost packets.
    fn needs_whole_records(&self) -> bool;
}
