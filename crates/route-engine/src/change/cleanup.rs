//! What cleaning up needs.

use fps_netlink::{Address, Link, Route};

use super::needed::Look;
use super::rank::CleanupRank;
use super::{Change, DnsChange, Needed, Reason};
use crate::state::{RouteIndex, RouteKey, same_route};
use crate::{Operation, PlannedRoute};

/// All that is ours goes, whatever the plan says; what it says is told, and what it does not say is
/// told as a leftover.
pub(super) fn for_cleanup(look: &Look<'_>) -> Needed {
    let tun = look.state.link(look.plan.intent().tun());
    let mut needed = Needed::default();
    for (at, operation) in look.plan.operations().iter().enumerate() {
        let change = tun.and_then(|tun| look.device_or_revert(operation, tun));
        let step = change.map(|change| change.because(Reason::Planned(at)));
        needed.steps.extend(step);
    }
    look.delete_rules(&mut needed);
    look.delete_routes(&mut needed);
    needed.steps.sort_by_key(CleanupRank::of);
    needed
}

impl Look<'_> {
    fn device_or_revert(&self, operation: &Operation, tun: &Link) -> Option<Change> {
        match operation {
            Operation::DeleteAddress { address, .. } => {
                let address = Address::new(tun.index, address.net());
                let there = self.state.holds_address(&address);
                there.then_some(Change::DeleteAddress(address))
            }
            Operation::SetDown { .. } => tun.up.then_some(Change::SetDown(tun.index)),
            // What resolved knew of a device is gone with it.
            Operation::RevertDns { .. } => Some(Change::Dns(DnsChange::Revert)),
            _ => None,
        }
    }

    fn delete_rules(&self, needed: &mut Needed) {
        for rule in self.rules_from_before(|_| true) {
            let rule = Box::new(rule);
            let operation = Operation::DeleteRule(rule.clone());
            let mut planned = self.plan.operations().iter();
            let reason = match planned.position(|planned| *planned == operation) {
                Some(at) => Reason::Planned(at),
                None => needed.leave_for(operation),
            };
            needed.steps.push(Change::DeleteRule(rule).because(reason));
        }
    }

    fn delete_routes(&self, needed: &mut Needed) {
        let (places, planned) = self.planned_routes();
        let index = RouteIndex::new(planned.iter().map(RouteKey::of));
        let ours = |route: &&Route| self.holders.has_route(route, |_| true);
        for route in self.state.routes.iter().filter(ours) {
            let mut known = index.places(RouteKey::of(route));
            let reason = match known.find(|&at| same_route(&planned[at], route)) {
                Some(at) => Reason::Planned(places[at]),
                None => match PlannedRoute::of(route, &self.state.links) {
                    Some(unknown) => needed.leave_for(Operation::DeleteRoute(unknown)),
                    None => continue,
                },
            };
            let change = Change::DeleteRoute(route.clone());
            needed.steps.push(change.because(reason));
        }
    }

    /// The routes that the plan deletes, as the kernel has them, behind their places in the plan.
    fn planned_routes(&self) -> (Vec<usize>, Vec<Route>) {
        let operations = self.plan.operations().iter().enumerate();
        let routes = operations.filter_map(|(at, operation)| match operation {
            Operation::DeleteRoute(route) => {
                let route = route.for_kernel(&self.state.links);
                route.ok().map(|route| (at, route))
            }
            _ => None,
        });
        routes.unzip()
    }
}
