//! Many routes in one send.

use std::io;

use netlink_packet_core::{
    NLM_F_ACK, NLM_F_APPEND, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE, NLM_F_REQUEST,
    NetlinkMessage, NetlinkPayload,
};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_sys::protocols::NETLINK_ROUTE;
use netlink_sys::{Socket, SocketAddr};
use nix::errno::Errno;

use crate::Route;
use crate::error::{Error, Result};
use crate::socket::enlarge;

/// How many requests go in one send. Beyond this the kernel's own work is all that is left.
const AT_ONCE: usize = 512;

/// One change to a table.
#[derive(Clone, Copy, Debug)]
pub enum RouteRequest<'a> {
    /// `ip route add`: refused with EEXIST where prefix and metric are taken.
    Add(&'a Route),
    /// `ip route append`: behind those with its prefix and metric.
    Append(&'a Route),
    /// `ip route replace`: in the place of the first with its prefix and metric, whoever set it.
    Replace(&'a Route),
    /// `ip route del`: refused with ESRCH where there is none.
    Delete(&'a Route),
}

impl RouteRequest<'_> {
    fn message(self) -> NetlinkMessage<RouteNetlinkMessage> {
        let (message, flags) = match self {
            Self::Add(route) => (new(route), NLM_F_CREATE | NLM_F_EXCL),
            Self::Append(route) => (new(route), NLM_F_CREATE | NLM_F_APPEND),
            Self::Replace(route) => (new(route), NLM_F_CREATE | NLM_F_REPLACE),
            Self::Delete(route) => (RouteNetlinkMessage::DelRoute(route.deletion()), 0),
        };
        let mut message = NetlinkMessage::from(message);
        message.header.flags = NLM_F_REQUEST | flags;
        message
    }
}

fn new(route: &Route) -> RouteNetlinkMessage {
    RouteNetlinkMessage::NewRoute(route.message())
}

/// A NETLINK_ROUTE socket for many changes at once.
///
/// The kernel carries a send out before it returns, so that there is nothing to wait for: each
/// call is done when it returns. To await an acknowledgement for each route costs more than twice
/// as much.
#[derive(Debug)]
pub struct Bulk {
    socket: Socket,
}

impl Bulk {
    /// Opens a socket in the namespace of the calling thread.
    pub fn open() -> Result<Self> {
        let open = || -> io::Result<Socket> {
            let mut socket = Socket::new(NETLINK_ROUTE)?;
            socket.bind_auto()?;
            socket.connect(&SocketAddr::new(0, 0))?;
            // Each answer costs 768 bytes of the receive buffer, even though it comes back without
            // the request that caused it: with the default, 277 refusals would fill it.
            socket.set_cap_ack(true)?;
            enlarge(&socket)?;
            Ok(socket)
        };
        let socket = open().map_err(|e| Error::new("open a netlink socket", e.into()))?;
        Ok(Self { socket })
    }

    /// Carries out all changes, in their order, and goes on after one that is refused. Returns those
    /// that were: their places, and the kernel's word for it.
    pub fn routes(&self, requests: &[RouteRequest<'_>]) -> Result<Vec<(usize, Errno)>> {
        let mut refused = Vec::new();
        for (number, chunk) in requests.chunks(AT_ONCE).enumerate() {
            let failed = |e: io::Error| Error::new("change routes in bulk", e.into());
            let answers = self.send(chunk).map_err(failed)?;
            let place = |(at, errno)| (number * AT_ONCE + at, errno);
            refused.extend(answers.into_iter().map(place));
        }
        Ok(refused)
    }

    /// One send. Refusals come back without having been asked for, so the acknowledgement of the
    /// last request alone says that all are done.
    fn send(&self, requests: &[RouteRequest<'_>]) -> io::Result<Vec<(usize, Errno)>> {
        let mut bytes = Vec::with_capacity(requests.len() * 64);
        for (at, request) in requests.iter().enumerate() {
            let mut message = request.message();
            message.header.sequence_number = u32::try_from(at).unwrap_or(u32::MAX);
            if at + 1 == requests.len() {
                message.header.flags |= NLM_F_ACK;
            }
            message.finalize();
            let (begin, length) = (bytes.len(), message.buffer_len());
            bytes.resize(begin + length.next_multiple_of(4), 0);
            message.serialize(&mut bytes[begin..begin + length]);
        }
        self.socket.send(&bytes, 0)?;
        let mut refused = Vec::new();
        loop {
            let (datagram, _) = self.socket.recv_from_full()?;
            let mut rest = &datagram[..];
            while !rest.is_empty() {
                let answer = NetlinkMessage::<RouteNetlinkMessage>::deserialize(rest)
                    .map_err(io::Error::other)?;
                let length = (answer.header.length as usize).next_multiple_of(4);
                rest = rest.get(length..).unwrap_or_default();
                let NetlinkPayload::Error(error) = answer.payload else {
                    continue;
                };
                let at = answer.header.sequence_number as usize;
                if error.raw_code() != 0 {
                    refused.push((at, Errno::from_raw(error.raw_code().abs())));
                }
                if at + 1 == requests.len() {
                    return Ok(refused);
                }
            }
        }
    }
}
