//! The live sockets of a host, with their marks.

use std::net::SocketAddr;

use fps_netlink::{TcpSocket, TcpSockets};
use fps_packet::{Packet, Transport};

use super::CheckError;
use crate::play::stage::Stage;
use crate::probe::ProbeError;
use crate::sandbox::SocketKind;
use crate::scenario::HostName;

/// A reader of a host's TCP connections (sock_diag(7)).
pub(super) fn reader(stage: &Stage<'_>, host: &HostName) -> Result<TcpSockets, CheckError> {
    let id = stage.lab.host(host).id();
    let socket = stage.lab.sandbox().socket(id, SocketKind::SockDiag);
    let socket = socket.map_err(ProbeError::from)?;
    TcpSockets::from_socket(socket).map_err(|error| CheckError::Network(host.clone(), error))
}

/// The connection that a packet of this host belongs to, if it still stands.
pub(super) fn of_packet(
    stage: &Stage<'_>,
    host: &HostName,
    packet: &Packet<'_>,
) -> Result<Option<TcpSocket>, CheckError> {
    let Transport::Tcp {
        source_port,
        destination_port,
        ..
    } = packet.transport
    else {
        return Ok(None);
    };
    let own = SocketAddr::new(packet.source, source_port);
    let peer = SocketAddr::new(packet.destination, destination_port);
    let sockets = reader(stage, host)?.read();
    let sockets = sockets.map_err(|error| CheckError::Network(host.clone(), error))?;
    let mut sockets = sockets.into_iter();
    Ok(sockets.find(|socket| socket.local == own && socket.peer == peer))
}
