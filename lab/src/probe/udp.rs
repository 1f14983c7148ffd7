//! A UDP datagram and its echo.

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket as StdUdpSocket};

use fps_packet::Nonce;
use tokio::net::UdpSocket;

use super::ProbeError;
use super::bound::Bound;
use crate::sandbox::{HostId, Sandbox, SocketKind};
use crate::scenario::Probe;

pub(super) fn open(
    sandbox: &Sandbox,
    host: HostId,
    probe: &Probe<IpAddr>,
) -> Result<Bound<UdpSocket>, ProbeError> {
    let kind = SocketKind::udp(probe.address);
    Bound::new(
        sandbox.socket_of(host, kind, &probe.sender)?,
        probe,
        |socket| UdpSocket::from_std(StdUdpSocket::from(socket)),
    )
}

pub(super) async fn ask(
    socket: UdpSocket,
    to: SocketAddr,
    nonce: Nonce,
    question: &[u8],
) -> io::Result<()> {
    socket.connect(to).await?;
    socket.send(question).await?;
    let mut buffer = vec![0; question.len()];
    loop {
        let length = socket.recv(&mut buffer).await?;
        if length == question.len() && Nonce::find(&buffer[..length]) == Some(nonce) {
            return Ok(());
        }
    }
}
