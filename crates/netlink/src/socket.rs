//! Netlink sockets: made here, or made elsewhere and handed over.

use std::io;
use std::os::fd::{FromRawFd, IntoRawFd, OwnedFd};

use netlink_sys::protocols::NETLINK_ROUTE;
use netlink_sys::{AsyncSocket, Socket, TokioSocket};
use nix::sys::socket::setsockopt;
use nix::sys::socket::sockopt::{RcvBuf, RcvBufForce};

/// The largest receive buffer that we ask for. The default holds 256 route events.
const RECEIVE_BUFFER: usize = 4 << 20;

/// A socket in the namespace of the calling thread, where it stays whatever the thread does next.
pub(crate) fn open() -> io::Result<OwnedFd> {
    let socket = Socket::new(NETLINK_ROUTE)?;
    // SAFETY: `into_raw_fd` gives up the only owner of an open descriptor.
    Ok(unsafe { OwnedFd::from_raw_fd(socket.into_raw_fd()) })
}

/// Makes a socket ready for the tokio runtime that the caller runs in.
pub(crate) fn adopt(socket: OwnedFd) -> io::Result<TokioSocket> {
    tokio::runtime::Handle::try_current().map_err(io::Error::other)?;
    // SAFETY: the descriptor is open and ours alone.
    let mut socket = unsafe { TokioSocket::from_raw_fd(socket.into_raw_fd()) };
    let inner = socket.socket_mut();
    prepare(inner)?;
    enlarge(inner)?;
    Ok(socket)
}

/// What every socket of ours has.
pub(crate) fn prepare(socket: &Socket) -> io::Result<()> {
    // The kernel then filters dumps by table and interface itself, and refuses what it does not
    // understand instead of ignoring it (Linux 4.20, NETLINK_GET_STRICT_CHK in netlink(7)).
    socket.set_netlink_get_strict_chk(true)?;
    // Errors come back without the request that caused them.
    socket.set_cap_ack(true)
}

/// Asks for a large receive buffer. Without CAP_NET_ADMIN it is cut to net.core.rmem_max
/// (socket(7)).
pub(crate) fn enlarge(socket: &Socket) -> io::Result<()> {
    if setsockopt(socket, RcvBufForce, &RECEIVE_BUFFER).is_err() {
        setsockopt(socket, RcvBuf, &RECEIVE_BUFFER)?;
    }
    Ok(())
}
