//! Routes: `ip route`.

use std::fmt;
use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use netlink_packet_core::{NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE};
use netlink_packet_route::route::{
    RouteAddress, RouteAttribute, RouteFlags, RouteMessage, RouteProtocol,
};
pub use netlink_packet_route::route::{RouteScope, RouteType as RouteKind};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use nix::errno::Errno;

use crate::error::{Cause, Error, Result};
use crate::{Flow, IfIndex, Netlink, TableId};

/// IPv4 or IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl Family {
    /// Both.
    pub const BOTH: [Self; 2] = [Self::V4, Self::V6];

    /// An address's family.
    pub fn of(ip: IpAddr) -> Self {
        if ip.is_ipv4() { Self::V4 } else { Self::V6 }
    }

    pub(crate) fn number(self) -> AddressFamily {
        match self {
            Self::V4 => AddressFamily::Inet,
            Self::V6 => AddressFamily::Inet6,
        }
    }
}

/// A route, as far as it is one with at most one next hop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Its destination; `0.0.0.0/0` and `::/0` are the defaults.
    pub to: IpNet,
    /// Its table.
    pub table: TableId,
    /// Its gateway.
    pub gateway: Option<IpAddr>,
    /// The interface by which packets leave.
    pub link: Option<IfIndex>,
    /// Its metric: the lower of two wins. IPv6 turns 0 into 1024.
    pub metric: Option<u32>,
    /// The source address that sockets take which have none.
    pub source: Option<IpAddr>,
    /// Who set it.
    pub protocol: RouteProtocol,
    /// How far its destination is. IPv6 routes always report universe.
    pub scope: RouteScope,
    /// What becomes of a packet.
    pub kind: RouteKind,
    /// The type of service that packets must have (DSCP); 0 for any. Of IPv6 always 0.
    pub tos: u8,
    /// The gateway is taken for a neighbour, though no route says so (`onlink`).
    pub onlink: bool,
    /// It has more than this tells: several gateways, one of the other family, an encapsulation, or a
    /// network that packets must come from.
    pub richer: bool,
}

impl Route {
    /// A unicast route of table main by protocol `boot`, as `ip route add` makes it.
    pub fn new(to: IpNet) -> Self {
        Self {
            to: to.trunc(),
            table: TableId::MAIN,
            gateway: None,
            link: None,
            metric: None,
            source: None,
            protocol: RouteProtocol::Boot,
            scope: RouteScope::Universe,
            kind: RouteKind::Unicast,
            tos: 0,
            onlink: false,
            richer: false,
        }
    }

    /// Leaves by this interface to a neighbour; a route without gateway is of scope link.
    #[must_use]
    pub fn on_link(mut self, link: IfIndex) -> Self {
        self.link = Some(link);
        if self.gateway.is_none() && self.to.addr().is_ipv4() {
            self.scope = RouteScope::Link;
        }
        self
    }

    /// Goes by a gateway.
    #[must_use]
    pub fn via(mut self, gateway: IpAddr) -> Self {
        self.gateway = Some(gateway);
        self.scope = RouteScope::Universe;
        self
    }

    /// A route in this table.
    #[must_use]
    pub fn in_table(mut self, table: TableId) -> Self {
        self.table = table;
        self
    }

    /// A route by which nothing leaves: it refuses, drops, or (`throw`) ends the search in its
    /// table, so that the next rule has its turn.
    #[must_use]
    pub fn of_kind(mut self, kind: RouteKind) -> Self {
        self.kind = kind;
        self
    }

    /// The family of its destination.
    pub fn family(&self) -> Family {
        Family::of(self.to.addr())
    }

