//! Questions that only the target can answer, each with a nonce of its own.
//!
//! - [`Question`]: one that is ready to be asked
//! - [`Attempt`]: one that was asked, with its [`Answer`]
//! - [`Series`]: one that is asked again every few milliseconds
//! - [`Known`]: the packets of many questions
//! - `icmp`, `tcp`, `udp`, `web`: how each protocol asks; `tls`: whom `web` trusts; `bound`: their sockets; `bulk`: a transfer

mod answer;
mod bound;
mod bulk;
mod flood;
mod icmp;
mod known;
mod series;
mod tcp;
mod tls;
mod udp;
mod web;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

pub use answer::Answer;
use bulk::Moved;
pub(crate) use bulk::{is_transfer, serve_transfer};
pub use flood::Came;
pub(crate) use flood::{is_flood, serve_flood};
use fps_packet::{Frame, Nonce, Packet, Transport};
pub use known::Known;
use nix::errno::Errno;
pub use series::{Asker, Sent, Series};
pub use tls::{Secured, TlsFailure, Trust, TrustError};
use tokio::net::{TcpSocket, UdpSocket};
pub use web::{Page, Phase};

use crate::sandbox::{HostId, Sandbox, SandboxError};
use crate::scenario::{Get, Load, Probe, ProbeProtocol};

/// A question with its socket, which has not been sent yet.
#[derive(Debug)]
pub struct Question {
    mark: Mark,
    socket: Socket,
    to: SocketAddr,
    load: Load,
}

#[derive(Debug)]
enum Socket {
    Icmp(icmp::Asker),
    Tcp(TcpSocket),
    Udp(UdpSocket),
    Web(TcpSocket, Box<Get>, Option<Trust>),
    /// The sender has not the address that it is to have.
    Homeless,
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
    /// Whether the nonce is where no capture sees it, so that the ports are all that there is.
    encrypted: bool,
}

/// A question that was asked.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// What its packets are known by.
    pub mark: Mark,
    /// When it was sent.
    pub at: Instant,
    /// When nobody waited for its answer any more; of one of a series that has none yet, when this was made.
    pub over: Instant,
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
    /// A question by HTTPS trusts nobody.
    #[error("ask by https without a CA that is trusted")]
    NoTrust,
}

impl Question {
    /// Prepares a question in the sender's namespace. `trust` is the CA that one by HTTPS trusts; others need
    /// none.
    pub fn new(
        sandbox: &Sandbox,
        host: HostId,
        probe: &Probe<IpAddr>,
        trust: Option<&Trust>,
    ) -> Result<Self, ProbeError> {
        let nonce = Nonce::random()?;
        let target = probe.address;
        let port = match &probe.protocol {
            ProbeProtocol::Icmp => 0,
            ProbeProtocol::Tcp(port) | ProbeProtocol::Udp(port) => *port,
            ProbeProtocol::Web(get) => get.port,
        };
        let (socket, own) = match open(sandbox, host, probe, trust) {
            Err(ProbeError::Socket(error)) if is_homeless(&error) => (Socket::Homeless, None),
            opened => opened?,
        };
        let ports = own.map(|own| (port, own));
        let to = SocketAddr::new(target, port);
        Ok(Self {
            mark: Mark {
                nonce,
                target,
                ports,
                encrypted: probe.protocol.is_encrypted(),
            },
            socket,
            to,
            load: probe.load,
        })
    }

    /// What its packets will be known by.
    pub fn mark(&self) -> Mark {
        self.mark
    }

    /// Asks, and waits for the answer as long as `patience` says.
    pub async fn ask(self, patience: Duration) -> Result<Attempt, ProbeError> {
        let Self {
            mark,
            socket,
            to,
            load,
        } = self;
        let at = Instant::now();
        let moved = Moved::default();
        let progress = web::Progress::default();
        let payload = payload(mark.nonce, load.size);
        let echo = |page| {
            let after = at.elapsed();
            Ok(Answer::Echo { after, page })
        };
        let asking = async {
            match socket {
                Socket::Icmp(socket) => socket.ask(mark.nonce, &payload).await?,
                Socket::Tcp(socket) => match load.bulk {
                    Some(bulk) => bulk::ask(socket, to, mark.nonce, bulk, &moved).await?,
                    None => {
                        let _stands = tcp::ask(socket, to, &payload).await?;
                        // Before it says its end, which is no part of the answer.
                        return echo(None);
                    }
                },
                Socket::Udp(socket) => udp::ask(socket, to, mark.nonce, &payload).await?,
                Socket::Web(socket, get, trust) => {
                    let asked = (&*get, mark.nonce);
                    let page = match web::ask(socket, to, asked, trust.as_ref(), &progress).await? {
                        Ok(page) => Box::new(page),
                        Err(failure) => return Ok(Answer::Tls(failure)),
                    };
                    return match page.is_wanted(&get) {
                        true => echo(Some(page)),
                        false => Ok(Answer::Page(page)),
                    };
                }
                Socket::Homeless => return Err(Errno::EADDRNOTAVAIL.into()),
            }
            echo(None)
        };
        let answer = match tokio::time::timeout(patience, asking).await {
            Err(_) => match moved.get() {
                Some((up, down)) => Answer::Stalled { up, down },
                None => progress.get().map_or(Answer::Silence, Answer::Stuck),
            },
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => Answer::of_network(error).map_err(ProbeError::Socket)?,
        };
        Ok(Attempt {
            mark,
            at,
            over: Instant::now(),
            answer,
        })
    }
}

