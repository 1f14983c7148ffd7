//! Datagrams to whatever address of a host: the answer must come from the address that was asked, which
//! on a host with several is not the one that the routes would choose (ipv6(7), IPV6_RECVPKTINFO).

use std::io::{self, IoSlice, IoSliceMut};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::os::fd::AsRawFd;

use nix::errno::Errno;
use nix::sys::socket::{
    ControlMessage, ControlMessageOwned, MsgFlags, SockaddrIn6, recvmsg, sendmsg,
};
use tokio::io::Interest;
use tokio::net::UdpSocket;

/// The largest datagram.
const LARGEST: usize = 65_535;

/// A datagram that has come to a socket of both families.
pub(super) struct Received {
    bytes: Vec<u8>,
    from: SockaddrIn6,
    asked: nix::libc::in6_pktinfo,
}

/// Waits for one. An ICMP error about an earlier answer shows here.
pub(super) async fn receive(socket: &UdpSocket) -> io::Result<Received> {
    let read = || receive_now(socket);
    socket.async_io(Interest::READABLE, read).await
}

fn receive_now(socket: &UdpSocket) -> io::Result<Received> {
    let mut bytes = vec![0; LARGEST];
    let mut space = nix::cmsg_space!(nix::libc::in6_pktinfo);
    let mut data = [IoSliceMut::new(&mut bytes)];
    let flags = MsgFlags::MSG_DONTWAIT;
    let received = recvmsg::<SockaddrIn6>(socket.as_raw_fd(), &mut data, Some(&mut space), flags)?;
    let asked = received.cmsgs()?.find_map(|message| match message {
        ControlMessageOwned::Ipv6PacketInfo(mut info) => {
            // The routes shall choose the interface.
            info.ipi6_ifindex = 0;
            Some(info)
        }
        _ => None,
    });
    let (asked, from) = asked.zip(received.address).ok_or(Errno::EBADMSG)?;
    let length = received.bytes;
    bytes.truncate(length);
    Ok(Received { bytes, from, asked })
}

impl Received {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Who has sent it; IPv4 as such, not mapped.
    pub(super) fn from(&self) -> SocketAddr {
        let ip: Ipv6Addr = self.from.ip();
        let ip = ip.to_ipv4_mapped().map_or(IpAddr::V6(ip), IpAddr::V4);
        SocketAddr::new(ip, self.from.port())
    }

    /// Sends something back, from the address that it came to.
    pub(super) fn answer(&self, socket: &UdpSocket, bytes: &[u8]) -> io::Result<()> {
        let from_there = [ControlMessage::Ipv6PacketInfo(&self.asked)];
        let (data, flags) = ([IoSlice::new(bytes)], MsgFlags::MSG_DONTWAIT);
        let to = Some(&self.from);
        sendmsg(socket.as_raw_fd(), &data, &from_there, flags, to)?;
        Ok(())
    }
}
