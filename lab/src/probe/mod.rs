//! Questions that only the target can answer, each with a nonce of its own.
//!
//! - [`ask`]: one attempt, to its answer or the end of its patience
//! - `icmp`, `tcp`, `udp`: how each protocol asks

mod bound;
mod icmp;
mod tcp;
mod udp;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use fps_packet::{Frame, Nonce, Transport};
use nix::errno::Errno;

use crate::sandbox::{HostId, Sandbox, SandboxError};
use crate::scenario::{Probe, ProbeProtocol};

/// An attempt that was made.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// What marks its packets.
    pub nonce: Nonce,
    /// When it began.
    pub at: Instant,
    /// The sender's port, by which a TCP packet without payload is known.
    pub port: Option<u16>,
    /// What came of it.
    pub answer: Answer,
}

/// What came of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The target sent the nonce back.
    Echo {
        /// After this long.
        after: Duration,
    },
    /// The target refused the connection, or has no such port.
    Refused,
    /// The kernel or a router said that there is no way.
    NoWay(Errno),
    /// Nothing came.
    Silence,
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Echo { after } => write!(f, "answered after {after:.1?}"),
            Self::Refused => f.write_str("refused"),
            Self::NoWay(errno) => write!(f, "{}", errno.desc().to_lowercase()),
            Self::Silence => f.write_str("no answer"),
        }
    }
}

/// An attempt that could not be made, which says nothing about the target.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// The sandbox gave no socket.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// A socket failed in a way that is not the network's.
    #[error("send a probe")]
    Socket(#[source] io::Error),
    /// No random bytes.
    #[error("make a nonce")]
    Random(#[from] fps_packet::RandomError),
}

/// Asks once and waits for the answer as long as `patience` says.
pub async fn ask(
    sandbox: &Sandbox,
    host: HostId,
    probe: &Probe,
    patience: Duration,
) -> Result<Attempt, ProbeError> {
    let nonce = Nonce::random()?;
    let at = Instant::now();
    let (port, outcome) = match probe.protocol {
        ProbeProtocol::Icmp => {
            let socket = icmp::Asker::open(sandbox, host, probe.address)?;
            (None, within(patience, socket.ask(nonce)).await)
        }
        ProbeProtocol::Udp(port) => {
            let socket = udp::open(sandbox, host, probe.address)?;
            let to = SocketAddr::new(probe.address, port);
            (
                socket.port,
                within(patience, udp::ask(socket.socket, to, nonce)).await,
            )
        }
        ProbeProtocol::Tcp(port) => {
            let socket = tcp::open(sandbox, host, probe.address)?;
            let to = SocketAddr::new(probe.address, port);
            (
                socket.port,
                within(patience, tcp::ask(socket.socket, to, nonce)).await,
            )
        }
    };
    let answer = match outcome {
        None => Answer::Silence,
        Some(Ok(())) => Answer::Echo {
            after: at.elapsed(),
        },
        Some(Err(error)) => network_says(error)?,
    };
    Ok(Attempt {
        nonce,
        at,
        port,
        answer,
    })
}

async fn within<T>(
    patience: Duration,
    asking: impl Future<Output = io::Result<T>>,
) -> Option<io::Result<T>> {
    tokio::time::timeout(patience, asking).await.ok()
}

/// Tells what the network answered from what went wrong in the lab itself.
fn network_says(error: io::Error) -> Result<Answer, ProbeError> {
    let errno = match error.raw_os_error() {
        Some(errno) => Errno::from_raw(errno),
        // A TCP peer that closes before it has sent the echo back.
        None if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(Answer::Refused),
        None => return Err(ProbeError::Socket(error)),
    };
    match errno {
        Errno::ECONNREFUSED | Errno::ECONNRESET | Errno::EPIPE => Ok(Answer::Refused),
        // EINVAL is what a blackhole route answers, EACCES a prohibit route, EPERM a firewall.
        Errno::ENETUNREACH
        | Errno::EHOSTUNREACH
        | Errno::ENETDOWN
        | Errno::EHOSTDOWN
        | Errno::EADDRNOTAVAIL
        | Errno::ENODEV
        | Errno::EACCES
        | Errno::EPERM
        | Errno::EINVAL
        | Errno::EMSGSIZE
        | Errno::ETIMEDOUT
        | Errno::ENOPROTOOPT
        | Errno::EPROTO => Ok(Answer::NoWay(errno)),
        _ => Err(ProbeError::Socket(error)),
    }
}

impl Attempt {
    /// Whether a packet is this attempt's question on its way.
    pub fn asks(&self, probe: &Probe, frame: &Frame) -> bool {
        let Some(packet) = frame.packet() else {
            return false;
        };
        if packet.destination != probe.address || packet.quoted().is_some() {
            return false;
        }
        match (probe.protocol, packet.transport) {
            (
                ProbeProtocol::Tcp(port),
                Transport::Tcp {
                    source_port,
                    destination_port,
                    ..
                },
            ) => destination_port == port && self.port == Some(source_port),
            _ => packet.nonce() == Some(self.nonce),
        }
    }
}
