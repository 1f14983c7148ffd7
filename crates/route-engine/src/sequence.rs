//! Which operations a plan has, in the order in which the shell helper printed them.

use fps_netlink::TableId;

use crate::{Destination, Dns, FullTunnel, Intent, Operation, PlannedRoute};

/// Addresses, MTU, up, routes: the kernel takes a route only into a device that is up
/// (ENETDOWN in `fib_check_nh_nongw`, net/ipv4/fib_semantics.c).
pub(crate) fn apply(intent: &Intent) -> Vec<Operation> {
    let device = || *intent.tun();
    let addresses = intent.addresses().iter().map(|&address| {
        let device = device();
        Operation::ReplaceAddress { address, device }
    });
    let mtu = intent.mtu().map(|mtu| {
        let device = device();
        Operation::SetMtu { mtu, device }
    });
    let up = Operation::SetUp { device: device() };
    let mut operations: Vec<_> = addresses.chain(mtu).chain([up]).collect();
    match intent.full_tunnel() {
        Some(full) => {
            let routes = bypasses(full).chain(defaults(intent, full));
            operations.extend(routes.map(Operation::ReplaceRoute));
            for rule in full.rules(intent.has_v6_address()) {
                operations.extend([Operation::DeleteRule(rule), Operation::AddRule(rule)]);
            }
            operations.push(Operation::FlushCache);
        }
        None => operations.extend(split(intent).map(Operation::ReplaceRoute)),
    }
    operations.extend(set_dns(intent));
    operations
}

/// DNS, routes, rules, bypasses, default, addresses, down: before its address, because the kernel
/// drops with an IPv4 address each route that has it as source (`fib_sync_down_addr`,
/// net/ipv4/fib_semantics.c), and what is then absent was ours to take away.
pub(crate) fn cleanup(intent: &Intent, down: bool) -> Vec<Operation> {
    let device = || *intent.tun();
    let mut operations = Vec::new();
    if intent.dns().is_some() {
        operations.push(Operation::RevertDns { device: device() });
    }
    operations.extend(split(intent).map(Operation::DeleteRoute));
    if let Some(full) = intent.full_tunnel() {
        let rules = full.rules(intent.has_v6_address());
        operations.extend(rules.into_iter().map(Operation::DeleteRule));
        let routes = bypasses(full).chain(defaults(intent, full));
        operations.extend(routes.map(Operation::DeleteRoute));
        operations.push(Operation::FlushCache);
    }
    operations.extend(intent.addresses().iter().map(|&address| {
        let device = device();
        Operation::DeleteAddress { address, device }
    }));
    operations.extend(down.then(|| Operation::SetDown { device: device() }));
    operations
}

/// The main table's routes into the tunnel.
fn split(intent: &Intent) -> impl Iterator<Item = PlannedRoute> {
    intent.routes().iter().map(|&to| PlannedRoute {
        to,
        via: None,
        device: *intent.tun(),
        table: TableId::MAIN,
    })
}

fn bypasses(full: &FullTunnel) -> impl Iterator<Item = PlannedRoute> {
    let bypasses = full.bypasses.iter();
    bypasses.map(|bypass| PlannedRoute::bypass(bypass, full.table))
}

fn defaults(intent: &Intent, full: &FullTunnel) -> impl Iterator<Item = PlannedRoute> {
    let families = full.families(intent.has_v6_address());
    families.into_iter().map(|family| PlannedRoute {
        to: Destination::everything(family),
        via: None,
        device: *intent.tun(),
        table: full.table,
    })
}

fn set_dns(intent: &Intent) -> Vec<Operation> {
    let mut operations = Vec::new();
    let Dns { servers, domains } = intent.dns().cloned().unwrap_or_default();
    let device = || *intent.tun();
    if !servers.is_empty() {
        let device = device();
        operations.push(Operation::SetServers { servers, device });
    }
    if !domains.is_empty() {
        let device = device();
        operations.push(Operation::SetDomains { domains, device });
    }
    operations
}
