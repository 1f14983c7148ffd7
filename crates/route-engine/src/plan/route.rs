//! A route of a plan.

use std::net::IpAddr;

use fps_netlink::{
    FPS_ROUTE_PROTOCOL, Family, Link, LinkName, Route, RouteKind, RouteScope, TableId,
};

use super::operation::Word::{self, Name, Plain};
use crate::{Bypass, Destination};

/// A route of a plan: with an interface's name where the kernel has its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedRoute {
    /// Its destination.
    pub to: Destination,
    /// Its gateway; a route into the tunnel has none.
    pub via: Option<IpAddr>,
    /// The device by which packets leave. None leaves by a route without: it only ends the search in
    /// its table, which goes on with the next rule (`throw`).
    pub device: Option<LinkName>,
    /// The source that sockets take which have none.
    pub source: Option<IpAddr>,
    /// Its metric.
    pub metric: Option<u32>,
    /// What it takes stays on this host (`local`), whatever the device.
    pub local: bool,
    /// The type of service that packets must have; 0 for any.
    pub tos: u8,
    /// The gateway is taken for a neighbour, though no route says so.
    pub onlink: bool,
    /// Its table.
    pub table: TableId,
}

impl PlannedRoute {
    /// A route by a device.
    pub(crate) fn into(device: LinkName, to: Destination, table: TableId) -> Self {
        Self {
            to,
            via: None,
            device: Some(device),
            source: None,
            metric: None,
            local: false,
            tos: 0,
            onlink: false,
            table,
        }
    }

    /// What keeps on the host all packets of sockets that are bound to a device. Each has a metric of
    /// its own, by the device's number, so that each comes and goes by itself.
    pub(crate) fn kept(device: &Link, table: TableId) -> Self {
        Self {
            metric: Some(device.index.get()),
            local: true,
            ..Self::into(device.name, Destination::everything(Family::V4), table)
        }
    }

    /// A bypass in a table.
    pub(crate) fn bypass(bypass: &Bypass, table: TableId) -> Self {
        Self {
            via: Some(bypass.via),
            ..Self::into(bypass.device, bypass.to, table)
        }
    }

    /// What is not looked for in a table, but by the rules behind.
    pub(crate) fn throw(to: Destination, table: TableId) -> Self {
        Self {
            to,
            via: None,
            device: None,
            source: None,
            metric: None,
            local: false,
            tos: 0,
            onlink: false,
            table,
        }
    }

    /// What takes over where a bypass is gone: with its link the kernel drops the route, and what is
    /// left would lead into the tunnel. Its metric is the worst that there is.
    pub(crate) fn fallback(bypass: &Bypass, table: TableId) -> Self {
        Self {
            metric: Some(u32::MAX),
            ..Self::throw(bypass.to, table)
        }
    }

    /// A route of the kernel; none where its interface is unknown.
    pub(crate) fn of(route: &Route, links: &[Link]) -> Option<Self> {
        let device = match route.link {
            Some(index) => Some(links.iter().find(|link| link.index == index)?.name),
            None => None,
        };
        Some(Self {
            to: Destination::from(route.to),
            via: route.gateway,
            device,
            source: route.source,
            metric: route.metric,
            local: route.kind == RouteKind::Local,
            tos: route.tos,
            onlink: route.onlink,
            table: route.table,
        })
    }

    /// As the kernel takes it, with our protocol on it; none where there is no such device.
    pub(crate) fn for_kernel(&self, links: &[Link]) -> Result<Route, LinkName> {
        let mut route = Route::new(self.to.net());
        if let Some(via) = self.via {
            route = route.via(via);
        }
        route = match self.device {
            Some(device) => {
                let link = links.iter().find(|link| link.name == device);
                route.on_link(link.ok_or(device)?.index)
            }
            None => route.of_kind(RouteKind::Throw),
        };
        if self.local {
            // As `ip route` sets it for such a route.
            route = route.of_kind(RouteKind::Local);
            route.scope = RouteScope::Host;
        }
        route.protocol = FPS_ROUTE_PROTOCOL;
        (route.source, route.metric, route.table) = (self.source, self.metric, self.table);
        (route.tos, route.onlink) = (self.tos, self.onlink);
        Ok(route)
    }

    /// What follows `ip route replace`.
    pub(super) fn each_word(&self, put: &mut dyn FnMut(Word<'_>)) {
        if self.device.is_none() {
            put(Plain(&"throw"));
        }
        if self.local {
            put(Plain(&"local"));
        }
        if self.table != TableId::MAIN && self.to.net().prefix_len() == 0 {
            put(Plain(&"default"));
        } else {
            put(Plain(&self.to));
        }
        if self.tos != 0 {
            put(Plain(&"tos"));
            put(Plain(&self.tos));
        }
        if let Some(via) = &self.via {
            put(Plain(&"via"));
            put(Plain(via));
        }
        if let Some(device) = &self.device {
            put(Plain(&"dev"));
            put(Name(device.as_str()));
        }
        if self.onlink {
            put(Plain(&"onlink"));
        }
        if let Some(source) = &self.source {
            put(Plain(&"src"));
            put(Plain(source));
        }
        if let Some(metric) = &self.metric {
            put(Plain(&"metric"));
            put(Plain(metric));
        }
        if self.table != TableId::MAIN {
            put(Plain(&"table"));
            put(Plain(&self.table));
        }
    }
}
