//! A UDP datagram and its echo.

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket as StdUdpSocket};

use fps_packet::Nonce;
use socket2::Socket;
use tokio::net::UdpSocket;

use super::ProbeError;
use super::tcp::{any, port_of};
use crate::sandbox::{HostId, Sandbox, SocketKind};

/// A bound socket with its port.
pub(super) struct Bound {
    pub(super) socket: UdpSocket,
    pub(super) port: Option<u16>,
}

pub(super) fn open(sandbox: &Sandbox, host: HostId, target: IpAddr) -> Result<Bound, ProbeError> {
    let kind = if target.is_ipv4() {
        SocketKind::UdpV4
    } else {
        SocketKind::UdpV6
    };
    let socket = Socket::from(sandbox.socket(host, kind)?);
    let bind = || {
        socket.set_nonblocking(true)?;
        socket.bind(&any(target).into())?;
        let port = port_of(&socket)?;
        Ok(Bound {
            socket: UdpSocket::from_std(StdUdpSocket::from(socket))?,
            port,
        })
    };
    bind().map_err(ProbeError::Socket)
}

pub(super) async fn ask(socket: UdpSocket, to: SocketAddr, nonce: Nonce) -> io::Result<()> {
    socket.connect(to).await?;
    socket.send(&nonce.payload()).await?;
    let mut buffer = [0; 2048];
    loop {
        let length = socket.recv(&mut buffer).await?;
        if Nonce::find(&buffer[..length]) == Some(nonce) {
            return Ok(());
        }
    }
}
