//! The origin: a WebSocket echo, an answer without end, and pages.

use std::io::{self, Cursor};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_tungstenite::tungstenite::Message;

use super::args::OriginArgs;
use super::http::{self, Head, Resource};
use super::{CarrierError, announce, tls};

/// How long to leave the listener alone after `accept` failed: out of descriptors it stays ready.
const PAUSE: Duration = Duration::from_millis(100);
/// How often an answer without end grows by a line, if nobody says.
const LINE_EVERY: Duration = Duration::from_millis(250);

/// Serves until it is dropped.
pub(super) async fn run(args: OriginArgs) -> Result<(), CarrierError> {
    let acceptor = TlsAcceptor::from(tls::server(&args)?);
    let failed = |error| CarrierError::Listen(args.listen, error);
    let listener = TcpListener::bind(args.listen).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    tracing::info!(event = "listening", addr = %address);
    announce(&format!("origin {address}"));
    loop {
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::error!(event = "accept_failed", error = %error);
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        tracing::info!(event = "accepted", peer = %peer);
        let acceptor = acceptor.clone();
        let push_every = args.push_every.map(Duration::from_millis);
        tokio::spawn(async move {
            let result = serve(stream, acceptor, push_every).await;
            let error = result.err().map(|error| error.to_string());
            tracing::info!(event = "session_closed", peer = %peer, error);
        });
    }
}

async fn serve(
    stream: TcpStream,
    acceptor: TlsAcceptor,
    push_every: Option<Duration>,
) -> Result<(), Box<dyn std::error::Error>> {
    stream.set_nodelay(true)?;
    let (mut reader, mut writer) = tokio::io::split(acceptor.accept(stream).await?);
    let mut pending = Vec::new();
    while let Some(head) = Head::read(&mut reader, &mut pending).await? {
        match head.resource() {
            Resource::WebSocket => {
                // The handshake wants to read the head too.
                let read = Cursor::new([head.0, pending].concat()).chain(reader);
                return echo(tokio::io::join(read, writer), push_every).await;
            }
            Resource::Stream => {
                return Ok(stream_on(&mut writer, push_every.unwrap_or(LINE_EVERY)).await?);
            }
            other => {
                let keeps_alive = head.keeps_alive();
                writer.write_all(&http::answer(other, keeps_alive)).await?;
                writer.flush().await?;
                if !keeps_alive {
                    break;
                }
            }
        }
    }
    Ok(writer.shutdown().await?)
}

/// The WebSocket, until its client leaves.
async fn echo(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    push_every: Option<Duration>,
) -> Result<(), Box<dyn std::error::Error>> {
    let mut socket = tokio_tungstenite::accept_async(stream).await?;
    let mut pushes = push_every.map(tokio::time::interval);
    loop {
        let push = async {
            match &mut pushes {
                Some(pushes) => pushes.tick().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            message = socket.next() => match message.transpose()? {
                None => return Ok(()),
                Some(message) if message.is_binary() || message.is_text() => {
                    socket.send(message).await?;
                }
                Some(_) => {}
            },
            // Told from an echo by its text.
            _ = push => socket.send(Message::text("unasked")).await?,
        }
    }
}

/// A line now and then, until nobody takes them any more.
async fn stream_on(writer: &mut (impl AsyncWrite + Unpin), every: Duration) -> io::Result<()> {
    writer.write_all(http::STREAM_HEAD).await?;
    let mut ticks = tokio::time::interval(every);
    for number in 1_u64.. {
        ticks.tick().await;
        writer
            .write_all(format!("line {number}\n").as_bytes())
            .await?;
        writer.flush().await?;
    }
    Ok(())
}
