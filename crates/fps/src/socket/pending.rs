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
