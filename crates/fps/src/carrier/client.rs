//! The application: one WebSocket, kept open.

use std::cell::Cell;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use futures_util::{SinkExt, StreamExt};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{self, Bytes, Message};

use super::args::ClientArgs;
use super::frame::frame;
use super::{CarrierError, announce, tls};

type Socket = WebSocketStream<TlsStream<TcpStream>>;

/// Why a connection was given up; another follows.
#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("{0}")]
    WebSocket(#[from] Box<tungstenite::Error>),
    #[error("no answer in time")]
    Silence,
    #[error("the peer closed the connection")]
    Closed,
    #[error("an echo differs from what was sent")]
    WrongEcho,
}

impl From<tungstenite::Error> for Broken {
    fn from(error: tungstenite::Error) -> Self {
        match error {
            // Most that is cut off is cut off without a farewell.
            tungstenite::Error::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Self::Closed
            }
            error => Self::WebSocket(Box::new(error)),
        }
    }
}

/// Connects again and again until it is dropped.
pub(super) async fn run(args: ClientArgs) -> Result<(), CarrierError> {
    let tls = tls::client(&args.ca_file)?;
    let (args, ready) = (&args, &Cell::new(false));
    let sessions = (0..args.sessions.get()).map(|_| {
        keep(Client {
            tls: Arc::clone(&tls),
            args,
            ready,
            echoed: Cell::new(false),
        })
    });
    match join_all(sessions).await[..] {
        [never, ..] => match never {},
        [] => Ok(()),
    }
}

/// Keeps one connection.
async fn keep(client: Client<'_>) -> Infallible {
    let (first, longest) = client.args.pauses();
    let mut pause = first;
    loop {
        client.echoed.set(false);
        let Err(error) = client.talk().await;
        if client.echoed.get() {
            pause = first;
        }
        let retry_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
        tracing::warn!(event = "disconnected", error = %error, retry_ms);
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(longest);
    }
}

struct Client<'a> {
    args: &'a ClientArgs,
    tls: Arc<ClientConfig>,
    /// Whether the first echo of all has come back.
    ready: &'a Cell<bool>,
    /// Whether the present connection has brought one.
    echoed: Cell<bool>,
}

impl Client<'_> {
    /// One connection from its start to its end.
    async fn talk(&self) -> Result<Infallible, Broken> {
        let patience = self.args.patience();
        let deadline = Instant::now() + patience;
        let mut socket = timeout_at(deadline, self.open())
            .await
            .map_err(|_| Broken::Silence)??;
        let per_second = self.args.frames_per_second.get();
        let length = (self.args.rate_bytes.get() / per_second) as usize;
        let mut ticks = interval(Duration::from_secs(1) / per_second);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut sent, mut checked) = (0, 0);
        // An echo is due so long after the last one, or after the first frame that waits for one.
        let mut due = deadline;
        loop {
            tokio::select! {
                _ = ticks.tick() => {
                    if sent == checked {
                        due = Instant::now() + patience;
                    }
                    let message = Message::Binary(Bytes::from(frame(sent, length)));
                    timeout_at(due, socket.send(message)).await.map_err(|_| Broken::Silence)??;
                    sent += 1;
                }
                message = socket.next() => {
                    let Some(message) = message else { return Err(Broken::Closed) };
                    let Message::Binary(echo) = message? else { continue };
                    if checked == sent || echo != frame(checked, length) {
                        return Err(Broken::WrongEcho);
                    }
                    checked += 1;
                    due = Instant::now() + patience;
                    self.on_echo();
                }
                () = tokio::time::sleep_until(due), if sent != checked => {
                    return Err(Broken::Silence);
                }
            }
        }
    }

    fn on_echo(&self) {
        if !self.echoed.replace(true) {
            tracing::info!(event = "echoed");
        }
        if !self.ready.replace(true) {
            announce("client");
        }
    }

    async fn open(&self) -> Result<Socket, Broken> {
        let host = self.args.url.host().unwrap_or_default();
        // A URL keeps an IPv6 address in its brackets; names do not.
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let stream = TcpStream::connect(&*self.addresses(host).await?).await?;
        stream.set_nodelay(true)?;
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        let connector = TlsConnector::from(Arc::clone(&self.tls));
        let stream = connector.connect(name, stream).await?;
        let (socket, _) = tokio_tungstenite::client_async(&self.args.url, stream).await?;
        tracing::info!(event = "connected");
        Ok(socket)
    }

    /// Asks the system's resolver anew each time: /etc/hosts may have changed since.
    async fn addresses(&self, host: &str) -> io::Result<Vec<SocketAddr>> {
        match self.args.connect {
            Some(address) => Ok(vec![address]),
            None => {
                let port = self.args.url.port_u16().unwrap_or(443);
                Ok(lookup_host((host, port)).await?.collect())
            }
        }
    }
}
