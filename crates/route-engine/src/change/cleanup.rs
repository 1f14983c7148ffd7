//! What cleaning up needs.

use fps_netlink::{Address, Link, Route, TableId};

use super::needed::Look;
use super::rank::CleanupRank;
use super::{Change, DnsChange, Needed, Reason, retire};
use crate::state::{RouteIndex, RouteKey, same_route};
use crate::{Operation, PlannedRoute, ResolverKind, TunAddress};

/// All that is ours goes, whatever the plan says; what it says is told, and what it does not say is
/// told as a leftover.
pub(super) fn for_cleanup(look: &Look<'_>) -> Needed {
    let tun = look.state.link(look.plan.intent().tun());
    let mut needed = Needed::default();
    for (at, operation) in look.plan.operations().iter().enumerate() {
        let change = match operation {
            // It knows a link by its name, and is to forget it also where the device has gone.
            Operation::RevertDns {
                by: ResolverKind::Stub,
                ..
            } => Some(Change::Dns(DnsChange::Revert)),
            _ => tun.and_then(|tun| look.device_or_revert(operation, tun)),
        };
        let step = change.map(|change| change.because(Reason::Planned(at)));
        needed.steps.extend(step);
    }
    look.delete_rules(&mut needed);
    look.delete_routes(&mut needed);
    if let Some(tun) = tun {
        look.keep_routes_of_others(tun, &mut needed);
    }
    needed.steps.sort_by_key(CleanupRank::of);
    needed
}

impl Look<'_> {
    fn device_or_revert(&self, operation: &Operation, tun: &Link) -> Option<Change> {
        match operation {
            Operation::DeleteAddress { address, .. } => {
                // Where there is a record, it says which addresses are ours.
                let ours =
                    self.ownership.own.is_none() || self.ownership.addresses.contains(address);
                let address = Address::new(tun.index, address.net());
                let there = self.state.holds_address(&address);
                (ours && there).then_some(Change::DeleteAddress(address))
            }
            Operation::SetDown { .. } => tun.up.then_some(Change::SetDown(tun.index)),
            // What systemd-resolved knew of a device is gone with it.
            Operation::RevertDns { .. } => Some(Change::Dns(DnsChange::Revert)),
            _ => None,
        }
    }

    /// Whether a table that shows no holder may be taken for ours: not where it may be another
    /// tunnel's, unless it is named.
    fn may_be_ours(&self, table: TableId) -> bool {
        !self.ownership.unknown || self.plan.intent().tables().any(|own| own == table)
    }

    fn delete_rules(&self, needed: &mut Needed) {
        for rule in self.rules_from_before(|table| self.may_be_ours(table)) {
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
        let ours = |route: &&Route| {
            self.holders
                .has_route(route, |table| self.may_be_ours(table))
        };
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

    /// Routes of others go with the device's last IPv4 address, and are set again.
    fn keep_routes_of_others(&self, tun: &Link, needed: &mut Needed) {
        let goes = |address: &TunAddress| {
            let gone = Change::DeleteAddress(Address::new(tun.index, address.net()));
            needed.steps.iter().any(|step| step.change == gone)
        };
        let addresses = self.plan.operations().iter();
        let addresses = addresses.filter_map(|operation| match operation {
            Operation::DeleteAddress { address, .. } => Some(*address),
            _ => None,
        });
        let gone: Vec<_> = addresses.filter(goes).collect();
        let mut steps = needed.steps.iter();
        let ends_down = steps.any(|step| matches!(step.change, Change::SetDown(_)));
        if ends_down || !tun.up || retire::keeps_v4(self.state, tun, &gone, &[]) {
            return;
        }
        // What has a source that is no address of this host any more is gone for good.
        let sources = |source| gone.iter().any(|address| address.net().addr() == source);
        let stays = |route: &&Route| !route.source.is_some_and(sources);
        let others = retire::others(self.state, tun).filter(stays).cloned();
        let others: Vec<_> = others.collect();
        needed.keep_routes(&others, self.state, |_| {});
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
