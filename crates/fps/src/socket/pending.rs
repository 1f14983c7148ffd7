//! What a TCP socket holds that has not gone further (tcp(7)).

use std::os::fd::RawFd;

use nix::libc;

nix::ioctl_read_bad!(siocinq, libc::FIONREAD, libc::c_int);
nix::ioctl_read_bad!(siocoutq, libc::TIOCOUTQ, libc::c_int);

/// How many bytes have come and are not read. A socket that cannot be asked has none.
pub(crate) fn unread(socket: RawFd) -> u64 {
    let mut bytes = 0;
    // SAFETY: the kernel writes one int.
    let asked = unsafe { siocinq(socket, &raw mut bytes) };
    asked.map_or(0, |_| u64::try_from(bytes).unwrap_or(0))
}

/// How many bytes were written and are not acknowledged by the other end's kernel; likewise.
pub(crate) fn unacknowledged(socket: RawFd) -> u64 {
    let mut bytes = 0;
    // SAFETY: the kernel writes one int.
    let asked = unsafe { siocoutq(socket, &raw mut bytes) };
    asked.map_or(0, |_| u64::try_from(bytes).unwrap_or(0))
}

/// Whether a connection is over for its kernel (TCP_CLOSE): it was reset, or both ends have closed it and know. What
/// was not acknowledged by then never will be, and [`unacknowledged`] goes on counting it.
pub(crate) fn is_over(socket: RawFd) -> bool {
    // `enum` in include/net/tcp_states.h.
    const TCP_CLOSE: u8 = 7;
    // `struct tcp_info` begins with the state, and the kernel writes as much of it as there is room for.
    let mut state = 0_u8;
    let mut room: libc::socklen_t = 1;
    // SAFETY: the kernel writes one byte, and the length that it has written.
    let result = unsafe {
        libc::getsockopt(
            socket,
            libc::IPPROTO_TCP,
            libc::TCP_INFO,
            (&raw mut state).cast(),
            &raw mut room,
        )
    };
    result == 0 && state == TCP_CLOSE
}
