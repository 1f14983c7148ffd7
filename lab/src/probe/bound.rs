//! A socket whose port is known before it sends.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::OwnedFd;

use nix::sys::socket::{setsockopt, sockopt};
use socket2::Socket;

use super::ProbeError;

/// A bound socket with its port.
pub(super) struct Bound<S> {
    pub(super) socket: S,
    pub(super) port: Option<u16>,
}

impl<S> Bound<S> {
    /// Binds a socket to a port of the kernel's choice; the routes choose the source address.
    pub(super) fn new(
        socket: OwnedFd,
        target: IpAddr,
        adopt: impl FnOnce(Socket) -> io::Result<S>,
    ) -> Result<Self, ProbeError> {
        let socket = Socket::from(socket);
        let any: SocketAddr = match target {
            IpAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
            IpAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
        };
        let bind = || {
            socket.set_nonblocking(true)?;
            hear_icmp_errors(&socket, target)?;
            socket.bind(&any.into())?;
            let port = socket
                .local_addr()?
                .as_socket()
                .map(|address| address.port());
            Ok(Self {
                socket: adopt(socket)?,
                port,
            })
        };
        bind().map_err(ProbeError::Socket)
    }
}

/// Makes every ICMP error an error of the socket. Without this the kernel keeps "net unreachable"
/// and "host unreachable" from IPv4 sockets, since they may pass (IP_RECVERR in ip(7)).
pub(super) fn hear_icmp_errors(socket: &Socket, target: IpAddr) -> io::Result<()> {
    match target {
        IpAddr::V4(_) => setsockopt(socket, sockopt::Ipv4RecvErr, &true)?,
        IpAddr::V6(_) => setsockopt(socket, sockopt::Ipv6RecvErr, &true)?,
    }
    Ok(())
}
