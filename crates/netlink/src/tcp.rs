//! TCP sockets, as the kernel sees them: `ss -t`.

use std::net::SocketAddr;
use std::os::fd::{FromRawFd, IntoRawFd, OwnedFd};

use netlink_packet_core::NetlinkMessage;
use netlink_packet_sock_diag::inet::nlas::Nla;
use netlink_packet_sock_diag::inet::{
    ExtensionFlags, InetRequest, InetResponse, SocketId, StateFlags,
};
use netlink_packet_sock_diag::{AF_INET, AF_INET6, IPPROTO_TCP, SockDiagMessage};
use netlink_sys::protocols::NETLINK_SOCK_DIAG;
use netlink_sys::{Socket, SocketAddr as NetlinkAddress};

use crate::dump::dump;
use crate::error::{Cause, Error, Result};
use crate::{Family, Flow, Fwmark, IfIndex, IpProtocol};

/// A TCP socket that has a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TcpSocket {
    /// Its own address and port.
    pub local: SocketAddr,
    /// Its peer's.
    pub peer: SocketAddr,
    /// Its mark; none where we may not know it, which takes CAP_NET_ADMIN.
    pub mark: Option<Fwmark>,
    /// The interface that it is bound to.
    pub bound_to: Option<IfIndex>,
    /// Whose it is.
    pub uid: u32,
}

impl TcpSocket {
    /// Its packets, as far as the choice of a route goes.
    pub fn flow(&self) -> Flow {
        Flow {
            came_in: None,
            to: self.peer.ip(),
            from: Some(self.local.ip()),
            mark: self.mark.unwrap_or(Fwmark(0)),
            bound_to: self.bound_to,
            port: Some((IpProtocol::Tcp, self.peer.port())),
        }
    }
}

/// The TCP sockets of a network namespace.
#[derive(Debug)]
pub struct TcpSockets {
    socket: Socket,
    sequence: u32,
}

impl TcpSockets {
    /// Those of the namespace of the calling thread.
    pub fn open() -> Result<Self> {
        let open = |e: std::io::Error| Error::new("open a socket of NETLINK_SOCK_DIAG", e.into());
        Self::adopt(Socket::new(NETLINK_SOCK_DIAG).map_err(open)?)
    }

    /// Those of the namespace in which a NETLINK_SOCK_DIAG socket was made.
    pub fn from_socket(socket: OwnedFd) -> Result<Self> {
        // SAFETY: the descriptor is open and ours alone.
        Self::adopt(unsafe { Socket::from_raw_fd(socket.into_raw_fd()) })
    }

    fn adopt(mut socket: Socket) -> Result<Self> {
        let ready = |socket: &mut Socket| {
            // Answers come while they are read: there is nothing to wait for.
            socket.set_non_blocking(false)?;
            socket.bind_auto()?;
            socket.connect(&NetlinkAddress::new(0, 0))
        };
        ready(&mut socket)
            .map_err(|e| Error::new("set up a socket of NETLINK_SOCK_DIAG", e.into()))?;
        Ok(Self {
            socket,
            sequence: 0,
        })
    }

    /// `ss -t -n`, of both families: connected, connecting and closing ones.
    pub fn read(&mut self) -> Result<Vec<TcpSocket>> {
        let mut found = Vec::new();
        for family in Family::BOTH {
            let request = NetlinkMessage::from(SockDiagMessage::InetRequest(request(family)));
            let read = dump(
                &self.socket,
                &mut self.sequence,
                &request,
                |answer| match answer {
                    SockDiagMessage::InetResponse(response) => Ok(Some(tcp_socket(&response)?)),
                    _ => Ok(None),
                },
            );
            found.extend(read.map_err(|cause| Error::new("ss -t", cause))?);
        }
        Ok(found)
    }
}

fn request(family: Family) -> InetRequest {
    let (family, socket_id) = match family {
        Family::V4 => (AF_INET, SocketId::new_v4()),
        Family::V6 => (AF_INET6, SocketId::new_v6()),
    };
    InetRequest {
        family,
        protocol: IPPROTO_TCP,
        // The mark comes unasked to those who may know it (`inet_diag_msg_attrs_fill`).
        extensions: ExtensionFlags::empty(),
        states: StateFlags::all() - StateFlags::LISTEN - StateFlags::TIME_WAIT - StateFlags::CLOSE,
        socket_id,
    }
}

fn tcp_socket(response: &InetResponse) -> Result<TcpSocket, Cause> {
    let header = &response.header;
    let id = &header.socket_id;
    let mark = response.nlas.iter().find_map(|attribute| match attribute {
        Nla::Mark(mark) => Some(Fwmark(*mark)),
        _ => None,
    });
    // A socket of IPv6 may speak IPv4 (RFC 4291, 2.5.5.2).
    let canonical = |ip: std::net::IpAddr| ip.to_canonical();
    Ok(TcpSocket {
        local: SocketAddr::new(canonical(id.source_address), id.source_port),
        peer: SocketAddr::new(canonical(id.destination_address), id.destination_port),
        mark,
        bound_to: IfIndex::new(id.interface_id),
        uid: header.uid,
    })
}
