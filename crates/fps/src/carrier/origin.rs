//! The origin: WebSocket echo on one path, a page on all others.

use std::io::{self, Cursor};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_tungstenite::tungstenite::Message;

use super::args::OriginArgs;
use super::{CarrierError, PATH, announce, tls};

/// A request's head that is longer is no browser's.
const LONGEST_HEAD: usize = 16 << 10;
/// How long to leave the listener alone after `accept` failed: out of descriptors it stays ready.
const PAUSE: Duration = Duration::from_millis(100);
const PAGE: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\
    Connection: close\r\n\r\nok\n";

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
    let head = read_head(&mut reader).await?;
    let path = String::from_utf8_lossy(&head);
    if path.split(' ').nth(1) != Some(PATH) {
        writer.write_all(PAGE).await?;
        writer.shutdown().await?;
        return Ok(());
    }
    // The handshake wants to read the head too.
    let stream = tokio::io::join(Cursor::new(head).chain(reader), writer);
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
            // A text: what is asked for and echoed is binary.
            _ = push => socket.send(Message::text("unasked")).await?,
        }
    }
}

/// Reads up to the empty line that ends a request's head, and whatever came with it.
async fn read_head(reader: &mut ReadHalf<TlsStream<TcpStream>>) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    while !head.windows(4).any(|window| window == b"\r\n\r\n") {
        if head.len() > LONGEST_HEAD {
            return Err(io::Error::other("the request's head is too long"));
        }
        if reader.read_buf(&mut head).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(head)
}
