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

mod inbound;
mod outbound;

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::net::tcp::WriteHalf;

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
}

impl Relay {
    /// Relays until both directions have ended, or until something else ends it.
    pub async fn run(
        self,
        mut plain: TcpStream,
        mut link: TcpStream,
        until: impl Future<Output = RelayError>,
    ) -> (Traffic, Result<(), RelayError>) {
        let (plain_reader, plain_writer) = plain.split();
        let (link_reader, link_writer) = link.split();
        let queue = Rc::new(PacketQueue::new(self.queue_bytes));
        let shared = Shared {
            queue: Rc::clone(&queue),
            session: RefCell::new(self.session),
            registration: Registration {
                id: self.id,
                tunnel: &self.tunnel,
                queue,
                sent: Cell::new(0),
                received: Cell::new(0),
            },
            id: self.id,
            tunnel: &self.tunnel,
            read_buffer_size: self.read_buffer_size,
            to_link: Cell::new(0),
            from_link: Cell::new(0),
        };
        let both = async {
            tokio::try_join!(
                outbound::pump(&shared, plain_reader, link_writer),
                inbound::pump(&shared, link_reader, plain_writer),
            )
        };
        let result = tokio::select! {
            result = both => result.map(|_| ()),
            ended = until => Err(ended),
        };
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
    to_link: Cell<u64>,
    from_link: Cell<u64>,
}

impl Shared<'_> {
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
