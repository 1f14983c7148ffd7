//! The two pumps of one carrier.
//!
//! The *plain* side speaks TLS to the application (on the client) or to the origin (on the
//! server). The *link* is the connection between our two programs. `outbound` moves records from
//! the plain side to the link and inserts ours; `inbound` moves them from the link to the plain
//! side and takes ours out.
//!
//! Each pump writes what it has before it reads more, so a slow reader slows its writer down, as
//! it would without us. Only whole records are forwarded. The end of one direction is passed on as
//! the end of that direction; the carrier ends when both have ended or either failed, and takes
//! nothing but itself down.

mod drain;
mod inbound;
mod outbound;
mod turn;

use std::cell::{Cell, RefCell};
use std::future;
use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::pin::pin;
use std::rc::Rc;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::net::tcp::WriteHalf;
use tokio::sync::Notify;

use fps_wire::RecordParser;

use crate::session::{Ended, Session};
use crate::tunnel::{CarrierId, PacketQueue, Tunnel};

/// Everything that one carrier needs.
pub struct Relay {
    /// Which carrier this is.
    pub id: CarrierId,
    /// What the records mean.
    pub session: Box<dyn Session>,
    /// Where packets come from and go to.
    pub tunnel: Rc<Tunnel>,
    /// How much one read may bring.
    pub read_buffer_size: usize,
    /// How many bytes of packets may wait.
    pub queue_bytes: usize,
}

/// How many bytes each direction carried, ours included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Written to the link.
    pub to_link: u64,
    /// Read from the link.
    pub from_link: u64,
}

/// Why a carrier ended early.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    /// A read failed.
    #[error("cannot read from the {0}")]
    Read(Side, #[source] io::Error),
    /// A write failed.
    #[error("cannot write to the {0}")]
    Write(Side, #[source] io::Error),
    /// The session cannot go on.
    #[error(transparent)]
    Session(#[from] Ended),
    /// Another process of the same client has taken its place.
    #[error("another process of this client has come")]
    Replaced,
    /// The network has changed, and there is no way for it any more.
    #[error("there is no way for the link any more")]
    WithoutWay,
    /// Bytes that are no TLS record, after our records began.
    #[error("the {0} sent bytes that are no TLS record")]
    Garbage(Side),
}

/// One of a carrier's two connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Towards the application or the origin.
    Plain,
    /// Between our two programs.
    Link,
}

impl std::fmt::Display for Side {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Plain => "plain side",
            Self::Link => "link",
        })
    }
}

impl RelayError {
    /// The word for the log.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Read(Side::Plain, _) => "plain_read_failed",
            Self::Read(Side::Link, _) => "link_read_failed",
            Self::Write(Side::Plain, _) => "plain_write_failed",
            Self::Write(Side::Link, _) => "link_write_failed",
            Self::Session(ended) => ended.reason(),
            Self::Replaced => "duplicate_client_replaced",
            Self::WithoutWay => "link_without_way",
            Self::Garbage(_) => "tls_parse_error",
        }
    }

    /// Whether nothing arrives any more of what was written to the link.
    fn is_of_link(&self) -> bool {
        matches!(
            self,
            Self::Read(Side::Link, _) | Self::Write(Side::Link, _) | Self::WithoutWay
        )
    }
}

impl Relay {
    /// Relays until both directions have ended, or until something else ends it.
    pub async fn run(
        self,
        mut plain: TcpStream,
        mut link: TcpStream,
        until: impl Future<Output = RelayError>,
    ) -> (Traffic, Result<(), RelayError>) {
        let socket = link.as_raw_fd();
        let (plain_reader, plain_writer) = plain.split();
        let (link_reader, link_writer) = link.split();
        let queue = Rc::new(PacketQueue::of_link(self.queue_bytes, socket));
        let shared = Shared {
            queue: Rc::clone(&queue),
            session: RefCell::new(self.session),
            registration: Registration {
                id: self.id,
                tunnel: &self.tunnel,
                queue: Rc::clone(&queue),
                sent: Cell::new(0),
                received: Cell::new(0),
            },
            id: self.id,
            tunnel: &self.tunnel,
            read_buffer_size: self.read_buffer_size,
            leaves: Notify::new(),
            leaving: Cell::default(),
            has_ended: Cell::new(false),
            to_link: Cell::new(0),
            from_link: Cell::new(0),
        };
        let both = async {
            tokio::try_join!(
                outbound::pump(&shared, plain_reader, link_writer),
                inbound::pump(&shared, link_reader, plain_writer),
            )
        };
        self.tunnel.begin_reading(self.id, socket);
        let mut leave = pin!(shared.leave(socket));
        let result = tokio::select! {
            result = both => result.map(|_| ()),
            ended = until => Err(ended),
            // Also while a pump waits for a link that is dead.
            () = queue.replaced() => Err(RelayError::Replaced),
            // Both pumps go on meanwhile: the application may have half of its connection left.
            never = async {
                leave.as_mut().await;
                future::pending().await
            } => never,
        };
        shared.pumps_ended(result.as_ref().err());
        if shared.leaving.get() == Leaving::Begun {
            leave.await;
        }
        (shared.traffic(), result)
    }
}

