//! A transfer over one TCP connection, checked at both ends, and the service for it.
//!
//! The sender writes a head, then its bytes. The service answers with their SHA-256, then with its own
//! bytes. What either sends follows from the nonce, so that the other knows what must come.

use std::io;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};

use fps_packet::Nonce;
use ring::digest::{Context, Digest, SHA256, SHA256_OUTPUT_LEN};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use crate::scenario::Bulk;

/// Follows the nonce in the head of a transfer; in a short question an end or a zero does.
const SIGN: u8 = 0xb1;
/// The nonce and its mark.
const NONCE: usize = 24;
/// The head: nonce, sign, and the bytes that go up and down.
const HEAD: usize = NONCE + 1 + 8 + 8;
/// How much is written or read at once.
const PIECE: usize = 64 << 10;

/// How far a transfer has come.
#[derive(Debug, Default)]
pub(super) struct Moved(Mutex<Option<(u64, u64)>>);

impl Moved {
    /// Bytes up and down; none before there is a connection.
    pub(super) fn get(&self) -> Option<(u64, u64)> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, up: u64, down: u64) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((up, down));
    }
}

/// Transfers, and checks.
pub(super) async fn ask(
    socket: TcpSocket,
    to: SocketAddr,
    nonce: Nonce,
    bulk: Bulk,
    moved: &Moved,
) -> io::Result<()> {
    let mut stream = socket.connect(to).await?;
    moved.set(0, 0);
    stream.write_all(&head(nonce, bulk)).await?;
    let sent = send(&mut stream, Bytes::up(nonce), bulk.up, |up| {
        moved.set(up, 0);
    });
    let sent = sent.await?;
    let mut told = [0; SHA256_OUTPUT_LEN];
    stream.read_exact(&mut told).await?;
    let down = |down| moved.set(bulk.up, down);
    let came = receive(&mut stream, bulk.down, down).await?;
    let wanted = Bytes::down(nonce).digest(bulk.down);
    if told == sent.as_ref() && came.as_ref() == wanted.as_ref() {
        Ok(())
    } else {
        Err(io::ErrorKind::InvalidData.into())
    }
}

fn head(nonce: Nonce, bulk: Bulk) -> Vec<u8> {
    let mut head = nonce.payload();
    head.push(SIGN);
    head.extend(bulk.up.to_be_bytes());
    head.extend(bulk.down.to_be_bytes());
    head
}

/// Whether the first bytes of a connection are those of a transfer.
pub(crate) fn is_transfer(first: &[u8]) -> bool {
    Nonce::find(first).is_some() && first.get(NONCE) == Some(&SIGN)
}

/// Serves a transfer of which these bytes have come.
pub(crate) async fn serve_transfer(mut stream: TcpStream, first: &[u8]) -> io::Result<()> {
    let mut head = first[..first.len().min(HEAD)].to_vec();
    let early = first.len() - head.len();
    let missing = HEAD - head.len();
    if missing > 0 {
        let mut rest = vec![0; missing];
        stream.read_exact(&mut rest).await?;
        head.extend(rest);
    }
    let nonce = Nonce::find(&head).ok_or(io::ErrorKind::InvalidData)?;
    let number = |at: usize| {
        let bytes = head[at..at + 8].try_into().expect("eight bytes");
        u64::from_be_bytes(bytes)
    };
    let (up, down) = (number(NONCE + 1), number(NONCE + 9));
    let begun = &first[first.len() - early..];
    let mut all = begun.chain(&mut stream);
    let came = receive(&mut all, up, |_| {}).await?;
    stream.write_all(came.as_ref()).await?;
    send(&mut stream, Bytes::down(nonce), down, |_| {}).await?;
    Ok(())
}

/// Sends what a source gives; gives its hash.
async fn send(
    stream: &mut (impl AsyncWrite + Unpin),
    mut bytes: Bytes,
    count: u64,
    mut tell: impl FnMut(u64),
) -> io::Result<Digest> {
    let mut hash = Context::new(&SHA256);
    let mut piece = vec![0; PIECE];
    let mut left = count;
    while left > 0 {
        let part = part(&mut piece, left);
        bytes.fill(part);
        hash.update(part);
        stream.write_all(part).await?;
        left -= part.len() as u64;
        tell(count - left);
    }
    Ok(hash.finish())
}

