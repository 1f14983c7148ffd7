//! One question by TCP, where the answer is too long for a datagram.

use std::io;
use std::net::SocketAddr;
use std::rc::Rc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;

use super::super::listener::frame;
use super::super::question::{Question, Verdict};
use super::super::server::Server;
use super::super::sources::{Sources, Way};

/// Asks by a connection of its own (RFC 7766).
pub(super) async fn ask(
    server: Server,
    question: &Question,
    sources: &Rc<Sources>,
) -> io::Result<Vec<u8>> {
    let to = server.address();
    let socket = match to {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    if let Some(link) = server.link() {
        socket.bind_device(Some(link.as_str().as_bytes()))?;
    }
    let mut stream = socket.connect(to).await?;
    let from = stream.local_addr()?;
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
