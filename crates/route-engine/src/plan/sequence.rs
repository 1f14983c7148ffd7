//! Which operations a plan has, in the order in which the shell helper printed them.

use fps_netlink::{Family, Rule, TableId};

use super::{Operation, PlannedRoute, Underlay};
use crate::{Destination, Dns, FullTunnel, Intent, Layer};

/// Addresses, MTU, up, routes: the kernel takes a route only into a device that is up
/// (ENETDOWN in `fib_check_nh_nongw`, net/ipv4/fib_semantics.c).
pub(super) fn apply(intent: &Intent, underlay: Underlay<'_>) -> Vec<Operation> {
    let device = intent.tun();
    let addresses = intent.addresses().iter();
    let addresses = addresses.map(|&address| Operation::ReplaceAddress { address, device });
    let mtu = intent.mtu().map(|mtu| Operation::SetMtu { mtu, device });
    let up = Operation::SetUp { device };
    let mut operations: Vec<_> = addresses.chain(mtu).chain([up]).collect();
    match intent.full_tunnel() {
        Some(full) => {
            let guard = guard_routes(intent, full, underlay);
            operations.extend(guard.map(Operation::ReplaceRoute));
            let outside = outside(intent, full).map(Operation::ReplaceRoute);
            operations.extend(outside);
            if full.lan.is_some() {
                let user = routes(intent, full.table_of(Layer::User));
                operations.extend(user.map(Operation::ReplaceRoute));
                operations.extend(lan(intent, full, underlay));
                operations.extend(beyond(intent, full).map(Operation::ReplaceRoute));
            }
            operations.extend(defaults(intent, full).map(Operation::ReplaceRoute));
            let guard = guard_rules(intent, full, underlay).into_iter();
            for rule in guard.chain(full.rules(intent.has_v6_address())) {
                let rule = Box::new(rule);
                operations.push(Operation::DeleteRule(rule.clone()));
                operations.push(Operation::AddRule(rule));
            }
            operations.push(Operation::FlushCache);
        }
        None => operations.extend(routes(intent, TableId::MAIN).map(Operation::ReplaceRoute)),
    }
    operations.extend(set_dns(intent));
    operations
}

/// DNS, routes, rules, bypasses, default, addresses, down: before its address, because the kernel
/// drops with an IPv4 address each route that has it as source (`fib_sync_down_addr`,
/// net/ipv4/fib_semantics.c), and what is then absent was ours to take away. Of the rules the last
/// layer's come first, so that neither LAN nor carrier falls through to it; those of the guard against
/// DNS leaks come last.
pub(super) fn cleanup(intent: &Intent, down: bool, underlay: Underlay<'_>) -> Vec<Operation> {
    let device = intent.tun();
    let mut operations = Vec::new();
    if intent.dns().is_some() {
        let by = intent.resolver();
        operations.push(Operation::RevertDns { device, by });
    }
    let layered = intent.full_tunnel().filter(|full| full.lan.is_some());
    let table = layered.map_or(TableId::MAIN, |full| full.table_of(Layer::User));
    operations.extend(routes(intent, table).map(Operation::DeleteRoute));
    if let Some(full) = intent.full_tunnel() {
        let mut rules = full.rules(intent.has_v6_address());
        if layered.is_some() {
            rules.reverse();
        }
        let guard = guard_rules(intent, full, underlay);
        let rules = rules.into_iter().chain(guard.into_iter().rev());
        let rules = rules.map(Box::new);
        operations.extend(rules.map(Operation::DeleteRule));
        operations.extend(outside(intent, full).map(Operation::DeleteRoute));
        if layered.is_some() {
            operations.extend(copies(intent, full, underlay).map(Operation::DeleteRoute));
            operations.extend(beyond(intent, full).map(Operation::DeleteRoute));
        }
        operations.extend(defaults(intent, full).map(Operation::DeleteRoute));
        let guard = guard_routes(intent, full, underlay);
        operations.extend(guard.map(Operation::DeleteRoute));
        operations.push(Operation::FlushCache);
    }
    let addresses = intent.addresses().iter();
    operations.extend(addresses.map(|&address| Operation::DeleteAddress { address, device }));
    operations.extend(down.then_some(Operation::SetDown { device }));
    operations
}

/// What the user routes into the tunnel.
fn routes(intent: &Intent, table: TableId) -> impl Iterator<Item = PlannedRoute> {
    let routes = intent.routes().iter();
    routes.map(move |&to| PlannedRoute::into(intent.tun(), to, table))
}

/// What stays out: the bypasses, and the endpoints of the carrier.
///
/// For an endpoint the search only ends in our table, and goes on with the rules behind: so the
/// carrier takes whatever way the underlay has for it at the moment, however that changes. A copy of
/// the way would be wrong from a roam until someone has followed it; and where the kernel had
/// dropped it with its interface, the carrier would be led into the tunnel.
fn outside(intent: &Intent, full: &FullTunnel) -> impl Iterator<Item = PlannedRoute> {
    let table = full.table_of(Layer::User);
    let bypasses = full.bypasses.iter();
    let bypasses = bypasses.map(move |bypass| PlannedRoute::bypass(bypass, table));
    // A gateway that is named for it goes before.
    let named = |to: Destination| full.bypasses.iter().any(|bypass| bypass.to == to);
    let behind = full.bypasses.iter().filter(|_| intent.has_fallbacks());
    let behind = behind.map(move |bypass| PlannedRoute::fallback(bypass, table));
    let nets = endpoint_nets(intent, full).filter(move |&net| !named(net));
    let nets = nets.map(move |net| PlannedRoute::throw(net, table));
    behind.chain(bypasses).chain(nets)
}

