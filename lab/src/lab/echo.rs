//! What answers on a host's ports: it sends back what it is sent.

use std::future::{pending, poll_fn};
use std::io;
use std::net::{Ipv6Addr, SocketAddr, SocketAddrV6};
use std::os::fd::OwnedFd;
use std::task::{Context, Poll};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::socket::{setsockopt, sockopt};
use socket2::Socket;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::LabError;
use super::host::Service;
use super::packet_info;
use crate::probe::{is_flood, is_transfer, serve_flood, serve_transfer};
use crate::sandbox::{HostId, Sandbox, SocketKind};
use crate::scenario::{HostName, Serve};

/// Connections that wait to be accepted.
const BACKLOG: i32 = 128;
/// How long a service that lacks descriptors or memory waits for a connection of its own to end
/// before it asks again.
const EXHAUSTED: Duration = Duration::from_millis(50);

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
        let accept = move |context: &mut Context<'_>| listener.poll_accept(context);
        services.push(Service(tokio::spawn(echo_streams(accept))));
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

pub(super) fn listen(socket: OwnedFd, port: u16) -> io::Result<TcpListener> {
    let socket = bind(socket, port)?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

pub(super) fn bind_datagram(socket: OwnedFd, port: u16) -> io::Result<UdpSocket> {
    let socket = bind(socket, port)?;
    // IPv4 shows as mapped addresses.
    setsockopt(&socket, sockopt::Ipv6RecvPacketInfo, &true)?;
    UdpSocket::from_std(socket.into())
}

async fn echo_streams(
    accept: impl FnMut(&mut Context<'_>) -> Poll<io::Result<(TcpStream, SocketAddr)>>,
) {
    serve_streams(accept, |stream, _| echo_stream(stream)).await;
}

/// Serves every connection, whatever becomes of one of them.
pub(super) async fn serve_streams<F: Future<Output = ()> + Send + 'static>(
    mut accept: impl FnMut(&mut Context<'_>) -> Poll<io::Result<(TcpStream, SocketAddr)>>,
    serve: impl Fn(TcpStream, SocketAddr) -> F,
) {
    let mut connections = JoinSet::new();
    loop {
        match poll_fn(&mut accept).await {
            Ok((stream, from)) => {
                connections.spawn(serve(stream, from));
            }
            Err(error) if is_of_one_connection(&error) => {}
            // Descriptors or memory are used up; until one of them is free again, accept(2) would
            // only say the same. Ours may end, or somebody else's, of which we hear nothing.
            Err(_) => {
                let ours = async {
                    if connections.join_next().await.is_none() {
                        pending::<()>().await;
                    }
                };
                timeout(EXHAUSTED, ours).await.ok();
            }
        }
        while connections.try_join_next().is_some() {}
    }
}

/// Whether an accept has failed with one connection, which is then out of the queue. Linux passes
/// on what the network says of it (accept(2), "Error handling").
fn is_of_one_connection(error: &io::Error) -> bool {
    use Errno::{
        ECONNABORTED, EHOSTDOWN, EHOSTUNREACH, EINTR, ENETDOWN, ENETUNREACH, ENONET, ENOPROTOOPT,
        EOPNOTSUPP, EPERM, EPROTO,
    };
    matches!(
        error.raw_os_error().map(Errno::from_raw),
        Some(
            ECONNABORTED
                | EHOSTDOWN
                | EHOSTUNREACH
                | EINTR
                | ENETDOWN
                | ENETUNREACH
                | ENONET
                | ENOPROTOOPT
                | EOPNOTSUPP
                | EPERM
                | EPROTO
        )
    )
}

/// Sends back what comes, or serves a transfer or a flood where it begins like one. Who breaks the connection off
/// knows it.
async fn echo_stream(mut stream: TcpStream) {
    let mut first = vec![0; 2048];
    let Ok(length) = stream.read(&mut first).await else {
        return;
    };
    first.truncate(length);
    if is_flood(&first) {
        drop(serve_flood(stream, &first).await);
    } else if is_transfer(&first) {
        drop(serve_transfer(stream, &first).await);
    } else if stream.write_all(&first).await.is_ok() {
        let (mut from, mut to) = stream.split();
        drop(tokio::io::copy(&mut from, &mut to).await);
    }
}

async fn echo_datagrams(socket: UdpSocket) {
    loop {
        // An ICMP error about an earlier answer shows here, and is no reason to stop.
        if let Ok(received) = packet_info::receive(&socket).await {
            drop(received.answer(&socket, received.bytes()));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::net::Ipv4Addr;

    use super::*;

    #[tokio::test]
    async fn an_accept_that_fails_does_not_end_the_service() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut errors = VecDeque::from([Errno::ECONNABORTED, Errno::EMFILE, Errno::ENOMEM]);
        let accept = move |context: &mut Context<'_>| match errors.pop_front() {
            Some(errno) => Poll::Ready(Err(errno.into())),
            None => listener.poll_accept(context),
        };
        let _service = Service(tokio::spawn(echo_streams(accept)));
        let answered = async {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(b"question").await.unwrap();
            let mut answer = [0; 8];
            stream.read_exact(&mut answer).await.unwrap();
            answer
        };
        let answer = timeout(Duration::from_secs(10), answered).await;
        assert_eq!(&answer.expect("an answer"), b"question");
    }

    #[tokio::test]
    async fn a_service_without_descriptors_does_not_spin() {
        let mut asked = 0;
        let accept = |_: &mut Context<'_>| {
            asked += 1;
            Poll::Ready(Err(Errno::EMFILE.into()))
        };
        let never = timeout(4 * EXHAUSTED, echo_streams(accept)).await;
        assert!(never.is_err(), "the service has ended");
        assert!((1..=5).contains(&asked), "asked {asked} times");
    }
}
