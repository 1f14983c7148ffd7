//! The pure core: what of a plan is needed, given what the kernel holds.

use std::collections::HashMap;

use fps_netlink::{Address, FPS_ROUTE_PROTOCOL, Link, Route};
use ipnet::IpNet;

use crate::state::{RouteKey, same_route};
use crate::{Action, Change, Error, KernelState, Operation, Plan, PlannedRoute, PolicyRule};

/// A change, and the operation of the plan that needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What the plan says.
    pub operation: Operation,
    /// What the kernel is told.
    pub change: Change,
}

/// What of a plan must be done, in an order that is safe on a live machine: what stands already is
/// left alone, so that a second time nothing is needed. Fails, without anything having changed,
/// where a device is missing or another program's route or rule is in the way.
pub fn needed(plan: &Plan, state: &KernelState) -> Result<Vec<Step>, Error> {
    let look = Look {
        plan,
        state,
        routes: state.by_key(),
    };
    let mut steps = Vec::new();
    for operation in plan.operations() {
        let change = match plan.action() {
            Action::Cleanup { .. } => look.for_cleanup(operation),
            Action::Plan | Action::Apply => look.for_apply(operation)?,
        };
        steps.extend(change.map(|change| Step {
            operation: operation.clone(),
            change,
        }));
    }
    // The sort is stable: what has the same rank stays in the plan's order.
    steps.sort_by_key(|step| rank(&step.operation));
    Ok(steps)
}

/// What must come before what. The MTU: below 1280 a device takes no IPv6 address. Domains before
/// servers: a server without a domain would be asked for everything until its domains are set.
fn rank(operation: &Operation) -> u8 {
    match operation {
        Operation::SetMtu { .. } => 0,
        Operation::SetDomains { .. } => 2,
        Operation::SetServers { .. } => 3,
        _ => 1,
    }
}

struct Look<'a> {
    plan: &'a Plan,
    state: &'a KernelState,
    routes: HashMap<RouteKey, Vec<&'a Route>>,
}