    /// What `ip route` writes before the destination of a route that is no plain one.
    pub fn kind_word(&self) -> Option<&'static str> {
        match self.kind {
            RouteKind::Throw => Some("throw"),
            RouteKind::Unreachable => Some("unreachable"),
            RouteKind::Prohibit => Some("prohibit"),
            RouteKind::BlackHole => Some("blackhole"),
            RouteKind::Local => Some("local"),
            _ => None,
        }
    }

    /// Whether nothing leaves by it, whatever the interface.
    pub fn refuses(&self) -> bool {
        matches!(
            self.kind,
            RouteKind::BlackHole | RouteKind::Unreachable | RouteKind::Prohibit | RouteKind::Throw
        )
    }

    /// The metric by which the kernel compares: of IPv6 it turns 0 into 1024 (`IP6_RT_PRIO_USER`).
    pub fn effective_metric(&self) -> u32 {
        match (self.metric.unwrap_or(0), self.family()) {
            (0, Family::V6) => 1024,
            (metric, _) => metric,
        }
    }

    pub(crate) fn message(&self) -> RouteMessage {
        let mut message = RouteMessage::default();
        let header = &mut message.header;
        header.address_family = self.family().number();
        header.destination_prefix_length = self.to.prefix_len();
        header.protocol = self.protocol;
        header.scope = self.scope;
        header.kind = self.kind;
        header.tos = self.tos;
        if self.onlink {
            header.flags |= RouteFlags::Onlink;
        }
        let attributes = &mut message.attributes;
        // There may be 100 000 routes: their lists shall not grow step by step.
        attributes.reserve(4);
        if self.to.prefix_len() > 0 {
            attributes.push(RouteAttribute::Destination(self.to.addr().into()));
        }
        attributes.push(RouteAttribute::Table(self.table.0));
        if let Some(gateway) = self.gateway {
            attributes.push(RouteAttribute::Gateway(gateway.into()));
        }
        if let Some(link) = self.link {
            attributes.push(RouteAttribute::Oif(link.get()));
        }
        if let Some(metric) = self.metric {
            attributes.push(RouteAttribute::Priority(metric));
        }
        if let Some(source) = self.source {
            attributes.push(RouteAttribute::PrefSource(source.into()));
        }
        message
    }

    /// What deletes it. A request without metric stands for any, and of IPv6 it looks neither at the
    /// kind nor, where there is none, at the interface (`ip6_route_del` in net/ipv6/route.c): so
    /// the metric is always told. Of IPv4 no request can ask for metric 0 alone; but that comes
    /// first (`fib_nh_match` in net/ipv4/fib_semantics.c).
    pub(crate) fn deletion(&self) -> RouteMessage {
        let metric = self.effective_metric();
        let metric = (metric != 0).then_some(metric);
        let exact = Self {
            metric,
            ..self.clone()
        };
        exact.message()
    }

    /// None for routes that are no plain unicast, blackhole or local ones, such as cached ones.
    pub(crate) fn from_message(message: &RouteMessage) -> Result<Option<Self>, Cause> {
        let unspecified = match message.header.address_family {
            AddressFamily::Inet => IpNet::V4(Ipv4Net::default()),
            AddressFamily::Inet6 => IpNet::V6(Ipv6Net::default()),
            _ => return Ok(None),
        };
        let mut to = unspecified.addr();
        let mut route = Self::new(unspecified);
        route.table = TableId(message.header.table.into());
        route.protocol = message.header.protocol;
        route.scope = message.header.scope;
        route.kind = message.header.kind;
        route.tos = message.header.tos;
        route.onlink = message.header.flags.contains(RouteFlags::Onlink);
        route.richer = message.header.source_prefix_length > 0;
        for attribute in &message.attributes {
            match attribute {
                RouteAttribute::Destination(address) => to = ip(address)?,
                RouteAttribute::Table(table) => route.table = TableId(*table),
                RouteAttribute::Gateway(address) => route.gateway = Some(ip(address)?),
                RouteAttribute::Oif(index) => route.link = IfIndex::new(*index),
                RouteAttribute::Priority(metric) => route.metric = Some(*metric),
                RouteAttribute::PrefSource(address) => route.source = Some(ip(address)?),
                RouteAttribute::MultiPath(_)
                | RouteAttribute::Via(_)
                | RouteAttribute::Encap(_) => route.richer = true,
                _ => {}
            }
        }
        // IPv6 shows the loopback device on each route that refuses (`fib6_nh_init`).
        if route.refuses() {
            route.link = None;
        }
        route.to = IpNet::new(to, message.header.destination_prefix_length)
            .map_err(|e| Cause::Malformed(e.to_string()))?;
        Ok(Some(route))
    }
}

fn ip(address: &RouteAddress) -> Result<IpAddr, Cause> {
    match address {
        RouteAddress::Inet(ip) => Ok((*ip).into()),
        RouteAddress::Inet6(ip) => Ok((*ip).into()),
        other => Err(Cause::Malformed(format!("{other:?} is no IP address"))),
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(kind) = self.kind_word() {
            write!(f, "{kind} ")?;
        }
        write!(f, "{}", self.to)?;
        if let Some(gateway) = self.gateway {
            write!(f, " via {gateway}")?;
        }
        if let Some(link) = self.link {
            write!(f, " (index {link})")?;
        }
        if let Some(metric) = self.metric {
            write!(f, " metric {metric}")?;
        }
        if self.table != TableId::MAIN {
            write!(f, " table {}", self.table)?;
        }
        Ok(())
    }
}