/// Asks a TCP target for as much as comes in a time; none where it gives nothing.
pub async fn flood(
    sandbox: &Sandbox,
    host: HostId,
    probe: &Probe<IpAddr>,
    hold: Duration,
) -> Result<(Mark, Option<Came>), ProbeError> {
    let Question {
        mark, socket, to, ..
    } = Question::new(sandbox, host, probe, None)?;
    let Socket::Tcp(socket) = socket else {
        return Ok((mark, None));
    };
    let asking = flood::ask(socket, to, mark.nonce, hold);
    let came = match tokio::time::timeout(FIRST + hold, asking).await {
        Err(_) => None,
        Ok(Ok(came)) => Some(came),
        Ok(Err(error)) => {
            Answer::of_network(error).map_err(ProbeError::Socket)?;
            None
        }
    };
    Ok((mark, came))
}

/// How long a flood may take to begin.
const FIRST: Duration = Duration::from_secs(1);

/// Makes a question's socket; gives its own port too, where it has one that packets are known by.
fn open(
    sandbox: &Sandbox,
    host: HostId,
    probe: &Probe<IpAddr>,
    trust: Option<&Trust>,
) -> Result<(Socket, Option<u16>), ProbeError> {
    Ok(match &probe.protocol {
        ProbeProtocol::Icmp => (Socket::Icmp(icmp::Asker::open(sandbox, host, probe)?), None),
        ProbeProtocol::Udp(_) => (Socket::Udp(udp::open(sandbox, host, probe)?.socket), None),
        ProbeProtocol::Tcp(_) => {
            let bound = tcp::open(sandbox, host, probe)?;
            (Socket::Tcp(bound.socket), bound.port)
        }
        ProbeProtocol::Web(get) => {
            let trust = match get.tls {
                true => Some(trust.ok_or(ProbeError::NoTrust)?.clone()),
                false => None,
            };
            let bound = tcp::open(sandbox, host, probe)?;
            (Socket::Web(bound.socket, get.clone(), trust), bound.port)
        }
    })
}

fn is_homeless(error: &io::Error) -> bool {
    error.raw_os_error() == Some(Errno::EADDRNOTAVAIL as i32)
}

/// The nonce, and zeros up to the size.
fn payload(nonce: Nonce, size: Option<usize>) -> Vec<u8> {
    let mut payload = nonce.payload();
    let size = size.unwrap_or_default().max(payload.len());
    payload.resize(size, 0);
    payload
}

/// Asks one question, which trusts nobody and so is not by HTTPS.
pub async fn ask(
    sandbox: &Sandbox,
    host: HostId,
    probe: &Probe<IpAddr>,
    patience: Duration,
) -> Result<Attempt, ProbeError> {
    Question::new(sandbox, host, probe, None)?
        .ask(patience)
        .await
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

    /// Whether a packet is an answer on its way to who has asked; the end of a connection is none.
    pub fn answers(&self, frame: &Frame) -> bool {
        let Some(packet) = frame.packet() else {
            return false;
        };
        if packet.destination == self.target || packet.quoted().is_some() {
            return false;
        }
        match packet.transport {
            Transport::Tcp { flags, .. } => self.is_of_flow(&packet, true) && !flags.rst,
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
        match packet.quoted() {
            Some(quoted) => self.is_of_flow(&quoted, false) || self.is_of_flow(&quoted, true),
            None => self.is_of_flow(&packet, true),
        }
    }

    /// Whether a packet of which there may be no more than the headers and a few bytes can be the question or
    /// its answer.
    pub(crate) fn is_begun_by(&self, packet: &Packet<'_>) -> bool {
        match packet.transport {
            Transport::Tcp { .. } => {
                self.is_of_flow(packet, false) || self.is_of_flow(packet, true)
            }
            _ => self.nonce.may_begin(packet.payload),
        }
    }

    /// Whether somebody is the target.
    pub(crate) fn asks_for(&self, address: IpAddr) -> bool {
        self.target == address
    }

    /// Whether a packet belongs to the question's connection: comes back from its target, or goes there.
    fn is_of_flow(&self, packet: &Packet<'_>, back: bool) -> bool {
        let (
            Some((port, own)),
            Transport::Tcp {
                source_port,
                destination_port,
                ..
            },
        ) = (self.ports, packet.transport)
        else {
            return false;
        };
        let (end, ports) = match back {
            true => (packet.source, (source_port, destination_port)),
            false => (packet.destination, (destination_port, source_port)),
        };
        end == self.target && ports == (port, own)
    }

    /// Whose connection a packet opens at the target, by address and both ports, if it is the question's:
    /// the target's port is the same, whatever a router has made of the sender.
    pub(crate) fn opens(&self, packet: &Packet<'_>) -> Option<(IpAddr, u16, u16)> {
        match (self.ports, packet.transport) {
            (
                Some((port, own)),
                Transport::Tcp {
                    source_port,
                    destination_port,
                    flags,
                },
            ) if flags.syn && !flags.ack && destination_port == port && source_port == own => {
                (packet.destination == self.target).then_some((packet.source, own, port))
            }
            _ => None,
        }
    }

    /// Whether a packet carries the nonce to the target itself. Of one that is encrypted, whether it
    /// carries data of its connection there.
    pub fn reaches(&self, frame: &Frame) -> bool {
        let Some(packet) = frame.packet() else {
            return false;
        };
        if packet.destination != self.target || packet.quoted().is_some() {
            return false;
        }
        match self.encrypted {
            true => !packet.payload.is_empty() && self.asks(frame),
            false => packet.nonce() == Some(self.nonce),
        }
    }
}