impl Look<'_> {
    fn tun(&self) -> Result<&Link, Error> {
        let tun = self.plan.intent().tun();
        self.state.link(tun).ok_or_else(|| Error::NoDevice(*tun))
    }

    fn for_apply(&self, operation: &Operation) -> Result<Option<Change>, Error> {
        let tun = self.tun()?;
        Ok(match operation {
            Operation::ReplaceAddress { address, .. } => {
                let address = Address::new(tun.index, address.net());
                (!self.state.holds_address(&address)).then_some(Change::AddAddress(address))
            }
            Operation::SetMtu { mtu, .. } => (tun.mtu != mtu.get()).then_some(Change::SetMtu {
                link: tun.index,
                from: tun.mtu,
                to: mtu.get(),
            }),
            Operation::SetUp { .. } => (!tun.up).then_some(Change::SetUp(tun.index)),
            Operation::ReplaceRoute(planned) => self.replace_route(operation, planned)?,
            Operation::AddRule(rule) => self.add_rule(operation, rule)?,
            Operation::SetServers { .. } | Operation::SetDomains { .. } => {
                Some(Change::Resolvectl {
                    words: operation.words().split_off(1),
                    undo: vec!["revert".to_owned(), tun.name.to_string()],
                })
            }
            // The rule is deleted for those alone who type the commands; the kernel forgets cached
            // routes by itself. The others are for cleaning up.
            Operation::DeleteRule(_)
            | Operation::FlushCache
            | Operation::DeleteAddress { .. }
            | Operation::SetDown { .. }
            | Operation::DeleteRoute(_)
            | Operation::RevertDns { .. } => None,
        })
    }

    fn replace_route(
        &self,
        operation: &Operation,
        planned: &PlannedRoute,
    ) -> Result<Option<Change>, Error> {
        let link = self.state.link(&planned.device);
        let link = link.ok_or_else(|| Error::NoBypassDevice(planned.device))?;
        let new = kernel_route(planned, link);
        if self.comes_with_an_address(&new) {
            return Ok(None);
        }
        let there = self.routes.get(&RouteKey::of(&new));
        let there = there.map_or(&[][..], Vec::as_slice);
        if let Some(theirs) = there.iter().find(|r| r.protocol != FPS_ROUTE_PROTOCOL) {
            return Err(Error::Foreign {
                command: operation.to_string(),
                theirs: format!("route `{}`", self.state.describe(theirs)),
                protocol: theirs.protocol.to_string(),
            });
        }
        Ok(match there {
            [] => Some(Change::AddRoute(new)),
            ours if ours.iter().any(|old| same_route(old, &new)) => None,
            [old, ..] => Some(Change::ReplaceRoute {
                old: (*old).clone(),
                new,
            }),
        })
    }

    /// Whether the kernel makes the route by itself with an IPv4 address of the intent, to the
    /// same device and with the same metric (`fib_add_ifaddr` in net/ipv4/fib_frontend.c); that of
    /// an IPv6 address has another metric.
    fn comes_with_an_address(&self, route: &Route) -> bool {
        let intent = self.plan.intent();
        let connected = |net: IpNet| matches!(net, IpNet::V4(v4) if v4.prefix_len() < 32 && v4.network().octets()[0] != 0);
        route.gateway.is_none()
            && RouteKey::of(route) == RouteKey::of(&Route::new(route.to))
            && intent
                .addresses()
                .iter()
                .any(|address| connected(address.net()) && address.net().trunc() == route.to)
    }

    fn add_rule(&self, operation: &Operation, rule: &PolicyRule) -> Result<Option<Change>, Error> {
        let new = rule.rule();
        let same = |other: &&fps_netlink::Rule| {
            let protocol = new.protocol;
            fps_netlink::Rule {
                protocol,
                ..**other
            } == new
        };
        let there: Vec<_> = self.state.rules.iter().filter(same).collect();
        if there.contains(&&new) {
            return Ok(None);
        }
        match there.first() {
            Some(theirs) => Err(Error::Foreign {
                command: operation.to_string(),
                theirs: format!("rule `{theirs} proto {}`", theirs.protocol),
                protocol: theirs.protocol.to_string(),
            }),
            None => Ok(Some(Change::AddRule(new))),
        }
    }

    fn for_cleanup(&self, operation: &Operation) -> Option<Change> {
        let tun = self.tun().ok();
        match operation {
            Operation::DeleteRoute(planned) => self.delete_route(planned),
            Operation::DeleteRule(rule) => {
                let ours = rule.rule();
                let there = self.state.rules.contains(&ours);
                there.then_some(Change::DeleteRule(ours))
            }
            Operation::DeleteAddress { address, .. } => {
                let address = Address::new(tun?.index, address.net());
                let there = self.state.holds_address(&address);
                there.then_some(Change::DeleteAddress(address))
            }
            Operation::SetDown { .. } => {
                let tun = tun?;
                tun.up.then_some(Change::SetDown(tun.index))
            }
            // What resolved knew of a device is gone with it.
            Operation::RevertDns { .. } => tun.map(|_| Change::Resolvectl {
                words: operation.words().split_off(1),
                undo: Vec::new(),
            }),
            Operation::FlushCache
            | Operation::ReplaceAddress { .. }
            | Operation::SetMtu { .. }
            | Operation::SetUp { .. }
            | Operation::ReplaceRoute(_)
            | Operation::AddRule(_)
            | Operation::SetServers { .. }
            | Operation::SetDomains { .. } => None,
        }
    }

    /// The kernel deletes only a route whose protocol is the one in the request
    /// (`fib_table_delete` in net/ipv4/fib_trie.c, `ip6_route_del` in net/ipv6/route.c).
    fn delete_route(&self, planned: &PlannedRoute) -> Option<Change> {
        let ours = kernel_route(planned, self.state.link(&planned.device)?);
        let there = self.routes.get(&RouteKey::of(&ours))?;
        let found = there.iter().find(|route| same_route(route, &ours))?;
        Some(Change::DeleteRoute((*found).clone()))
    }
}

/// The route as the kernel takes it, with our protocol on it.
fn kernel_route(planned: &PlannedRoute, link: &Link) -> Route {
    let mut route = Route::new(planned.to.net());
    if let Some(via) = planned.via {
        route = route.via(via);
    }
    route = route.on_link(link.index);
    route.table = planned.table;
    route.protocol = FPS_ROUTE_PROTOCOL;
    route
}
