//! A packet that somebody asks about, and the way that it takes.

use std::net::IpAddr;

use fps_netlink::{Flow, Fwmark, IpProtocol, LinkName, Route, RouteKind, Verdict};

use super::Tables;

/// What somebody wants to know: where such a packet goes.
#[derive(Clone, Debug)]
pub struct Query {
    /// Where it is to go.
    pub to: IpAddr,
    /// Its source; without one it is a packet of a socket that has none.
    pub from: Option<IpAddr>,
    /// Its mark.
    pub mark: Option<Fwmark>,
    /// The link by which it comes in, where it is not the host's own.
    pub came_in: Option<LinkName>,
    /// Its protocol, and the port that it goes to.
    pub port: Option<(IpProtocol, u16)>,
    /// Whose socket it is of.
    pub user: Option<u32>,
}

impl Query {
    /// As the lookup takes it, with the links of a host; or what is wrong with it there.
    pub fn flow(&self, tables: &Tables) -> Result<Flow, String> {
        if let Some(from) = self.from.filter(|from| from.is_ipv4() != self.to.is_ipv4()) {
            return Err(format!("{from} is of another family than {}", self.to));
        }
        let mut flow = Flow::to(self.to);
        flow.from = self.from;
        flow.mark = self.mark.unwrap_or(Fwmark(0));
        flow.port = self.port;
        flow.user = self.user;
        if let Some(name) = &self.came_in {
            let Some(link) = tables.named(name) else {
                let names: Vec<String> =
                    tables.links.iter().map(|it| it.name.to_string()).collect();
                return Err(format!(
                    "there is no link {name}; there are: {}",
                    names.join(", ")
                ));
            };
            let from = self
                .from
                .ok_or("a packet that comes in has a source: add --from")?;
            flow = flow.came_in(from, link.index);
        }
        Ok(flow)
    }
}

/// Whether the kernel leaves the gateway of a route out (`__mkroute_output` in net/ipv4/route.c): for a
/// broadcast, and for a multicast group by a route for more than groups.
fn goes_past_gateways(to: IpAddr, route: &Route) -> bool {
    match to {
        IpAddr::V4(to) => to.is_broadcast() || to.is_multicast() && route.to.prefix_len() < 4,
        IpAddr::V6(_) => false,
    }
}

/// How a packet leaves: by which link, to which neighbour, from which address. `source` is what a socket
/// without one is given.
pub fn way(tables: &Tables, flow: &Flow, source: Option<IpAddr>) -> Vec<String> {
    let verdict = tables.fib().lookup(flow);
    let Verdict::Leaves { route, .. } = verdict else {
        return vec!["it does not leave".to_owned()];
    };
    if route.kind == RouteKind::Local {
        return vec!["it is for the host itself".to_owned()];
    }
    let link = verdict.link().and_then(|index| tables.link(index));
    let next = match route.gateway {
        Some(_) if goes_past_gateways(flow.to, route) => format!("sent to {} there", flow.to),
        Some(gateway) => format!("next hop {gateway}"),
        None if route.richer => "its next hop is not looked at here".to_owned(),
        None => format!("{} is taken for a neighbour there", flow.to),
    };
    let name = link.map_or_else(|| "no link".to_owned(), |link| link.name.to_string());
    let mut lines = vec![format!("it leaves by {name}; {next}")];
    if flow.from.is_none() {
        lines.push(match source.or(route.source) {
            Some(ip) => format!("its source is {ip}"),
            None => "no address of the host is a source for it".to_owned(),
        });
    }
    if route.richer {
        lines.push("the route has more next hops, or more to it than is looked at here".to_owned());
    }
    lines
}
