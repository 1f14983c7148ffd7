//! UDP sockets, as the kernel sees them: `ss -u -a`.

use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;

use netlink_packet_sock_diag::IPPROTO_UDP;
use netlink_packet_sock_diag::inet::StateFlags;

use crate::diag::{Diag, Question, Told};
use crate::error::Result;
use crate::{Flow, Fwmark, IfIndex, IpProtocol};

/// A UDP socket that has a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UdpSocket {
    /// Its own address and port; the address is unspecified where it takes what comes to any.
    pub local: SocketAddr,
    /// Its peer, if it is connected: one that is not may send to anybody.
    pub peer: Option<SocketAddr>,
    /// Its mark; none where we may not know it, which takes CAP_NET_ADMIN.
    pub mark: Option<Fwmark>,
    /// The interface that it is bound to.
    pub bound_to: Option<IfIndex>,
    /// Whose it is.
    pub uid: u32,
    /// It is of IPv6, and does not speak IPv4 (IPV6_V6ONLY).
    pub only_v6: bool,
}

impl UdpSocket {
    /// Whether a packet to `to` whose source is this address and port can be its own.
    pub fn may_have_sent(&self, source: SocketAddr, to: SocketAddr) -> bool {
        let own = match self.local.ip() {
            // Of the unspecified address of IPv6 it can be either family.
            IpAddr::V6(ip) if ip.is_unspecified() => source.is_ipv6() || !self.only_v6,
            IpAddr::V4(ip) if ip.is_unspecified() => source.is_ipv4(),
            ip => ip == source.ip(),
        };
        own && source.port() == self.local.port() && self.peer.is_none_or(|peer| peer == to)
    }

    /// Its packets to somebody, as far as the choice of a route goes.
    pub fn flow(&self, to: SocketAddr) -> Flow {
        let own = Some(self.local.ip()).filter(|ip| !ip.is_unspecified());
        Flow {
            to: to.ip(),
            from: own,
            mark: self.mark.unwrap_or(Fwmark(0)),
            bound_to: self.bound_to,
            port: Some((IpProtocol::Udp, to.port())),
            user: Some(self.uid),
            came_in: None,
        }
    }
}

/// The UDP sockets of a network namespace.
#[derive(Debug)]
pub struct UdpSockets(Diag);

impl UdpSockets {
    /// Those of the namespace of the calling thread.
    pub fn open() -> Result<Self> {
        Diag::open().map(Self)
    }

    /// Those of the namespace in which a NETLINK_SOCK_DIAG socket was made.
    pub fn from_socket(socket: OwnedFd) -> Result<Self> {
        Diag::from_socket(socket).map(Self)
    }

    /// `ss -u -a -n`, of both families.
    pub fn read(&mut self) -> Result<Vec<UdpSocket>> {
        let told = self.0.read(&Question {
            protocol: IPPROTO_UDP,
            // Of UDP there are two: connected, and not (`udp_connect`, `udp_lib_get_port`), which
            // the kernel calls ESTABLISHED and CLOSE.
            states: StateFlags::ESTABLISHED | StateFlags::CLOSE,
            command: "ss -u -a",
        })?;
        Ok(told.into_iter().map(udp_socket).collect())
    }
}

fn udp_socket(told: Told) -> UdpSocket {
    let Told {
        local,
        peer,
        mark,
        bound_to,
        uid,
        only_v6,
    } = told;
    UdpSocket {
        local,
        // The kernel knows no other sign: who is connected to nobody has a peer of zeros.
        peer: Some(peer).filter(|peer| peer.port() != 0),
        mark,
        bound_to,
        uid,
        only_v6,
    }
}
