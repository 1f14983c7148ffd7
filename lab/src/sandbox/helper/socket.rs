//! Sockets in the current network namespace.

use std::os::fd::{FromRawFd, IntoRawFd, OwnedFd};

use netlink_sys::Socket;
use netlink_sys::protocols::{NETLINK_NETFILTER, NETLINK_ROUTE, NETLINK_SOCK_DIAG};
use nix::sys::prctl;
use nix::sys::socket::{setsockopt, sockopt};
use nix::unistd::{Uid, setfsuid};
use socket2::{Domain, Protocol, Type};

use super::super::protocol::{Failure, SocketKind};
use super::{Result, Step};
use crate::scenario::Sender;

/// Makes a socket with its sender's user and mark.
pub(super) fn make(kind: SocketKind, sender: &Sender) -> Result<OwnedFd> {
    let socket = match sender.uid {
        Some(uid) => owned_by(uid, || plain(kind)),
        None => plain(kind),
    }?;
    if let Some(mark) = sender.mark {
        setsockopt(&socket, sockopt::Mark, &mark.0).step("mark a socket (SO_MARK)")?;
    }
    Ok(socket)
}

/// Makes a socket that is another user's: the kernel remembers with its file as whom it was made
/// (`f_cred`), which is what nftables compares with `meta skuid` (`nft_meta_skugid`).
///
/// Only the user for file access changes (setfsuid(2)), so that raw sockets can be made as before.
fn owned_by(uid: u32, make: impl FnOnce() -> Result<OwnedFd>) -> Result<OwnedFd> {
    let home = setfsuid(Uid::from_raw(uid));
    // The call tells no failure: it is asked for once more, which tells what it was.
    let now = setfsuid(Uid::from_raw(uid));
    let made = if now.as_raw() == uid {
        make()
    } else {
        Err(Failure {
            step: format!(
                "there is no user {uid} here: as an ordinary user, a lab has only its root"
            ),
            errno: None,
        })
    };
    setfsuid(home);
    // The kernel has made this process one that is not dumped (`commit_creds` in kernel/cred.c), and
    // /proc/1/exe, which is every program of the lab's own, then takes CAP_SYS_PTRACE.
    prctl::set_dumpable(true).step("be open to the lab's own programs again")?;
    made
}

/// A NETLINK_ROUTE socket in the current network namespace.
pub(super) fn netlink_socket() -> Result<OwnedFd> {
    netlink(NETLINK_ROUTE)
}

fn netlink(protocol: isize) -> Result<OwnedFd> {
    let socket = Socket::new(protocol).step("make a netlink socket")?;
    // SAFETY: `into_raw_fd` gives up the only owner of an open descriptor.
    Ok(unsafe { OwnedFd::from_raw_fd(socket.into_raw_fd()) })
}

fn plain(kind: SocketKind) -> Result<OwnedFd> {
    let (domain, r#type, protocol) = match kind {
        SocketKind::Route => return netlink(NETLINK_ROUTE),
        SocketKind::Netfilter => return netlink(NETLINK_NETFILTER),
        SocketKind::SockDiag => return netlink(NETLINK_SOCK_DIAG),
        SocketKind::Packet => (Domain::PACKET, Type::DGRAM, None),
        SocketKind::Frames => (Domain::PACKET, Type::RAW, None),
        SocketKind::IcmpV4 => (Domain::IPV4, Type::RAW, Some(Protocol::ICMPV4)),
        SocketKind::IcmpV6 => (Domain::IPV6, Type::RAW, Some(Protocol::ICMPV6)),
        SocketKind::TcpV4 => (Domain::IPV4, Type::STREAM, None),
        SocketKind::TcpV6 => (Domain::IPV6, Type::STREAM, None),
        SocketKind::UdpV4 => (Domain::IPV4, Type::DGRAM, None),
        SocketKind::UdpV6 => (Domain::IPV6, Type::DGRAM, None),
    };
    let socket = socket2::Socket::new(domain, r#type, protocol)
        .step(format!("make a {kind} socket (CAP_NET_RAW for raw ones)"))?;
    Ok(socket.into())
}
