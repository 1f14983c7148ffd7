//! What changed, as the kernel tells it.

use std::os::fd::OwnedFd;

use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use netlink_packet_core::NetlinkPayload;
use netlink_packet_route::RouteNetlinkMessage;
use netlink_sys::{AsyncSocket, SocketAddr};
use tokio::task::JoinHandle;

use crate::error::{Error, Result};
use crate::link::Link;
use crate::socket;

/// A multicast group of rtnetlink(7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Interfaces.
    Link = 1,
    /// IPv4 addresses.
    AddressV4 = 5,
    /// IPv4 routes.
    RouteV4 = 7,
    /// IPv6 addresses.
    AddressV6 = 9,
    /// IPv6 routes.
    RouteV6 = 11,
}

/// Something that changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// An interface is new or other than it was.
    Link(Link),
    /// An interface is gone.
    LinkGone(Link),
    /// An address came, changed or went: read them again.
    Address,
    /// A route came, changed or went: read them again.
    Route,
    /// The kernel dropped events, since the buffer was full: read everything again.
    Overrun,
}

/// A subscription. What happens after [`Events::subscribe`] returns is not missed.
pub struct Events {
    messages: BoxStream<'static, Option<Event>>,
    connection: JoinHandle<()>,
}

impl Events {
    /// Subscribes in the namespace of the calling thread.
    pub fn subscribe(groups: &[Group]) -> Result<Self> {
        let socket = socket::open().map_err(|e| Error::new("open a netlink socket", e.into()))?;
        Self::from_socket(socket, groups)
    }

    /// Subscribes with a NETLINK_ROUTE socket that was made elsewhere.
    pub fn from_socket(socket: OwnedFd, groups: &[Group]) -> Result<Self> {
        let subscribe = |e: std::io::Error| Error::new("subscribe to netlink events", e.into());
        let mut socket = socket::adopt(socket).map_err(subscribe)?;
        let mask = groups
            .iter()
            .fold(0, |mask, group| mask | 1 << (*group as u32 - 1));
        socket
            .socket_mut()
            .bind(&SocketAddr::new(0, mask))
            .map_err(subscribe)?;
        let (connection, _handle, messages) = rtnetlink::from_socket(socket);
        Ok(Self {
            messages: messages
                .map(|(message, _)| understand(message.payload))
                .boxed(),
            connection: tokio::spawn(connection),
        })
    }

    /// The next event; none once the socket has failed, which a full receive buffer (ENOBUFS)
    /// counts as: subscribe anew and read everything again.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.messages.next().await? {
                return Some(event);
            }
        }
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        self.connection.abort();
    }
}

fn understand(payload: NetlinkPayload<RouteNetlinkMessage>) -> Option<Event> {
    match payload {
        NetlinkPayload::InnerMessage(message) => match message {
            RouteNetlinkMessage::NewLink(link) => Link::from_message(&link).ok().map(Event::Link),
            RouteNetlinkMessage::DelLink(link) => {
                Link::from_message(&link).ok().map(Event::LinkGone)
            }
            RouteNetlinkMessage::NewAddress(_) | RouteNetlinkMessage::DelAddress(_) => {
                Some(Event::Address)
            }
            RouteNetlinkMessage::NewRoute(_) | RouteNetlinkMessage::DelRoute(_) => {
                Some(Event::Route)
            }
            _ => None,
        },
        NetlinkPayload::Overrun(_) => Some(Event::Overrun),
        _ => None,
    }
}
