//! A UDP datagram and its echo.

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket as StdUdpSocket};

use fps_packet::Nonce;
use tokio::net::UdpSocket;

use super::ProbeError;
use super::bound::Bound;
use crate::sandbox::{HostId, Sandbox, SocketKind};
use crate::scenario::Sender;

pub(super) fn open(
    sandbox: &Sandbox,
    host: HostId,
    target: IpAddr,
    sender: &Sender,
) -> Result<Bound<UdpSocket>, ProbeError> {
    let kind = SocketKind::udp(target);
    Bound::new(sandbox.socket_of(host, kind, sender)?, target, |socket| {
        UdpSocket::from_std(StdUdpSocket::from(socket))
    })
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