/// Receives that many bytes; gives their hash.
async fn receive(
    stream: &mut (impl AsyncRead + Unpin),
    count: u64,
    mut tell: impl FnMut(u64),
) -> io::Result<Digest> {
    let mut hash = Context::new(&SHA256);
    let mut piece = vec![0; PIECE];
    let mut left = count;
    while left > 0 {
        let part = part(&mut piece, left);
        let length = stream.read(part).await?;
        if length == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        hash.update(&part[..length]);
        left -= length as u64;
        tell(count - left);
    }
    Ok(hash.finish())
}

fn part(piece: &mut [u8], left: u64) -> &mut [u8] {
    let length = usize::try_from(left).map_or(piece.len(), |left| left.min(piece.len()));
    &mut piece[..length]
}

/// Bytes that follow from a nonce: nobody on the way can guess or repeat them by chance. xorshift64*
/// (Marsaglia 2003, Vigna 2016).
struct Bytes(u64);

impl Bytes {
    fn up(nonce: Nonce) -> Self {
        Self::seeded(nonce, 8)
    }

    fn down(nonce: Nonce) -> Self {
        Self::seeded(nonce, 16)
    }

    fn seeded(nonce: Nonce, at: usize) -> Self {
        let payload = nonce.payload();
        let seed = payload[at..at + 8].try_into().expect("eight bytes");
        // Zero would stay zero.
        Self(u64::from_be_bytes(seed) | 1)
    }

    /// Pieces of any length, but each a multiple of eight except for the last.
    fn fill(&mut self, piece: &mut [u8]) {
        for word in piece.chunks_mut(8) {
            self.0 ^= self.0 >> 12;
            self.0 ^= self.0 << 25;
            self.0 ^= self.0 >> 27;
            let bytes = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d).to_be_bytes();
            word.copy_from_slice(&bytes[..word.len()]);
        }
    }

    fn digest(mut self, count: u64) -> Digest {
        let mut hash = Context::new(&SHA256);
        let mut piece = vec![0; PIECE];
        let mut left = count;
        while left > 0 {
            let part = part(&mut piece, left);
            self.fill(part);
            hash.update(part);
            left -= part.len() as u64;
        }
        hash.finish()
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use tokio::net::TcpListener;

    use super::*;

    const BULK: Bulk = Bulk {
        up: 300_001,
        down: 200_003,
    };

    /// Transfers with a service that somebody has their hands in.
    async fn transfer<F>(serve: impl FnOnce(TcpStream) -> F) -> (io::Result<()>, Option<(u64, u64)>)
    where
        F: Future<Output = io::Result<()>>,
    {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let to = listener.local_addr().unwrap();
        let moved = Moved::default();
        let nonce = Nonce::random().unwrap();
        let asking = ask(TcpSocket::new_v4().unwrap(), to, nonce, BULK, &moved);
        let serving = async { serve(listener.accept().await.unwrap().0).await };
        let (asked, _) = tokio::join!(asking, serving);
        (asked, moved.get())
    }

    /// Serves as the echo service does, and gives what was first read.
    async fn first(stream: &mut TcpStream) -> Vec<u8> {
        let mut first = vec![0; 2048];
        let length = stream.read(&mut first).await.unwrap();
        first.truncate(length);
        first
    }

    #[tokio::test]
    async fn a_transfer_comes_through_whole() {
        let (asked, moved) = transfer(|mut stream| async move {
            let first = first(&mut stream).await;
            assert!(is_transfer(&first));
            serve_transfer(stream, &first).await
        })
        .await;
        asked.expect("the same at both ends");
        assert_eq!(moved, Some((BULK.up, BULK.down)));
    }

    #[tokio::test]
    async fn a_byte_that_changes_on_the_way_is_noticed() {
        let (asked, _) = transfer(|mut stream| async move {
            let mut first = first(&mut stream).await;
            // Of another nonce follow other bytes.
            first[NONCE - 1] ^= 0x80;
            serve_transfer(stream, &first).await
        })
        .await;
        assert_eq!(asked.unwrap_err().kind(), io::ErrorKind::InvalidData);
    }

    #[test]
    fn a_short_question_is_no_transfer() {
        let nonce = Nonce::random().unwrap();
        let mut short = nonce.payload();
        assert!(!is_transfer(&short));
        short.resize(2000, 0);
        assert!(!is_transfer(&short));
        assert!(is_transfer(&head(nonce, BULK)));
        assert!(!is_transfer(b"GET / HTTP/1.1"));
    }
}
