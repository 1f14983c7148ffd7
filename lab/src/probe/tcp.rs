//! A TCP connection and an echo over it.

use std::io;
use std::net::{IpAddr, SocketAddr};

use fps_packet::Nonce;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;

use super::ProbeError;
use super::bound::Bound;
use crate::sandbox::{HostId, Sandbox, SocketKind};
use crate::scenario::Sender;

pub(super) fn open(
    sandbox: &Sandbox,
    host: HostId,
    target: IpAddr,
    sender: &Sender,
) -> Result<Bound<TcpSocket>, ProbeError> {
    let kind = SocketKind::tcp(target);
    // Bound first, so that the port is known even of a connection that never stands.
    Bound::new(sandbox.socket_of(host, kind, sender)?, target, |socket| {
        Ok(TcpSocket::from_std_stream(socket.into()))
    })
}

pub(super) async fn ask(socket: TcpSocket, to: SocketAddr, nonce: Nonce) -> io::Result<()> {
    let mut stream = socket.connect(to).await?;
    let question = nonce.payload();
    stream.write_all(&question).await?;
    let mut answer = vec![0; question.len()];
    stream.read_exact(&mut answer).await?;
    if answer == question {
        Ok(())
    } else {
        Err(io::ErrorKind::UnexpectedEof.into())
    }
}
