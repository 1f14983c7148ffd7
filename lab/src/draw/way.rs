//! The way of the tunnel's packets through the underlay.

use std::cmp::Reverse;
use std::collections::VecDeque;
use std::net::IpAddr;

use super::plan::{LinkPart, Plan};
use crate::report::Topology;

/// Marks the links by which the tunnel's packets go at first: from the link that the client's host
/// prefers, the way with the fewest routers.
pub(super) fn mark(plan: &mut Plan, topology: &Topology) {
    let (Some(part), Some(tunnel)) = (&plan.tunnel, &topology.tunnel) else {
        return;
    };
    let (client, server) = (part.client.host, part.server.host);
    let endpoint = tunnel.endpoint.parse();
    let way = endpoint.ok().and_then(|it| way(plan, client, (server, it)));
    let Some(way) = way else { return };
    for (host, link) in way {
        plan.hosts[host].links[link].carries = true;
    }
}

/// A link of a host, each by its place.
type LinkRef = (usize, usize);

/// How a net was come to: by which link, and before that by which other one of the same host from which
/// net.
type Came = (LinkRef, Option<(LinkRef, usize)>);

/// The links from a host to an address of another one.
fn way(plan: &Plan, from: usize, (to, address): (usize, IpAddr)) -> Option<Vec<LinkRef>> {
    let has = |link: &LinkPart| {
        let holds = |it: &String| {
            it.parse::<ipnet::IpNet>()
                .is_ok_and(|it| it.addr() == address)
        };
        link.addresses.iter().any(holds)
    };
    let target = plan.hosts[to].links.iter().position(has)?;
    let goal = plan.hosts[to].links[target].net;
    // One in the same net, else that of the best default route, else any.
    let mut first: Vec<_> = now(plan, from).collect();
    first.sort_by_key(|(_, part)| (part.net != goal, Reverse(part.leads_on.map(Reverse))));
    let mut ways = first
        .into_iter()
        .map(|(link, _)| way_by(plan, (from, link), goal));
    let mut way = ways.find_map(|way| way)?;
    way.push((to, target));
    Some(way)
}

/// The links that a host has at first.
fn now(plan: &Plan, host: usize) -> impl Iterator<Item = (usize, &LinkPart)> {
    let links = plan.hosts[host].links.iter().enumerate();
    links.filter(|(_, link)| !link.later)
}

/// The links from one of a host to a net, by the fewest nets.
fn way_by(plan: &Plan, (from, first): LinkRef, goal: usize) -> Option<Vec<LinkRef>> {
    let begin = plan.hosts[from].links[first].net;
    let mut came: Vec<Option<Came>> = vec![None; plan.nets.len()];
    came[begin] = Some(((from, first), None));
    let mut queue = VecDeque::from([begin]);
    while let Some(net) = queue.pop_front() {
        if net == goal {
            break;
        }
        for host in (0..plan.hosts.len()).filter(|host| plan.hosts[*host].router && *host != from) {
            let Some((inward, _)) = now(plan, host).find(|(_, part)| part.net == net) else {
                continue;
            };
            for (outward, part) in now(plan, host) {
                if came[part.net].is_none() {
                    came[part.net] = Some(((host, outward), Some(((host, inward), net))));
                    queue.push_back(part.net);
                }
            }
        }
    }
    let mut way = Vec::new();
    let mut net = goal;
    loop {
        let (left_by, before) = came[net]?;
        way.push(left_by);
        let Some((inward, previous)) = before else {
            return Some(way);
        };
        way.push(inward);
        net = previous;
    }
}
