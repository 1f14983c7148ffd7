//! As much as comes over one TCP connection in a time, and the service for it.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use fps_packet::Nonce;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout_at;

/// Follows the nonce of a question that is to be answered without an end.
const SIGN: u8 = 0xb2;
/// The nonce and its mark.
const NONCE: usize = 24;
/// How much is written or read at once.
const PIECE: usize = 64 << 10;

/// What came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Came {
    /// Bytes.
    pub bytes: u64,
    /// In this time, counted from the first of them.
    pub time: Duration,
}

/// Asks, and reads for that long from the first answer on.
pub(super) async fn ask(
    socket: TcpSocket,
    to: SocketAddr,
    nonce: Nonce,
    hold: Duration,
) -> io::Result<Came> {
    let mut stream = socket.connect(to).await?;
    let mut question = nonce.payload();
    question.push(SIGN);
    stream.write_all(&question).await?;
    let mut answer = vec![0; NONCE];
    stream.read_exact(&mut answer).await?;
    if Nonce::find(&answer) != Some(nonce) {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let start = Instant::now();
    let end = tokio::time::Instant::from_std(start + hold);
    let mut piece = vec![0; PIECE];
    let mut bytes = 0;
    // One read after another may always be ready.
    while tokio::time::Instant::now() < end {
        match timeout_at(end, stream.read(&mut piece)).await {
            Err(_) => break,
            Ok(Ok(0)) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(length) => bytes += length? as u64,
        }
    }
    let time = start.elapsed();
    Ok(Came { bytes, time })
}

/// Whether the first bytes of a connection ask for as much as there is.
pub(crate) fn is_flood(first: &[u8]) -> bool {
    Nonce::find(first).is_some() && first.get(NONCE) == Some(&SIGN)
}

/// Sends until the other side has had enough.
pub(crate) async fn serve_flood(mut stream: TcpStream, first: &[u8]) -> io::Result<()> {
    stream.write_all(&first[..NONCE]).await?;
    let piece = vec![0; PIECE];
    loop {
        stream.write_all(&piece).await?;
    }
}
