//! A TCP connection and an echo over it.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use fps_packet::Nonce;
use socket2::Socket;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;

use super::ProbeError;
use crate::sandbox::{HostId, Sandbox, SocketKind};

/// A bound socket with its port.
pub(super) struct Bound {
    pub(super) socket: TcpSocket,
    pub(super) port: Option<u16>,
}

pub(super) fn open(sandbox: &Sandbox, host: HostId, target: IpAddr) -> Result<Bound, ProbeError> {
    let kind = if target.is_ipv4() {
        SocketKind::TcpV4
    } else {
        SocketKind::TcpV6
    };
    let socket = Socket::from(sandbox.socket(host, kind)?);
    let bind = || {
        socket.set_nonblocking(true)?;
        // Bound first, so that the port is known even of a connection that never stands.
        socket.bind(&any(target).into())?;
        let port = port_of(&socket)?;
        Ok(Bound {
            socket: TcpSocket::from_std_stream(socket.into()),
            port,
        })
    };
    bind().map_err(ProbeError::Socket)
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

/// The unspecified address of the target's family: the routes choose the source.
pub(super) fn any(target: IpAddr) -> SocketAddr {
    match target {
        IpAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        IpAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    }
}

pub(super) fn port_of(socket: &Socket) -> io::Result<Option<u16>> {
    Ok(socket
        .local_addr()?
        .as_socket()
        .map(|address| address.port()))
}
