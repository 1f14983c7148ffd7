//! Packets, as far as the choice of a route looks at them.

use std::fmt;
use std::net::IpAddr;

use netlink_packet_route::route::{RouteAttribute, RouteFlags, RouteMessage};

use crate::rule::protocol_name;
use crate::{Family, Fwmark, IfIndex, IpProtocol};

/// What the kernel looks at when it chooses a route for a packet of this host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flow {
    /// Where the packet goes.
    pub to: IpAddr,
    /// Its source; none as long as the socket has none and the route is to give it one.
    pub from: Option<IpAddr>,
    /// Its mark.
    pub mark: Fwmark,
    /// The interface that its socket is bound to (SO_BINDTODEVICE).
    pub bound_to: Option<IfIndex>,
    /// The interface by which it came in, where it is not of this host; it has a source then.
    pub came_in: Option<IfIndex>,
    /// Its protocol above IP and the port that it goes to; none where no rule shall choose by them.
    pub port: Option<(IpProtocol, u16)>,
    /// The user whose socket it is of, as this process's user namespace has it. Without one no rule
    /// by users is held against it here, and the kernel takes it for one of whoever asks.
    pub user: Option<u32>,
}

impl Flow {
    /// A packet of an unmarked socket without source.
    pub fn to(to: IpAddr) -> Self {
        Self {
            to,
            from: None,
            mark: Fwmark(0),
            bound_to: None,
            came_in: None,
            port: None,
            user: None,
        }
    }

    /// With this mark.
    #[must_use]
    pub fn marked(mut self, mark: Fwmark) -> Self {
        self.mark = mark;
        self
    }

    /// From this address.
    #[must_use]
    pub fn sent_from(mut self, from: IpAddr) -> Self {
        self.from = Some(from);
        self
    }

    /// Of a socket that is bound to this interface.
    #[must_use]
    pub fn bound_to(mut self, link: IfIndex) -> Self {
        self.bound_to = Some(link);
        self
    }

    /// Came in by this interface, from this address, to be sent on. For the kernel it is root's
    /// (`ip_route_input_slow` in net/ipv4/route.c, `ip6_route_input` in net/ipv6/route.c).
    #[must_use]
    pub fn came_in(mut self, from: IpAddr, link: IfIndex) -> Self {
        self.from = Some(from);
        self.came_in = Some(link);
        self.user = Some(0);
        self
    }

    /// Of a socket of this user.
    #[must_use]
    pub fn of_user(mut self, user: u32) -> Self {
        self.user = Some(user);
        self
    }

    /// To this port.
    #[must_use]
    pub fn to_port(mut self, protocol: IpProtocol, port: u16) -> Self {
        self.port = Some((protocol, port));
        self
    }

    pub(crate) fn message(&self) -> RouteMessage {
        let mut message = RouteMessage::default();
        let header = &mut message.header;
        header.address_family = Family::of(self.to).number();
        let length = |ip: IpAddr| if ip.is_ipv4() { 32 } else { 128 };
        header.destination_prefix_length = length(self.to);
        if self.to.is_ipv4() {
            // Without it the answer says "main", whatever the table. IPv6 always tells, and refuses
            // to be asked (`inet6_rtm_valid_getroute_req` in net/ipv6/route.c).
            header.flags = RouteFlags::LookupTable;
        }
        let attributes = &mut message.attributes;
        attributes.push(RouteAttribute::Destination(self.to.into()));
        if let Some(from) = self.from {
            header.source_prefix_length = length(from);
            attributes.push(RouteAttribute::Source(from.into()));
        }
        if self.mark != Fwmark(0) {
            attributes.push(RouteAttribute::Mark(self.mark.0));
        }
        if let Some(link) = self.bound_to {
            attributes.push(RouteAttribute::Oif(link.get()));
        }
        if let Some(link) = self.came_in {
            attributes.push(RouteAttribute::Iif(link.get()));
        }
        if let Some((protocol, port)) = self.port {
            attributes.push(RouteAttribute::IpProto(protocol.into()));
            attributes.push(RouteAttribute::Dport(port));
        }
        if let Some(user) = self.user {
            attributes.push(RouteAttribute::Uid(user));
        }
        message
    }
}

impl fmt::Display for Flow {
    /// As `ip route get` takes it, but for the interface, which is a number here.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to.fmt(f)?;
        if let Some(from) = self.from {
            write!(f, " from {from}")?;
        }
        if self.mark != Fwmark(0) {
            write!(f, " mark {}", self.mark)?;
        }
        if let Some((protocol, port)) = self.port {
            let protocol = protocol_name(protocol);
            write!(f, " ipproto {protocol} dport {port}")?;
        }
        if let Some(link) = self.bound_to {
            write!(f, " oif (index {link})")?;
        }
        match (self.came_in, self.user) {
            (Some(link), _) => write!(f, " iif (index {link})"),
            (None, Some(user)) => write!(f, " uid {user}"),
            (None, None) => Ok(()),
        }
    }
}
