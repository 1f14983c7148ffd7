//! What answers on a host's ports: it sends back what it is sent.

use std::io::{self, IoSlice, IoSliceMut};
use std::net::{Ipv6Addr, SocketAddrV6};
use std::os::fd::{AsRawFd, OwnedFd};

use nix::errno::Errno;
use nix::sys::socket::{
    ControlMessage, ControlMessageOwned, MsgFlags, SockaddrIn6, recvmsg, sendmsg, setsockopt,
    sockopt,
};
use socket2::Socket;
use tokio::io::Interest;
use tokio::net::{TcpListener, TcpStream, UdpSocket};

use super::LabError;
use super::host::Service;
use crate::sandbox::{HostId, Sandbox, SocketKind};
use crate::scenario::{HostName, Serve};

/// Connections that wait to be accepted.
const BACKLOG: i32 = 128;
/// The largest datagram.
const LARGEST: usize = 65_535;

/// Answers on the ports, each of them over IPv4 and IPv6, on whatever address is asked.
pub(super) fn serve(
    sandbox: &Sandbox,
    name: &HostName,
    host: HostId,
    ports: &Serve,
) -> Result<Vec<Service>, LabError> {
    let failed = |port| {
        move |cause| LabError::Serve {
            host: name.clone(),
            port,
            cause,
        }
    };
    let mut services = Vec::new();
    for &port in &ports.tcp {
        let socket = sandbox.socket(host, SocketKind::TcpV6)?;
        let listener = listen(socket, port).map_err(failed(port))?;
        services.push(Service(tokio::spawn(accept(listener))));
    }
    for &port in &ports.udp {
        let socket = sandbox.socket(host, SocketKind::UdpV6)?;
        let socket = bind_datagram(socket, port).map_err(failed(port))?;
        services.push(Service(tokio::spawn(echo_datagrams(socket))));
    }
    Ok(services)
}

/// Binds a socket to every address of both families.
fn bind(socket: OwnedFd, port: u16) -> io::Result<Socket> {
    let socket = Socket::from(socket);
    socket.set_nonblocking(true)?;
    socket.set_only_v6(false)?;
    socket.bind(&SocketAddrV6::new(Ipv6Addr::UNSPECIFIED, port, 0, 0).into())?;
    Ok(socket)
}

fn listen(socket: OwnedFd, port: u16) -> io::Result<TcpListener> {
    let socket = bind(socket, port)?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

fn bind_datagram(socket: OwnedFd, port: u16) -> io::Result<UdpSocket> {
    let socket = bind(socket, port)?;
    // The answer must come from the address that was asked, which on a host with several is not
    // the one that the routes would choose. IPv4 shows as mapped addresses.
    setsockopt(&socket, sockopt::Ipv6RecvPacketInfo, &true)?;
    UdpSocket::from_std(socket.into())
}

async fn accept(listener: TcpListener) {
    // An accept that fails is the peer's doing (ECONNABORTED) or a full descriptor table, in
    // which case a probe fails and says so.
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(echo_stream(stream));
    }
}

async fn echo_stream(mut stream: TcpStream) {
    let (mut from, mut to) = stream.split();
    // Who breaks the connection off knows it.
    drop(tokio::io::copy(&mut from, &mut to).await);
}

async fn echo_datagrams(socket: UdpSocket) {
    loop {
        // An ICMP error about an earlier answer shows here, and is no reason to stop.
        drop(
            socket
                .async_io(Interest::READABLE, || echo_one(&socket))
                .await,
        );
    }
}

/// Sends one datagram back, from the address that it came to.
fn echo_one(socket: &UdpSocket) -> io::Result<()> {
    let mut buffer = vec![0; LARGEST];
    let mut space = nix::cmsg_space!(nix::libc::in6_pktinfo);
    let mut data = [IoSliceMut::new(&mut buffer)];
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
    let answer = [IoSlice::new(&buffer[..length])];
    let from_there = [ControlMessage::Ipv6PacketInfo(&asked)];
    sendmsg(socket.as_raw_fd(), &answer, &from_there, flags, Some(&from))?;
    Ok(())
}
