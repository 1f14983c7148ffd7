//! Where clients ask.

mod datagrams;
mod tcp;
mod udp;

use std::io;
use std::net::SocketAddr;
use std::rc::Rc;

use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use tokio::net::{TcpListener, UdpSocket};

pub(super) use datagrams::{Datagrams, Local};

use super::config::Limits;
use super::forwarder::Forwarder;

/// How many connections may wait to be accepted.
const BACKLOG: i32 = 128;
/// How many ports are tried where any will do: one that UDP has given may be taken for TCP.
const PORTS: usize = 16;

/// The two sockets at one address.
#[derive(Debug)]
pub(super) struct Listener {
    udp: Rc<Datagrams>,
    tcp: TcpListener,
    address: SocketAddr,
}

impl Listener {
    /// Binds both; where the port is 0, to any one that is free for both.
    pub(super) fn bind(address: SocketAddr) -> io::Result<Self> {
        let mut tries = if address.port() == 0 { PORTS } else { 1 };
        loop {
            tries -= 1;
            let udp = bind(address, Type::DGRAM, Protocol::UDP)?;
            let udp = UdpSocket::from_std(udp.into())?;
            let address = udp.local_addr()?;
            let udp = Rc::new(Datagrams::new(udp)?);
            match listen(address) {
                Ok(tcp) => return Ok(Self { udp, tcp, address }),
                Err(error) if tries == 0 || error.kind() != io::ErrorKind::AddrInUse => {
                    return Err(error);
                }
                Err(_) => {}
            }
        }
    }

    /// Where it is.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until the sockets fail.
    pub(super) async fn serve(self, forwarder: Rc<Forwarder>, limits: Limits) -> io::Error {
        tokio::select! {
            error = udp::serve(self.udp, Rc::clone(&forwarder)) => error,
            never = tcp::serve(self.tcp, forwarder, limits) => match never {},
        }
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = bind(address, Type::STREAM, Protocol::TCP)?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

fn bind(address: SocketAddr, kind: Type, protocol: Protocol) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), kind, Some(protocol))?;
    socket.set_nonblocking(true)?;
    if address.is_ipv6() {
        // Else `[::]` would take IPv4 as well, and `0.0.0.0` could not be beside it (ipv6(7)).
        socket.set_only_v6(true)?;
    }
    if kind == Type::STREAM {
        // Connections of the last run may be in TIME_WAIT (socket(7)).
        socket.set_reuse_address(true)?;
    }
    socket.bind(&SockAddr::from(address))?;
    Ok(socket)
}

/// A message as TCP carries it: behind its length (RFC 1035, 4.2.2). One write sends both.
pub(super) fn frame(message: &[u8]) -> Vec<u8> {
    let length = u16::try_from(message.len()).expect("a message has at most 65535 bytes");
    [&length.to_be_bytes(), message].concat()
}
