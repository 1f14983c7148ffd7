//! A socket that answers from the address that was asked.

use std::io::{self, IoSlice, IoSliceMut};
use std::net::SocketAddr;
use std::os::fd::AsRawFd;

use nix::cmsg_space;
use nix::libc::{in_pktinfo, in6_pktinfo};
use nix::sys::socket::sockopt::{Ipv4PacketInfo, Ipv6RecvPacketInfo};
use nix::sys::socket::{
    ControlMessage, ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, sendmsg, setsockopt,
};
use tokio::io::Interest;
use tokio::net::UdpSocket;

/// UDP at one address or, with a wildcard, at all of this machine. There the kernel would answer from
/// whichever address the route back prefers, and a client does not take that for its answer.
#[derive(Debug)]
pub(crate) struct Datagrams {
    socket: UdpSocket,
    is_wildcard: bool,
}

/// The address that was asked, where the listener's own does not tell (ip(7), ipv6(7)).
#[derive(Clone, Copy, Debug)]
pub(crate) enum Local {
    V4(in_pktinfo),
    V6(in6_pktinfo),
}

impl Datagrams {
    /// The socket, bound already.
    pub(super) fn new(socket: UdpSocket) -> io::Result<Self> {
        let address = socket.local_addr()?;
        let is_wildcard = address.ip().is_unspecified();
        match address {
            SocketAddr::V4(_) if is_wildcard => setsockopt(&socket, Ipv4PacketInfo, &true)?,
            SocketAddr::V6(_) if is_wildcard => setsockopt(&socket, Ipv6RecvPacketInfo, &true)?,
            _ => {}
        }
        Ok(Self {
            socket,
            is_wildcard,
        })
    }

    /// Waits for a datagram: its length, who sent it, and to which address.
    pub(super) async fn receive(
        &self,
        bytes: &mut [u8],
    ) -> io::Result<(usize, SocketAddr, Option<Local>)> {
        if !self.is_wildcard {
            let (length, peer) = self.socket.recv_from(bytes).await?;
            return Ok((length, peer, None));
        }
        let receive = || receive(&self.socket, bytes);
        self.socket.async_io(Interest::READABLE, receive).await
    }

    /// Sends an answer if there is room for it.
    pub(crate) fn send(
        &self,
        bytes: &[u8],
        peer: SocketAddr,
        from: Option<Local>,
    ) -> io::Result<usize> {
        match from {
            None => self.socket.try_send_to(bytes, peer),
            Some(local) => {
                let send = || send(&self.socket, bytes, peer, local);
                self.socket.try_io(Interest::WRITABLE, send)
            }
        }
    }
}

fn receive(socket: &UdpSocket, bytes: &mut [u8]) -> io::Result<(usize, SocketAddr, Option<Local>)> {
    let mut space = cmsg_space!(in6_pktinfo);
    let mut parts = [IoSliceMut::new(bytes)];
    let received = recvmsg::<SockaddrStorage>(
        socket.as_raw_fd(),
        &mut parts,
        Some(&mut space),
        MsgFlags::empty(),
    )?;
    let local = received.cmsgs()?.find_map(|message| match message {
        ControlMessageOwned::Ipv4PacketInfo(info) => Some(Local::from_v4(info)),
        ControlMessageOwned::Ipv6PacketInfo(info) => Some(Local::from_v6(info)),
        _ => None,
    });
    let peer = received.address.as_ref().and_then(to_address);
    let peer = peer.ok_or(io::ErrorKind::InvalidData)?;
    Ok((received.bytes, peer, local))
}

fn send(socket: &UdpSocket, bytes: &[u8], peer: SocketAddr, from: Local) -> io::Result<usize> {
    let message = match &from {
        Local::V4(info) => ControlMessage::Ipv4PacketInfo(info),
        Local::V6(info) => ControlMessage::Ipv6PacketInfo(info),
    };
    let sent = sendmsg(
        socket.as_raw_fd(),
        &[IoSlice::new(bytes)],
        &[message],
        MsgFlags::empty(),
        Some(&SockaddrStorage::from(peer)),
    )?;
    Ok(sent)
}

fn to_address(storage: &SockaddrStorage) -> Option<SocketAddr> {
    let v4 = storage
        .as_sockaddr_in()
        .map(|address| SocketAddr::V4((*address).into()));
    v4.or_else(|| {
        storage
            .as_sockaddr_in6()
            .map(|address| SocketAddr::V6((*address).into()))
    })
}

impl Local {
    /// `ipi_spec_dst` has the address that was asked, or one of the link's where that was a broadcast;
    /// to send, it is the source. The route decides by which link, as it does for other packets.
    fn from_v4(mut info: in_pktinfo) -> Self {
        info.ipi_ifindex = 0;
        Self::V4(info)
    }

    /// The same; only a link-local address belongs to its link.
    fn from_v6(mut info: in6_pktinfo) -> Self {
        let is_link_local = matches!(info.ipi6_addr.s6_addr, [0xfe, 0x80..=0xbf, ..]);
        if !is_link_local {
            info.ipi6_ifindex = 0;
        }
        Self::V6(info)
    }
}
