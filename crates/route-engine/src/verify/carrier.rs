//! Which way the carrier takes, as the kernel says.

use std::net::IpAddr;

use fps_netlink::{
    Flow, Fwmark, IfIndex, IpProtocol, Netlink, Route, TcpSocket, TcpSockets, Verdict,
};

use super::Finding;
use super::finding::Kind;
use super::reverse_path;
use crate::{Endpoint, Error, Intent, KernelState};

/// Findings about each endpoint: the way of a socket with the carrier's mark, and of those that are
/// connected already, with their own.
pub(super) async fn findings(
    intent: &Intent,
    state: &KernelState,
    netlink: &Netlink,
) -> Result<Vec<Finding>, Error> {
    let sockets = TcpSockets::open().and_then(|mut sockets| sockets.read());
    let sockets = sockets.map_err(Error::Netlink)?;
    let look = Look {
        intent,
        state,
        netlink,
        tun: state.link(intent.tun()).map(|link| link.index),
    };
    let mut findings = Vec::new();
    let endpoints = endpoints(intent);
    for endpoint in &endpoints {
        findings.push(look.wanted(*endpoint).await?);
        let connected = |socket: &&TcpSocket| {
            let port = endpoint.port.is_none_or(|port| port == socket.peer.port());
            socket.peer.ip() == endpoint.address && port
        };
        for socket in sockets.iter().filter(connected) {
            findings.push(look.connected(socket).await?);
        }
        findings.extend(look.replies(*endpoint).await?);
    }
    if endpoints.is_empty() {
        findings.extend(look.replies_anywhere());
        findings.extend(unnamed(intent));
    }
    Ok(findings)
}

/// Where the carrier connects to: what is named as such, and what a bypass is for that is for one host.
fn endpoints(intent: &Intent) -> Vec<Endpoint> {
    let mut endpoints = intent.endpoints().to_vec();
    let bypasses = intent.full_tunnel().into_iter();
    let nets = bypasses.flat_map(|full| &full.bypasses);
    let nets = nets.map(|bypass| bypass.to.net());
    let hosts = nets.filter(|net| net.prefix_len() == net.max_prefix_len());
    for address in hosts.map(|net| net.addr()) {
        if !endpoints.iter().any(|known| known.address == address) {
            let port = None;
            endpoints.push(Endpoint { address, port });
        }
    }
    endpoints
}

/// A full tunnel that does not say where its carrier connects to.
fn unnamed(intent: &Intent) -> Option<Finding> {
    intent.full_tunnel()?;
    Some(
        Kind::Warning
            .of("the carrier's way is not looked at: no --endpoint says where it connects to"),
    )
}

struct Look<'a> {
    intent: &'a Intent,
    state: &'a KernelState,
    netlink: &'a Netlink,
    tun: Option<IfIndex>,
}

impl Look<'_> {
    /// The way of a socket that is about to connect. It has no source yet; then it has the one that
    /// the route gives it, with which the kernel looks once more (`ip_route_connect`).
    async fn way(&self, flow: Flow) -> Result<Result<(Flow, Route), String>, Error> {
        let lookup = |flow: Flow| async move {
            let route = self.netlink.lookup(&flow).await.map_err(Error::Netlink)?;
            Ok::<_, Error>(route.map_err(|errno| errno.desc().to_lowercase()))
        };
        let first = match lookup(flow).await? {
            Err(refused) => return Ok(Err(refused)),
            Ok(route) => route,
        };
        match first.source {
            Some(source) if flow.from.is_none() && !self.is_tun(&first) => {
                let flow = flow.sent_from(source);
                Ok(lookup(flow).await?.map(|route| (flow, route)))
            }
            _ => Ok(Ok((flow, first))),
        }
    }

    fn is_tun(&self, route: &Route) -> bool {
        self.tun.is_some() && route.link == self.tun
    }

    async fn wanted(&self, endpoint: Endpoint) -> Result<Finding, Error> {
        let mark = self.intent.carrier_mark();
        let flow = to(endpoint).marked(mark);
        let whose = format!("the carrier to {endpoint}{}", with_mark(mark));
        Ok(self.finding(&whose, self.way(flow).await?))
    }

    async fn connected(&self, socket: &TcpSocket) -> Result<Finding, Error> {
        let mark = match socket.mark {
            Some(mark) => with_mark(mark),
            None => ", with a mark that only CAP_NET_ADMIN may know".to_owned(),
        };
        let whose = format!("the connection {} to {}{mark}", socket.local, socket.peer);
        Ok(self.finding(&whose, self.way(socket.flow()).await?))
    }

    fn finding(&self, whose: &str, way: Result<(Flow, Route), String>) -> Finding {
        let (flow, route) = match way {
            Ok(way) => way,
            Err(refused) => return Kind::Warning.of(format!("{whose} has no way: {refused}")),
        };
        if self.is_tun(&route) {
            let because = self.because(&flow);
            return Kind::CarrierLoop
                .of(format!("{whose} goes into {}{because}", self.intent.tun()));
        }
        let by = route
            .link
            .map_or_else(|| "nothing".to_owned(), |link| self.state.name(link));
        let via = route
            .gateway
            .map_or_else(String::new, |gateway| format!(" via {gateway}"));
        Kind::Fine.of(format!(
            "{whose} leaves by {by}{via} (table {})",
            route.table
        ))
    }

    /// The rule and the route that decide.
    fn because(&self, flow: &Flow) -> String {
        match self.state.fib().lookup(flow) {
            Verdict::Leaves { rule, route } => {
                format!(": rule `{rule}`, route `{}`", self.state.describe(route))
            }
            _ => String::new(),
        }
    }

    /// Whether the replies of an endpoint are let in.
    async fn replies(&self, endpoint: Endpoint) -> Result<Option<Finding>, Error> {
        let IpAddr::V4(_) = endpoint.address else {
            return Ok(None);
        };
        let flow = to(endpoint).marked(self.intent.carrier_mark());
        let Ok((flow, route)) = self.way(flow).await? else {
            return Ok(None);
        };
        let Some(device) = route.link.filter(|_| !self.is_tun(&route)) else {
            return Ok(None);
        };
        let device = self.state.name(device);
        if !reverse_path::is_strict(&device) {
            return Ok(None);
        }
        // The kernel looks for the way back without a mark, or with that of the packet, which came
        // in without one.
        let back = self.way(flow.marked(Fwmark(0))).await?;
        let lost = !matches!(&back, Ok((_, back)) if back.link == route.link);
        Ok(lost.then(|| reverse_path::warning(&endpoint.to_string(), &device)))
    }

    /// The same where no endpoint is named, for the default route.
    fn replies_anywhere(&self) -> Option<Finding> {
        let full = self.intent.full_tunnel()?;
        if full.carrier_mark() == Fwmark(0) || !full.bypasses.is_empty() {
            return None;
        }
        let default = self.state.routes.iter().find(|route| {
            let main = route.table == fps_netlink::TableId::MAIN;
            main && route.to.prefix_len() == 0 && route.to.addr().is_ipv4()
        })?;
        let device = self.state.name(default.link?);
        let strict = reverse_path::is_strict(&device);
        strict.then(|| reverse_path::warning("the carrier's far end", &device))
    }
}

/// A packet of the carrier's.
fn to(endpoint: Endpoint) -> Flow {
    let flow = Flow::to(endpoint.address);
    match endpoint.port {
        Some(port) => flow.to_port(IpProtocol::Tcp, port),
        None => flow,
    }
}

fn with_mark(mark: Fwmark) -> String {
    match mark {
        Fwmark(0) => String::new(),
        mark => format!(", with mark {mark}"),
    }
}