/// What both pumps use. They run in one task, so no borrow may outlive an await.
struct Shared<'a> {
    id: CarrierId,
    session: RefCell<Box<dyn Session>>,
    queue: Rc<PacketQueue>,
    tunnel: &'a Tunnel,
    registration: Registration<'a>,
    read_buffer_size: usize,
    /// The carrier is out of the tunnel, so what it has sent can be waited for.
    leaves: Notify,
    leaving: Cell<Leaving>,
    has_ended: Cell<bool>,
    to_link: Cell<u64>,
    from_link: Cell<u64>,
}

/// How far a carrier is that has been in the tunnel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Leaving {
    /// It is in, or has never been.
    #[default]
    Not,
    /// It takes no packets any more; what it took may be on its way.
    Begun,
    /// Nothing is.
    Done,
}

impl Shared<'_> {
    /// Takes the carrier out of the tunnel, if it is in.
    fn remove(&self) {
        if self.tunnel.remove(self.id) {
            self.leaving.set(Leaving::Begun);
            self.leaves.notify_one();
        }
    }

    /// Once it is out, lets its flows go on by others when that cannot change their order.
    async fn leave(&self, socket: RawFd) {
        self.leaves.notified().await;
        let arrived = || self.queue.has_arrived() || self.has_ended.get();
        drain::drained(socket, arrived).await;
        self.release();
    }

    fn release(&self) {
        self.leaving.set(Leaving::Done);
        self.tunnel.release(self.id);
    }

    /// Nothing is read or written any more.
    fn pumps_ended(&self, error: Option<&RelayError>) {
        self.has_ended.set(true);
        self.remove();
        if error.is_some_and(RelayError::is_of_link) && self.leaving.get() == Leaving::Begun {
            self.release();
        }
    }

    fn traffic(&self) -> Traffic {
        Traffic {
            to_link: self.to_link.get(),
            from_link: self.from_link.get(),
        }
    }

    /// Lost bytes are the application's own trouble until our records are among its.
    fn check_skipped(&self, parser: &mut RecordParser, side: Side) -> Result<(), RelayError> {
        let skipped = parser.take_skipped();
        if skipped == 0 {
            return Ok(());
        }
        tracing::debug!(event = "bytes_skipped", id = self.id.0, side = %side, skipped);
        if self.session.borrow().needs_whole_records() {
            return Err(RelayError::Garbage(side));
        }
        Ok(())
    }
}

/// Takes the carrier out of the tunnel however the relay ends, by cancellation too, and books its
/// packets.
struct Registration<'a> {
    id: CarrierId,
    tunnel: &'a Tunnel,
    queue: Rc<PacketQueue>,
    /// Packets that records were made of.
    sent: Cell<u64>,
    /// Packets that came out of records.
    received: Cell<u64>,
}

impl Drop for Registration<'_> {
    fn drop(&mut self) {
        self.tunnel.remove(self.id);
        self.tunnel.release(self.id);
        self.tunnel.end_reading(self.id);
        let (sent, received) = (self.sent.get(), self.received.get());
        self.tunnel.book(self.id, &self.queue, sent, received);
    }
}

/// Passes the end of a direction on. A peer that is gone altogether needs to be told nothing.
async fn shutdown(mut writer: WriteHalf<'_>, side: Side) -> Result<(), RelayError> {
    match writer.shutdown().await {
        Err(error) if error.kind() != io::ErrorKind::NotConnected => {
            Err(RelayError::Write(side, error))
        }
        _ => Ok(()),
    }
}

fn count(counter: &Cell<u64>, bytes: usize) {
    count_packets(counter, bytes as u64);
}

fn count_packets(counter: &Cell<u64>, packets: u64) {
    counter.set(counter.get() + packets);
}
