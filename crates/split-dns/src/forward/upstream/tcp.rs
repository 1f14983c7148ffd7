//! One question by TCP, where the answer is too long for a datagram.

use std::io;
use std::net::SocketAddr;
use std::rc::Rc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::super::listener::frame;
use super::super::question::{Question, Verdict};
use super::super::sources::{Sources, Way};

/// Asks by a connection of its own (RFC 7766).
pub(super) async fn ask(
    server: SocketAddr,
    question: &Question,
    sources: &Rc<Sources>,
) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(server).await?;
    let (from, to) = (stream.local_addr()?, server);
    let _source = sources.add(Way::Tcp { from, to });
    let message = question.to_message();
    stream.write_all(&frame(&message)).await?;
    loop {
        let length = stream.read_u16().await?;
        let mut bytes = vec![0; length.into()];
        stream.read_exact(&mut bytes).await?;
        match question.verdict([message[0], message[1]], &bytes) {
            Verdict::Foreign => {}
            Verdict::Truncated => return Err(io::ErrorKind::InvalidData.into()),
            Verdict::Whole => return Ok(bytes),
        }
    }
}