/// What does not go by the default route of the tunnel although no table before it has a route: the
/// carrier again, and what is for everyone on the LAN.
fn beyond(intent: &Intent, full: &FullTunnel) -> impl Iterator<Item = PlannedRoute> {
    let table = full.table_of(Layer::Default);
    let v4 = full.families(intent.has_v6_address()).contains(&Family::V4);
    // Of IPv6, groups are in table local.
    let groups = ["224.0.0.0/4", "255.255.255.255/32"]
        .into_iter()
        .filter(move |_| v4);
    let groups = groups.map(|net| net.parse().expect("a network"));
    let bypasses = full.bypasses.iter().filter(|_| intent.has_fallbacks());
    let bypasses = bypasses.map(|bypass| bypass.to);
    let mut nets: Vec<Destination> = endpoint_nets(intent, full).collect();
    nets.extend(bypasses.filter(|to| !nets.contains(to)).collect::<Vec<_>>());
    let nets = nets.into_iter().chain(groups);
    nets.map(move |net| PlannedRoute::throw(net, table))
}

/// The endpoints of the families that the rules choose.
fn endpoint_nets(intent: &Intent, full: &FullTunnel) -> impl Iterator<Item = Destination> {
    let families = full.families(intent.has_v6_address());
    let mut nets: Vec<_> = intent
        .endpoints()
        .iter()
        .map(|endpoint| endpoint.net())
        .collect();
    nets.retain(|net| families.contains(&Family::of(net.net().addr())));
    // Two ports of one address.
    nets.sort_by_key(|net| net.net());
    nets.dedup();
    nets.into_iter()
}

/// Copies of the LAN's routes.
fn copies(
    intent: &Intent,
    full: &FullTunnel,
    underlay: Underlay<'_>,
) -> impl Iterator<Item = PlannedRoute> {
    let table = full.table_of(Layer::Lan);
    let mut routes = underlay.lan(intent);
    // A gateway must be reachable before there is a route by it.
    routes.sort_by_key(|route| route.gateway.is_some());
    let planned = routes
        .into_iter()
        .filter_map(move |route| PlannedRoute::of(route, underlay.links));
    planned.map(move |route| PlannedRoute { table, ..route })
}

/// The same, each to be set: the first of a prefix and metric takes its place, others go behind.
pub(super) fn lan(intent: &Intent, full: &FullTunnel, underlay: Underlay<'_>) -> Vec<Operation> {
    let mut seen = std::collections::HashSet::new();
    let operation = |route: PlannedRoute| {
        if seen.insert((route.to, route.metric)) {
            Operation::ReplaceRoute(route)
        } else {
            Operation::AppendRoute(route)
        }
    };
    copies(intent, full, underlay).map(operation).collect()
}

fn defaults(intent: &Intent, full: &FullTunnel) -> impl Iterator<Item = PlannedRoute> {
    defaults_in(intent, full, Layer::Default)
}

fn defaults_in(
    intent: &Intent,
    full: &FullTunnel,
    layer: Layer,
) -> impl Iterator<Item = PlannedRoute> + use<> {
    let (tun, table) = (intent.tun(), full.table_of(layer));
    let families = full.families(intent.has_v6_address());
    let to = families.into_iter().map(Destination::everything);
    to.map(move |to| PlannedRoute::into(tun, to, table))
}

/// The guard against DNS leaks alone, and of it what needs no tunnel.
pub(super) fn leak_guard(
    intent: &Intent,
    full: &FullTunnel,
    underlay: Underlay<'_>,
) -> Vec<Operation> {
    let routes = guard_routes(intent, full, underlay).filter(|route| route.local);
    let rules = guard_rules(intent, full, underlay).into_iter();
    let rules = rules.map(|rule| Operation::AddRule(Box::new(rule)));
    routes.map(Operation::ReplaceRoute).chain(rules).collect()
}

fn guard_rules(intent: &Intent, full: &FullTunnel, underlay: Underlay<'_>) -> Vec<Rule> {
    let links: Vec<_> = underlay.ways_out(intent).map(|link| link.name).collect();
    full.leak_guard_rules(intent.endpoints(), &links)
}

/// Where queries go: what is bound to a link of the underlay nowhere, all else into the tunnel, for the
/// families that it takes.
fn guard_routes(
    intent: &Intent,
    full: &FullTunnel,
    underlay: Underlay<'_>,
) -> impl Iterator<Item = PlannedRoute> {
    let table = full.table_of(Layer::Bound);
    let links = underlay.ways_out(intent);
    let kept: Vec<_> = links.map(|link| PlannedRoute::kept(link, table)).collect();
    let defaults = defaults_in(intent, full, Layer::Dns);
    let guarded = full.leak_guard;
    kept.into_iter().chain(defaults).filter(move |_| guarded)
}

fn set_dns(intent: &Intent) -> Vec<Operation> {
    let mut operations = Vec::new();
    let Dns {
        servers,
        domains,
        default_route,
    } = intent.dns().cloned().unwrap_or_default();
    let (device, by) = (intent.tun(), intent.resolver());
    if !servers.is_empty() {
        operations.push(Operation::SetServers {
            servers,
            device,
            by,
        });
    }
    if !domains.is_empty() {
        operations.push(Operation::SetDomains {
            domains,
            device,
            by,
        });
    }
    if let Some(on) = default_route {
        operations.push(Operation::SetDefaultRoute { on, device, by });
    }
    operations
}
