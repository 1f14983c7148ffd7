//! What changed, as the kernel tells it.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::os::fd::OwnedFd;

use netlink_packet_core::{NetlinkMessage, NetlinkPayload};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_sys::{AsyncSocket, AsyncSocketExt, SocketAddr, TokioSocket};
use nix::errno::Errno;

use crate::error::{Cause, Error, Result};
use crate::{Address, Link, Port, Route, socket};

/// A multicast group of rtnetlink(7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Interfaces.
    Link = 1,
    /// IPv4 addresses.
    AddressV4 = 5,
    /// IPv4 routes.
    RouteV4 = 7,
    /// IPv4 rules.
    RuleV4 = 8,
    /// IPv6 addresses.
    AddressV6 = 9,
    /// IPv6 routes.
    RouteV6 = 11,
    /// IPv6 rules.
    RuleV6 = 19,
}

impl Group {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Link,
        Self::AddressV4,
        Self::RouteV4,
        Self::RuleV4,
        Self::AddressV6,
        Self::RouteV6,
        Self::RuleV6,
    ];
}

/// Something that changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// An interface is new or other than it was.
    Link(Link),
    /// An interface is gone.
    LinkGone(Link),
    /// An address is new or other than it was.
    Address(Address),
    /// An address is gone.
    AddressGone(Address),
    /// A route is new or other than it was.
    Route(Route),
    /// A route is gone, or is about to: [`Netlink::settle`](crate::Netlink::settle) waits until it is. Of
    /// IPv4 routes that went with their interface there is no event.
    RouteGone(Route),
    /// A rule came or went.
    Rule,
    /// The kernel dropped events, since the buffer was full: read everything again.
    Overrun,
}

/// A subscription. What happens after [`Events::subscribe`] returns is not missed.
pub struct Events {
    socket: TokioSocket,
    /// What the last datagram told beyond the first event.
    told: VecDeque<Event>,
    /// The sockets whose changes are not told.
    ignored: Vec<Port>,
}

impl Events {
    /// Subscribes in the namespace of the calling thread.
    pub fn subscribe(groups: &[Group]) -> Result<Self> {
        let socket = socket::open().map_err(|e| Error::new("open a netlink socket", e.into()))?;
        Self::from_socket(socket, groups)
    }

    /// Subscribes with a NETLINK_ROUTE socket that was made elsewhere.
    pub fn from_socket(socket: OwnedFd, groups: &[Group]) -> Result<Self> {
        Ok(Self {
            socket: subscribe(socket, groups)?,
            told: VecDeque::new(),
            ignored: Vec::new(),
        })
    }

    /// Tells no more what these sockets of ours change. What the kernel changes in consequence is
    /// told.
    #[must_use]
    pub fn ignoring(mut self, ports: &[Port]) -> Self {
        self.ignored = ports.to_vec();
        self
    }

    /// The next event. After an error there are no more.
    pub async fn next(&mut self) -> Result<Event> {
        loop {
            if let Some(event) = self.told.pop_front() {
                return Ok(event);
            }
            let read = self.socket.recv_from_full().await;
            self.hear(read.map(|(datagram, _)| datagram))?;
        }
    }

    /// The next event of those that the kernel has told already.
    pub fn next_at_hand(&mut self) -> Result<Option<Event>> {
        while self.told.is_empty() {
            // The descriptor does not block. Asked directly, since the runtime learns that there is
            // something to read only when it waits.
            match self.socket.socket_ref().recv_from_full() {
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
                read => self.hear(read.map(|(datagram, _)| datagram))?,
            }
        }
        Ok(self.told.pop_front())
    }

    fn hear(&mut self, read: io::Result<Vec<u8>>) -> Result<()> {
        match read {
            Ok(datagram) => self.told.extend(understand(&datagram, &self.ignored)),
            // The socket lives on: so the kernel says that it has dropped something (netlink(7)).
            Err(error) if error.raw_os_error() == Some(Errno::ENOBUFS as i32) => {
                self.told.push_back(Event::Overrun);
            }
            Err(error) => return Err(Error::new("read netlink events", error.into())),
        }
        Ok(())
    }
}

/// Has a socket hear of these.
pub(crate) fn subscribe(socket: OwnedFd, groups: &[Group]) -> Result<TokioSocket> {
    let subscribe = |e: io::Error| Error::new("subscribe to netlink events", e.into());
    let mut socket = socket::adopt(socket).map_err(subscribe)?;
    let mask = groups
        .iter()
        .fold(0, |mask, group| mask | 1 << (*group as u32 - 1));
    let address = SocketAddr::new(0, mask);
    socket.socket_mut().bind(&address).map_err(subscribe)?;
    Ok(socket)
}

/// The events of a datagram. What cannot be read is a change all the same: as after an overrun,
/// only to read everything again tells what it was.
fn understand(datagram: &[u8], ignored: &[Port]) -> Vec<Event> {
    let mut rest = datagram;
    let mut events = Vec::new();
    while !rest.is_empty() {
        let Ok(message) = NetlinkMessage::<RouteNetlinkMessage>::deserialize(rest) else {
            events.push(Event::Overrun);
            break;
        };
        // Messages begin at multiples of four bytes (NLMSG_ALIGN).
        let length = (message.header.length as usize).next_multiple_of(4);
        rest = rest.get(length..).unwrap_or_default();
        // Who asked for the change; 0 where the kernel made it by itself.
        if ignored.contains(&Port(message.header.port_number)) {
            continue;
        }
        match message.payload {
            NetlinkPayload::InnerMessage(message) => {
                events.extend(event(&message).unwrap_or(Some(Event::Overrun)));
            }
            NetlinkPayload::Overrun(_) => events.push(Event::Overrun),
            _ => {}
        }
    }
    events
}

fn event(message: &RouteNetlinkMessage) -> Result<Option<Event>, Cause> {
    Ok(match message {
        RouteNetlinkMessage::NewLink(link) => Some(Event::Link(Link::from_message(link)?)),
        RouteNetlinkMessage::DelLink(link) => Some(Event::LinkGone(Link::from_message(link)?)),
        RouteNetlinkMessage::NewAddress(address) => {
            Some(Event::Address(Address::from_message(address)?))
        }
        RouteNetlinkMessage::DelAddress(address) => {
            Some(Event::AddressGone(Address::from_message(address)?))
        }
        RouteNetlinkMessage::NewRoute(route) => Route::from_message(route)?.map(Event::Route),
        RouteNetlinkMessage::DelRoute(route) => Route::from_message(route)?.map(Event::RouteGone),
        RouteNetlinkMessage::NewRule(_) | RouteNetlinkMessage::DelRule(_) => Some(Event::Rule),
        _ => None,
    })
}
