//! A TCP connection and an echo over it.

use std::io;
use std::net::{IpAddr, SocketAddr};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use super::ProbeError;
use super::bound::Bound;
use crate::sandbox::{HostId, Sandbox, SocketKind};
use crate::scenario::Probe;

pub(super) fn open(
    sandbox: &Sandbox,
    host: HostId,
    probe: &Probe<IpAddr>,
) -> Result<Bound<TcpSocket>, ProbeError> {
    let kind = SocketKind::tcp(probe.address);
    // Bound first, so that the port is known even of a connection that never stands.
    Bound::new(
        sandbox.socket_of(host, kind, &probe.sender)?,
        probe,
        |socket| Ok(TcpSocket::from_std_stream(socket.into())),
    )
}

/// Sends a question, and reads it back while it goes; gives the connection, which stands until it is dropped.
pub(super) async fn ask(
    socket: TcpSocket,
    to: SocketAddr,
    question: &[u8],
) -> io::Result<TcpStream> {
    let mut stream = socket.connect(to).await?;
    let (mut from, mut to) = stream.split();
    let mut answer = vec![0; question.len()];
    tokio::try_join!(to.write_all(question), from.read_exact(&mut answer))?;
    if answer == question {
        Ok(stream)
    } else {
        Err(io::ErrorKind::InvalidData.into())
    }
}
