//! A socket whose port is known before it sends.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use nix::sys::socket::{setsockopt, sockopt};
use socket2::Socket;

use super::ProbeError;
use crate::scenario::Probe;

/// A bound socket with its port.
pub(super) struct Bound<S> {
    pub(super) socket: S,
    pub(super) port: Option<u16>,
}

impl<S> Bound<S> {
    /// Binds a socket to a port of the kernel's choice; the routes choose the source
    /// address where the probe has none.
    pub(super) fn new(
        socket: OwnedFd,
        probe: &Probe<IpAddr>,
        adopt: impl FnOnce(Socket) -> io::Result<S>,
    ) -> Result<Self, ProbeError> {
        let socket = Socket::from(socket);
        let target = probe.address;
        let own = SocketAddr::new(source(probe), 0);
        let bind = || {
            socket.set_nonblocking(true)?;
            hear_icmp_errors(&socket, target)?;
            if probe.load.whole {
                keep_whole(&socket, target)?;
            }
            socket.bind(&own.into())?;
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

/// The address that a probe's socket is bound to.
pub(super) fn source(probe: &Probe<IpAddr>) -> IpAddr {
    probe.sender.source.unwrap_or(match probe.address {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    })
}

/// Has what is sent neither cut here nor on the way: IP_PMTUDISC_DO (ip(7)), and the same of ipv6(7).
/// What is larger than the path takes, as far as the kernel knows it, is refused with EMSGSIZE.
pub(super) fn keep_whole(socket: &Socket, target: IpAddr) -> io::Result<()> {
    use nix::libc;
    let (level, option, value): (_, _, libc::c_int) = match target {
        IpAddr::V4(_) => (
            libc::IPPROTO_IP,
            libc::IP_MTU_DISCOVER,
            libc::IP_PMTUDISC_DO,
        ),
        IpAddr::V6(_) => {
            setsockopt(socket, sockopt::Ipv6DontFrag, &true)?;
            (
                libc::IPPROTO_IPV6,
                libc::IPV6_MTU_DISCOVER,
                libc::IPV6_PMTUDISC_DO,
            )
        }
    };
    // SAFETY: the pointer is to a local of the length that is given, which outlives the call.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            level,
            option,
            (&raw const value).cast(),
            size_of_val(&value) as libc::socklen_t,
        )
    };
    nix::errno::Errno::result(result)?;
    Ok(())
}

/// Makes every ICMP error an error of the socket. Without this the kernel keeps "net unreachable"
/// and "host unreachable" from IPv4 sockets, since they may pass (IP_RECVERR in ip(7)).
pub(super) fn hear_icmp_errors(socket: &impl AsFd, target: IpAddr) -> io::Result<()> {
    match target {
        IpAddr::V4(_) => setsockopt(socket, sockopt::Ipv4RecvErr, &true)?,
        IpAddr::V6(_) => setsockopt(socket, sockopt::Ipv6RecvErr, &true)?,
    }
    Ok(())
}
