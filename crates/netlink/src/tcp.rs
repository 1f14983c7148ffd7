//! TCP sockets, as the kernel sees them: `ss -t`.

use std::net::SocketAddr;
use std::os::fd::OwnedFd;

use netlink_packet_sock_diag::IPPROTO_TCP;
use netlink_packet_sock_diag::inet::StateFlags;

use crate::diag::{Diag, Question, Told};
use crate::error::Result;
use crate::{Flow, Fwmark, IfIndex, IpProtocol};

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
            user: Some(self.uid),
        }
    }
}

/// The TCP sockets of a network namespace.
#[derive(Debug)]
pub struct TcpSockets(Diag);

impl TcpSockets {
    /// Those of the namespace of the calling thread.
    pub fn open() -> Result<Self> {
        Diag::open().map(Self)
    }

    /// Those of the namespace in which a NETLINK_SOCK_DIAG socket was made.
    pub fn from_socket(socket: OwnedFd) -> Result<Self> {
        Diag::from_socket(socket).map(Self)
    }

    /// `ss -t -n`, of both families: connected, connecting and closing ones.
    pub fn read(&mut self) -> Result<Vec<TcpSocket>> {
        let unconnected = StateFlags::LISTEN | StateFlags::TIME_WAIT | StateFlags::CLOSE;
        let told = self.0.read(&Question {
            protocol: IPPROTO_TCP,
            states: StateFlags::all() - unconnected,
            command: "ss -t",
        })?;
        Ok(told.into_iter().map(tcp_socket).collect())
    }
}

fn tcp_socket(told: Told) -> TcpSocket {
    let Told {
        local,
        peer,
        mark,
        bound_to,
        uid,
        only_v6: _,
    } = told;
    TcpSocket {
        local,
        peer,
        mark,
        bound_to,
        uid,
    }
}