/// Which routes a dump gives; the kernel does the choosing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RouteFilter {
    /// Of this family.
    pub family: Family,
    /// Of this table; of all where none.
    pub table: Option<TableId>,
}

impl RouteFilter {
    pub(crate) fn message(self) -> RouteNetlinkMessage {
        let mut message = RouteMessage::default();
        message.header.address_family = self.family.number();
        if let Some(table) = self.table {
            message.attributes.push(RouteAttribute::Table(table.0));
        }
        RouteNetlinkMessage::GetRoute(message)
    }
}

impl fmt::Display for RouteFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let command = match self.family {
            Family::V4 => "ip route",
            Family::V6 => "ip -6 route",
        };
        match self.table {
            Some(table) => write!(f, "{command} show table {table}"),
            None => write!(f, "{command} show table all"),
        }
    }
}

impl Netlink {
    /// `ip route show table …`. A table that does not exist holds no routes.
    pub async fn routes(&self, filter: RouteFilter) -> Result<Vec<Route>> {
        let operation = || filter.to_string();
        let answers = match self.dump(operation, filter.message()).await {
            Err(error) if error.errno() == Some(Errno::ENOENT) => return Ok(Vec::new()),
            answers => answers?,
        };
        answers
            .iter()
            .filter_map(|answer| match answer {
                RouteNetlinkMessage::NewRoute(message) => Route::from_message(message).transpose(),
                _ => None,
            })
            .collect::<Result<_, Cause>>()
            .map_err(|cause| Error::new(operation(), cause))
    }

    /// `ip route get`: the route that a packet takes; none where there is no way, with the kernel's
    /// word for it.
    pub async fn lookup(&self, flow: &Flow) -> Result<Result<Route, Errno>> {
        let operation = || format!("ip route get {flow}");
        let answer = self
            .get(operation, RouteNetlinkMessage::GetRoute(flow.message()))
            .await;
        match answer {
            Ok(RouteNetlinkMessage::NewRoute(message)) => {
                let route = Route::from_message(&message).and_then(|route| {
                    route.ok_or_else(|| Cause::Malformed("a route of no known family".into()))
                });
                route
                    .map(Ok)
                    .map_err(|cause| Error::new(operation(), cause))
            }
            Ok(_) => Err(Error::new(operation(), Cause::NoAnswer)),
            Err(error) => match error.errno() {
                Some(errno) => Ok(Err(errno)),
                None => Err(error),
            },
        }
    }

    /// `ip route add`; refused with EEXIST where prefix and metric are taken.
    pub async fn add_route(&self, route: &Route) -> Result<()> {
        self.new_route("add", route, NLM_F_EXCL).await
    }

    /// `ip route replace`: takes the place of the route with the same prefix and metric, whoever
    /// set it.
    pub async fn replace_route(&self, route: &Route) -> Result<()> {
        self.new_route("replace", route, NLM_F_REPLACE).await
    }

    async fn new_route(&self, verb: &str, route: &Route, flags: u16) -> Result<()> {
        self.change(
            || format!("ip route {verb} {route}"),
            RouteNetlinkMessage::NewRoute(route.message()),
            NLM_F_CREATE | flags,
        )
        .await
    }

    /// `ip route del`; refused with ESRCH where there is none.
    pub async fn delete_route(&self, route: &Route) -> Result<()> {
        self.change(
            || format!("ip route del {route}"),
            RouteNetlinkMessage::DelRoute(route.deletion()),
            0,
        )
        .await
    }
}

#[cfg(test)]
mod tests {
    use netlink_packet_route::route::{RouteNextHop, RouteVia};

    use super::*;

    #[test]
    fn what_it_does_not_tell_shows() {
        let plain = Route::new("10.9.0.0/16".parse().unwrap());
        let read = |more: Option<RouteAttribute>| {
            let mut message = plain.message();
            message.attributes.extend(more);
            Route::from_message(&message).unwrap().unwrap().richer
        };
        assert!(!read(None));
        let hops = vec![RouteNextHop::default(), RouteNextHop::default()];
        assert!(read(Some(RouteAttribute::MultiPath(hops))));
        let via = RouteVia::Inet6(std::net::Ipv6Addr::LOCALHOST);
        assert!(read(Some(RouteAttribute::Via(via))));
        assert!(read(Some(RouteAttribute::Encap(vec![]))));
        let mut message = plain.message();
        message.header.source_prefix_length = 64;
        assert!(Route::from_message(&message).unwrap().unwrap().richer);
    }
}
