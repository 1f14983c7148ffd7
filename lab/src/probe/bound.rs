//! A socket whose port is known before it sends.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::OwnedFd;

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
