//! The DNS server of a host, and what it was asked.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use fps_dns::zone::{Asked, Manner, Manners, Server, Transport, Zone};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::task::JoinSet;

use super::LabError;
use super::echo::{bind_datagram, listen, serve_streams};
use super::host::Service;
use super::packet_info::{self, Received};
use crate::sandbox::{HostId, Sandbox, SocketKind};
use crate::scenario::{DnsChange, DnsServer, DomainName, HostName};

const PORT: u16 = 53;
/// How many questions are remembered.
const MOST: usize = 100_000;

/// See the module.
#[derive(Debug)]
pub struct NameServer {
    server: Mutex<Server>,
    log: Mutex<Log>,
}

#[derive(Debug, Default)]
struct Log {
    entries: Vec<LogEntry>,
    /// Whether there were more.
    has_lost: bool,
}

/// A question that was asked.
#[derive(Clone, Debug)]
pub struct LogEntry {
    /// When it came.
    pub at: Instant,
    /// From where.
    pub from: SocketAddr,
    /// How.
    pub by: Transport,
    /// What it was.
    pub asked: Asked,
    /// What was answered, in a few words.
    pub word: String,
}

impl NameServer {
    fn new(plan: &DnsServer) -> Self {
        let server = Self {
            server: Mutex::default(),
            log: Mutex::default(),
        };
        server.put(&plan.zones);
        server.set_manners(&plan.manners);
        server
    }

    /// Does what an act says.
    pub fn change(&self, change: &DnsChange) {
        self.put(&change.zones);
        if let Some(manners) = &change.manners {
            self.set_manners(manners);
        }
    }

    fn put(&self, zones: &[Zone]) {
        let mut server = lock(&self.server);
        zones.iter().for_each(|zone| server.put(zone.clone()));
    }

    fn set_manners(&self, manners: &[(DomainName, Manner)]) {
        let mut all = Manners::default();
        for (below, manner) in manners {
            all.set(below.name().clone(), *manner);
        }
        lock(&self.server).manners = all;
    }

    /// What it was asked since a moment, in order.
    pub fn asked_since(&self, moment: Instant) -> Vec<LogEntry> {
        let log = lock(&self.log);
        let entries = log.entries.iter();
        entries
            .filter(|entry| entry.at >= moment)
            .cloned()
            .collect()
    }

    /// Whether it was asked more than it remembers.
    pub fn has_lost(&self) -> bool {
        lock(&self.log).has_lost
    }

    /// What is to be sent, once its delay has passed.
    async fn reply(&self, question: &[u8], from: SocketAddr, by: Transport) -> Option<Vec<u8>> {
        let at = Instant::now();
        let reply = lock(&self.server).reply(question, by);
        if let Some(asked) = reply.asked {
            let entry = LogEntry {
                at,
                from,
                by,
                asked,
                word: reply.word,
            };
            lock(&self.log).push(entry);
        }
        tokio::time::sleep(reply.delay).await;
        reply.bytes
    }
}

impl Log {
    fn push(&mut self, entry: LogEntry) {
        match self.entries.len() < MOST {
            true => self.entries.push(entry),
            false => self.has_lost = true,
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Answers questions, by UDP and TCP, over IPv4 and IPv6, on whatever address is asked.
pub(super) fn serve(
    sandbox: &Sandbox,
    name: &HostName,
    host: HostId,
    plan: &DnsServer,
) -> Result<(Arc<NameServer>, [Service; 2]), LabError> {
    let failed = |cause| LabError::Serve {
        host: name.clone(),
        port: PORT,
        cause,
    };
    let server = Arc::new(NameServer::new(plan));
    let listener = listen(sandbox.socket(host, SocketKind::TcpV6)?, PORT).map_err(failed)?;
    let socket = bind_datagram(sandbox.socket(host, SocketKind::UdpV6)?, PORT).map_err(failed)?;
    let streams = Arc::clone(&server);
    let streams = serve_streams(
        move |context| listener.poll_accept(context),
        move |stream, from| answer_stream(Arc::clone(&streams), stream, from),
    );
    let datagrams = answer_datagrams(Arc::clone(&server), Arc::new(socket));
    let services = [
        Service(tokio::spawn(streams)),
        Service(tokio::spawn(datagrams)),
    ];
    Ok((server, services))
}

async fn answer_datagrams(server: Arc<NameServer>, socket: Arc<UdpSocket>) {
    let mut answers = JoinSet::new();
    loop {
        // An ICMP error about an earlier answer shows here, and is no reason to stop.
        if let Ok(received) = packet_info::receive(&socket).await {
            let (server, socket) = (Arc::clone(&server), Arc::clone(&socket));
            answers.spawn(answer_datagram(server, socket, received));
        }
        while answers.try_join_next().is_some() {}
    }
}

async fn answer_datagram(server: Arc<NameServer>, socket: Arc<UdpSocket>, received: Received) {
    let from = received.from();
    let answer = server.reply(received.bytes(), from, Transport::Udp).await;
    if let Some(answer) = answer {
        // Who asked may be gone.
        drop(received.answer(&socket, &answer));
    }
}

/// One question after the other, each behind its length (RFC 7766).
async fn answer_stream(server: Arc<NameServer>, mut stream: TcpStream, from: SocketAddr) {
    // Who breaks the connection off knows it.
    drop(try_answer_stream(&server, &mut stream, from).await);
}

async fn try_answer_stream(
    server: &NameServer,
    stream: &mut TcpStream,
    from: SocketAddr,
) -> io::Result<()> {
    loop {
        let length = stream.read_u16().await?;
        let mut question = vec![0; length.into()];
        stream.read_exact(&mut question).await?;
        if let Some(answer) = server.reply(&question, from, Transport::Tcp).await {
            let length = u16::try_from(answer.len()).map_err(io::Error::other)?;
            let answer = [&length.to_be_bytes()[..], &answer].concat();
            stream.write_all(&answer).await?;
        }
    }
}
