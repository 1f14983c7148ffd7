//! One question by UDP.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::rc::Rc;

use tokio::net::UdpSocket;

use super::super::question::{Question, Verdict};
use super::super::server::Server;
use super::super::sources::{Sources, Way};
use super::Received;

/// The longest answer that is taken; a server that keeps to what it is told sends less.
const LONGEST: usize = 4096;

/// Asks from a socket of its own, whose port the kernel draws, until the answer comes.
///
/// The socket is connected: no other host's datagrams come in, and an ICMP error does, as
/// ECONNREFUSED or EHOSTUNREACH (udp(7)).
pub(super) async fn ask(
    server: Server,
    question: &Question,
    sources: &Rc<Sources>,
) -> io::Result<Received> {
    let any = match server.address() {
        SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
        SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
    };
    let socket = UdpSocket::bind(any).await?;
    if let Some(link) = server.link() {
        socket.bind_device(Some(link.as_str().as_bytes()))?;
    }
    socket.connect(server.address()).await?;
    let from = socket.local_addr()?;
    let _source = sources.add(Way::Udp { from });
    let message = question.to_message();
    let id = [message[0], message[1]];
    socket.send(&message).await?;
    let mut bytes = vec![0; LONGEST];
    loop {
        let length = socket.recv(&mut bytes).await?;
        match question.verdict(id, &bytes[..length]) {
            Verdict::Foreign => {}
            Verdict::Truncated => return Ok(Received::Truncated),
            Verdict::Whole => {
                bytes.truncate(length);
                return Ok(Received::Whole(bytes));
            }
        }
    }
}
