//! Questions by TCP (RFC 7766).

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::time::{sleep, sleep_until, timeout};

use super::super::client::Client;
use super::super::config::Limits;
use super::super::forwarder::Forwarder;
use super::frame;
use fps_log::Throttle;

/// How long no connection is accepted after that has failed: as a rule there are no descriptors.
const PAUSE: Duration = Duration::from_millis(100);
/// How many bytes are read at once.
const READ: usize = 4096;
/// How many questions of one connection may wait for their answers before the next is read.
const MOST_WAITING: usize = 64;

/// Accepts connections for ever, so many at a time.
pub(super) async fn serve(
    listener: TcpListener,
    forwarder: Rc<Forwarder>,
    limits: Limits,
) -> Infallible {
    let tickets = Rc::new(());
    let (full, errors) = (Throttle::default(), Throttle::default());
    loop {
        match listener.accept().await {
            Ok((stream, peer)) if Rc::strong_count(&tickets) <= limits.connections => {
                let ticket = Rc::clone(&tickets);
                let connection = Connection::new(stream, peer, limits.idle());
                let forwarder = Rc::clone(&forwarder);
                tokio::task::spawn_local(async move {
                    // A connection that breaks is the client's to make anew.
                    if let Ok(connection) = connection {
                        let _ = connection.serve(&forwarder).await;
                    }
                    drop(ticket);
                });
            }
            Ok((_, peer)) => {
                if let Some((count, _)) = full.hit(Instant::now()) {
                    tracing::warn!(event = "connections_full", client = %peer, count);
                }
            }
            Err(error) => {
                if let Some((count, _)) = errors.hit(Instant::now()) {
                    tracing::error!(event = "accept_failed", error = %error, count);
                }
                sleep(PAUSE).await;
            }
        }
    }
}

struct Connection {
    stream: TcpStream,
    peer: SocketAddr,
    local: SocketAddr,
    idle: Duration,
    /// What has been read and is no whole question yet.
    bytes: Vec<u8>,
    /// Each question that waits has another sender.
    sender: UnboundedSender<Vec<u8>>,
    replies: UnboundedReceiver<Vec<u8>>,
}

impl Connection {
    fn new(stream: TcpStream, peer: SocketAddr, idle: Duration) -> io::Result<Self> {
        // Else an answer waits until the client has acknowledged the one before (tcp(7)).
        stream.set_nodelay(true)?;
        let (sender, replies) = mpsc::unbounded_channel();
        Ok(Self {
            local: stream.local_addr()?,
            stream,
            peer,
            idle,
            bytes: Vec::with_capacity(READ),
            sender,
            replies,
        })
    }

    /// Answers questions in the order in which their answers come, until the client closes or has
    /// nothing to ask.
    async fn serve(mut self, forwarder: &Rc<Forwarder>) -> io::Result<()> {
        let mut silent_from = tokio::time::Instant::now();
        loop {
            let waiting = self.waiting();
            tokio::select! {
                Some(reply) = self.replies.recv() => {
                    self.write(&reply).await?;
                    self.take(forwarder);
                }
                read = self.stream.read_buf(&mut self.bytes), if waiting < MOST_WAITING => {
                    if read? == 0 {
                        return self.drain(forwarder).await;
                    }
                    if !self.take(forwarder) {
                        continue;
                    }
                }
                () = sleep_until(silent_from + self.idle), if waiting == 0 => return Ok(()),
            }
            silent_from = tokio::time::Instant::now();
        }
    }

    /// How many questions have no answer yet, or one that is not sent yet.
    fn waiting(&self) -> usize {
        self.sender.strong_count() - 1 + self.replies.len()
    }

    /// Takes each whole question, as long as not too many wait; whether there was one.
    fn take(&mut self, forwarder: &Rc<Forwarder>) -> bool {
        let mut begin = 0;
        while let Some((head, rest)) = self.bytes[begin..].split_first_chunk() {
            let question = rest.get(..u16::from_be_bytes(*head).into());
            let Some(question) = question.filter(|_| self.waiting() < MOST_WAITING) else {
                break;
            };
            let client = Client::Tcp {
                replies: self.sender.clone(),
                peer: self.peer,
                local: self.local,
            };
            forwarder.take(question, client);
            begin += 2 + question.len();
        }
        self.bytes.drain(..begin);
        begin > 0
    }

    /// The client asks no more, and may still read.
    async fn drain(mut self, forwarder: &Rc<Forwarder>) -> io::Result<()> {
        while self.waiting() > 0 {
            let reply = self.replies.recv().await;
            self.write(&reply.expect("this has a sender itself"))
                .await?;
            self.take(forwarder);
        }
        Ok(())
    }

    async fn write(&mut self, reply: &[u8]) -> io::Result<()> {
        timeout(self.idle, self.stream.write_all(&frame(reply))).await?
    }
}
