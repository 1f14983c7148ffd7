//! Many routes in one send, and whole tables in few reads.

mod encode;
mod request;

pub use request::RouteRequest;

use std::io;
use std::sync::{Mutex, PoisonError};

use netlink_packet_core::{NLM_F_ACK, NetlinkMessage, NetlinkPayload};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_sys::protocols::NETLINK_ROUTE;
use netlink_sys::{Socket, SocketAddr};
use nix::errno::Errno;

use crate::dump::{dump, receive};
use crate::error::{Cause, Error, Result};
use crate::socket::{enlarge, prepare};
use crate::{Family, Port, Route, RouteFilter};

/// How many requests go in one send. Beyond this the kernel's own work is all that is left.
const AT_ONCE: usize = 512;

/// A NETLINK_ROUTE socket for many routes at once.
///
/// The kernel carries a send out before it returns, and fills a dump while it is read, so that there
/// is nothing to wait for: each call is done when it returns. To await an acknowledgement for each
/// route costs several times as much.
#[derive(Debug)]
pub struct Bulk {
    /// A socket carries one dump at a time (EBUSY in af_netlink.c), and its answers are those to
    /// whoever asked last.
    inner: Mutex<Inner>,
    port: Port,
}

#[derive(Debug)]
struct Inner {
    socket: Socket,
    sequence: u32,
}

impl Bulk {
    /// Opens a socket in the namespace of the calling thread.
    pub fn open() -> Result<Self> {
        let open = || -> io::Result<(Socket, Port)> {
            let mut socket = Socket::new(NETLINK_ROUTE)?;
            let port = Port(socket.bind_auto()?.port_number());
            socket.connect(&SocketAddr::new(0, 0))?;
            // Each answer costs 768 bytes of the receive buffer, even though it comes back without
            // the request that caused it: with the default, 277 refusals would fill it.
            prepare(&socket)?;
            enlarge(&socket)?;
            Ok((socket, port))
        };
        let (socket, port) = open().map_err(|e| Error::new("open a netlink socket", e.into()))?;
        let inner = Mutex::new(Inner {
            socket,
            sequence: 0,
        });
        Ok(Self { inner, port })
    }

    /// The socket's number.
    pub fn port(&self) -> Port {
        self.port
    }

    /// Carries out all changes, in their order, and goes on after one that is refused. Returns those
    /// that were: their places, and the kernel's word for it.
    pub fn change(&self, requests: &[RouteRequest<'_>]) -> Result<Vec<(usize, Errno)>> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let mut refused = Vec::new();
        for (number, chunk) in requests.chunks(AT_ONCE).enumerate() {
            let failed = |cause| Error::new("change routes in bulk", cause);
            let answers = inner.send(chunk).map_err(failed)?;
            let place = |(at, errno)| (number * AT_ONCE + at, errno);
            refused.extend(answers.into_iter().map(place));
        }
        Ok(refused)
    }

    /// `ip route show table …`. A table that does not exist holds no routes.
    pub fn routes(&self, filter: RouteFilter) -> Result<Vec<Route>> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let Inner { socket, sequence } = &mut *inner;
        let request = NetlinkMessage::from(filter.message());
        let read = dump(socket, sequence, &request, |answer| match answer {
            RouteNetlinkMessage::NewRoute(route) => Route::from_message(&route),
            _ => Ok(None),
        });
        // For a family that it has not the kernel tells those of all that it has (`rtnetlink_rcv_msg` in
        // net/core/rtnetlink.c falls back to PF_UNSPEC), as with ipv6.disable=1.
        let of_family = |route: &Route| filter.family == Family::of(route.to.addr());
        let read = read.map(|mut routes: Vec<Route>| {
            routes.retain(of_family);
            routes
        });
        match read {
            Err(Cause::Kernel {
                errno: Errno::ENOENT,
            }) => Ok(Vec::new()),
            read => read.map_err(|cause| Error::new(filter.to_string(), cause)),
        }
    }
}

impl Inner {
    /// One send. Refusals come back without having been asked for, so the acknowledgement of the
    /// last request alone says that all are done.
    fn send(&mut self, requests: &[RouteRequest<'_>]) -> Result<Vec<(usize, Errno)>, Cause> {
        let count = u32::try_from(requests.len()).unwrap_or(u32::MAX);
        let first = self.sequence.wrapping_add(1);
        self.sequence = self.sequence.wrapping_add(count);
        let bytes = encode::requests(requests, first, NLM_F_ACK);
        self.socket.send(&bytes, 0)?;
        let mut refused = Vec::new();
        let mut done = requests.is_empty();
        while !done {
            receive(
                &self.socket,
                |answer: NetlinkMessage<RouteNetlinkMessage>| {
                    // Of an earlier send that failed there may be answers left.
                    let at = answer.header.sequence_number.wrapping_sub(first) as usize;
                    if let NetlinkPayload::Error(error) = answer.payload
                        && at < requests.len()
                    {
                        if error.raw_code() != 0 {
                            refused.push((at, Errno::from_raw(error.raw_code().abs())));
                        }
                        done = at + 1 == requests.len();
                    }
                    Ok(())
                },
            )?;
        }
        Ok(refused)
    }
}
