//! Questions that only the target can answer, each with a nonce of its own.
//!
//! - [`Question`]: one that is ready to be asked
//! - [`Attempt`]: one that was asked, with its [`Answer`]
//! - [`Series`]: one that is asked again every few milliseconds
//! - [`Known`]: the packets of many questions
//! - `icmp`, `tcp`, `udp`: how each protocol asks; `bound`: their sockets

mod answer;
mod bound;
mod icmp;
mod known;
mod series;
mod tcp;
mod udp;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

pub use answer::Answer;
use fps_packet::{Frame, Nonce, Transport};
pub use known::Known;
pub use series::{Asker, Sent, Series};
use tokio::net::{TcpSocket, UdpSocket};

use crate::sandbox::{HostId, Sandbox, SandboxError};
use crate::scenario::{Probe, ProbeProtocol};

/// A question with its socket, which has not been sent yet.
#[derive(Debug)]
pub struct Question {
    mark: Mark,
    socket: Socket,
    to: SocketAddr,
}

#[derive(Debug)]
enum Socket {
    Icmp(icmp::Asker),
    Tcp(TcpSocket),
    Udp(UdpSocket),
}

/// What a question's packets are known by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// In every packet that carries data.
    pub nonce: Nonce,
    /// Who is asked.
    target: IpAddr,
    /// TCP: the target's port and the sender's, for packets without data.
    ports: Option<(u16, u16)>,
}

/// A question that was asked.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// What its packets are known by.
    pub mark: Mark,
    /// When it was sent.
    pub at: Instant,
    /// What came of it.
    pub answer: Answer,
}

/// A question that could not be asked, which says nothing about the target.
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

impl Question {
    /// Prepares a question in the sender's namespace.
    pub fn new(sandbox: &Sandbox, host: HostId, probe: &Probe) -> Result<Self, ProbeError> {
        let nonce = Nonce::random()?;
        let (target, sender) = (probe.address, &probe.sender);
        let (socket, port, ports) = match probe.protocol {
            ProbeProtocol::Icmp => (
                Socket::Icmp(icmp::Asker::open(sandbox, host, target, sender)?),
                0,
                None,
            ),
            ProbeProtocol::Udp(port) => (
                Socket::Udp(udp::open(sandbox, host, target, sender)?.socket),
                port,
                None,
            ),
            ProbeProtocol::Tcp(port) => {
                let bound = tcp::open(sandbox, host, target, sender)?;
                (
                    Socket::Tcp(bound.socket),
                    port,
                    bound.port.map(|own| (port, own)),
                )
            }
        };
        let to = SocketAddr::new(target, port);
        Ok(Self {
            mark: Mark {
                nonce,
                target,
                ports,
            },
            socket,
            to,
        })
    }

    /// What its packets will be known by.
    pub fn mark(&self) -> Mark {
        self.mark
    }

    /// Asks, and waits for the answer as long as `patience` says.
    pub async fn ask(self, patience: Duration) -> Result<Attempt, ProbeError> {
        let Self { mark, socket, to } = self;
        let at = Instant::now();
        let asking = async {
            match socket {
                Socket::Icmp(socket) => socket.ask(mark.nonce).await,
                Socket::Tcp(socket) => tcp::ask(socket, to, mark.nonce).await,
                Socket::Udp(socket) => udp::ask(socket, to, mark.nonce).await,
            }
        };
        let answer = match tokio::time::timeout(patience, asking).await {
            Err(_) => Answer::Silence,
            Ok(Ok(())) => Answer::Echo {
                after: at.elapsed(),
            },
            Ok(Err(error)) => Answer::of_network(error).map_err(ProbeError::Socket)?,
        };
        Ok(Attempt { mark, at, answer })
    }
}

/// Asks one question.
pub async fn ask(
    sandbox: &Sandbox,
    host: HostId,
    probe: &Probe,
    patience: Duration,
) -> Result<Attempt, ProbeError> {
    Question::new(sandbox, host, probe)?.ask(patience).await
}

impl Mark {
    /// Whether a packet is the question on its way.
    pub fn asks(&self, frame: &Frame) -> bool {
        let Some(packet) = frame.packet() else {
            return false;
        };
        if packet.destination != self.target || packet.quoted().is_some() {
            return false;
        }
        match (self.ports, packet.transport) {
            (
                Some(ports),
                Transport::Tcp {
                    source_port,
                    destination_port,
                    ..
                },
            ) => ports == (destination_port, source_port),
            _ => packet.nonce() == Some(self.nonce),
        }
    }

    /// Whether a packet is the question, its answer, or about either.
    pub fn concerns(&self, frame: &Frame) -> bool {
        let Some(packet) = frame.packet() else {
            return false;
        };
        if packet.nonce() == Some(self.nonce) || self.asks(frame) {
            return true;
        }
        match (self.ports, packet.transport) {
            (
                Some((port, own)),
                Transport::Tcp {
                    source_port,
                    destination_port,
                    ..
                },
            ) => packet.source == self.target && (source_port, destination_port) == (port, own),
            _ => false,
        }
    }

    /// Whether a packet carries the nonce to the target itself.
    pub fn reaches(&self, frame: &Frame) -> bool {
        let Some(packet) = frame.packet() else {
            return false;
        };
        packet.destination == self.target
            && packet.quoted().is_none()
            && packet.nonce() == Some(self.nonce)
    }
}
