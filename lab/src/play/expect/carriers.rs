//! The sockets of a host from which a tunnel's packets come.

use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;

use fps_netlink::{Flow, Fwmark, TcpSockets, UdpSocket, UdpSockets};
use fps_packet::{Direction, Frame, Transport};

use super::CheckError;
use crate::play::stage::Stage;
use crate::probe::ProbeError;
use crate::sandbox::SocketKind;
use crate::scenario::{HostName, Outer, OuterProtocol};
use crate::user;

/// A socket whose packets go to the tunnel's far end.
pub(super) struct Carrier {
    /// What it is called.
    pub(super) whose: String,
    /// Where it is bound; of a UDP socket perhaps to a port alone.
    pub(super) own: SocketAddr,
    /// Its packets, as far as the choice of a route goes.
    pub(super) flow: Flow,
}

/// The sockets of one host, by the protocol that the tunnel speaks.
pub(super) enum Carriers {
    Tcp(TcpSockets),
    Udp(UdpSockets),
}

impl Carriers {
    /// Those of a host.
    pub(super) fn of(stage: &Stage<'_>, host: &HostName, outer: Outer) -> Result<Self, CheckError> {
        let id = stage.lab.host(host).id();
        let socket = stage.lab.sandbox().socket(id, SocketKind::SockDiag);
        let socket = socket.map_err(ProbeError::from)?;
        Self::new(socket, outer).map_err(|error| CheckError::Network(host.clone(), error))
    }

    /// Those of the namespace in which a NETLINK_SOCK_DIAG socket was made.
    fn new(socket: OwnedFd, outer: Outer) -> fps_netlink::Result<Self> {
        Ok(match outer.protocol {
            OuterProtocol::Tcp => Self::Tcp(TcpSockets::from_socket(socket)?),
            OuterProtocol::Udp => Self::Udp(UdpSockets::from_socket(socket)?),
        })
    }

    /// The sockets that send to the far end, but for those of probes. A UDP socket without a peer tells nobody to whom it
    /// sends: of those it is the ones from whose port something went there, `from`.
    pub(super) fn now(
        &mut self,
        stage: &Stage<'_>,
        far: IpAddr,
        outer: Outer,
        from: &HashSet<SocketAddr>,
    ) -> fps_netlink::Result<Vec<Carrier>> {
        let far_end = SocketAddr::new(far, outer.port);
        Ok(match self {
            Self::Tcp(sockets) => {
                let connected = sockets.read()?.into_iter();
                let connected = connected.filter(|socket| {
                    let is_probes = stage.is_probes_connection(socket.peer, socket.local.port());
                    socket.peer.ip() == far && !is_probes
                });
                let carriers = connected.map(|socket| Carrier {
                    whose: whose("connection", socket.local, socket.mark),
                    own: socket.local,
                    flow: user::flow_seen_here(socket.flow()),
                });
                carriers.collect()
            }
            Self::Udp(sockets) => {
                let all = sockets.read()?.into_iter();
                let senders = all.filter(|socket| sends_to(socket, far_end, from));
                let carriers = senders.map(|socket| Carrier {
                    whose: whose("socket", socket.local, socket.mark),
                    own: socket.local,
                    flow: user::flow_seen_here(socket.flow(far_end)),
                });
                carriers.collect()
            }
        })
    }
}

fn sends_to(socket: &UdpSocket, far_end: SocketAddr, from: &HashSet<SocketAddr>) -> bool {
    match socket.peer {
        Some(peer) => peer == far_end,
        None => from
            .iter()
            .any(|source| socket.may_have_sent(*source, far_end)),
    }
}

/// From where a host has sent datagrams to the tunnel's far end since the step began.
pub(super) async fn sources(
    stage: &Stage<'_>,
    host: &HostName,
    far: IpAddr,
    outer: Outer,
) -> Result<HashSet<SocketAddr>, CheckError> {
    let tape = stage.tape(host);
    tape.sync().await?;
    Ok(tape.look(|frames| {
        let others = frames.iter().filter(|frame| !stage.is_probe(frame));
        others
            .filter_map(|frame| source(frame, far, outer))
            .collect()
    }))
}

/// From which address and port a packet to the far end was sent, if this is one.
fn source(frame: &Frame, far: IpAddr, outer: Outer) -> Option<SocketAddr> {
    let packet = frame.packet()?;
    let Transport::Udp {
        source_port,
        destination_port,
    } = packet.transport
    else {
        return None;
    };
    let ours = packet.destination == far
        && destination_port == outer.port
        && frame.direction == Direction::Sent
        && packet.control().is_none();
    ours.then(|| SocketAddr::new(packet.source, source_port))
}

fn whose(what: &str, local: SocketAddr, mark: Option<Fwmark>) -> String {
    match mark {
        None | Some(Fwmark(0)) => format!("the {what} from {local} without a mark"),
        Some(mark) => format!("the {what} from {local} with mark {mark}"),
    }
}
