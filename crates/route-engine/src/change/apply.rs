//! What applying needs.

use fps_netlink::{
    Address, FPS_ROUTE_PROTOCOL, Link, ProtocolName, Route, RouteKind, Rule, TableId,
};

use super::collision::collisions;
use super::guard::{guard, is_guard};
use super::needed::Look;
use super::rank::{ApplyRank, Circumstances};
use super::{Change, DnsChange, Needed, Reason, retire, routes};
use crate::intent::{is_end, is_leak_guard};
use crate::state::RouteKey;
use crate::{Error, KernelState, Layer, Operation, Plan, PlannedRoute};

/// What is needed, and what is in the way. Fails where the device is missing.
pub(super) fn for_apply(look: &Look<'_>) -> Result<(Needed, Vec<Error>), Error> {
    let intent = look.plan.intent();
    let tun = intent.tun();
    let tun = look.state.link(tun).ok_or(Error::NoDevice(tun))?;
    let mut in_the_way = collisions(intent, look.state, &look.holders);
    let wanted = |table: TableId| intent.tables().any(|own| own == table);
    let routes = routes::routes(look.plan, look.state, |route| {
        look.holders.has_route(route, wanted)
    });
    in_the_way.extend(routes.in_the_way);
    let mut needed = Needed {
        steps: routes.steps,
        ..Needed::default()
    };
    for (at, operation) in look.plan.wanted() {
        let change = match operation {
            Operation::AddRule(rule) => look.add_rule(operation, rule).unwrap_or_else(|error| {
                in_the_way.push(error);
                None
            }),
            _ => look.device_or_dns(operation, tun),
        };
        let step = change.map(|change| change.because(Reason::Planned(at)));
        needed.steps.extend(step);
    }
    let guarded = look.change_rules(wanted, &routes.leftovers, &mut needed);
    let clean = look.may_guard_first(&routes.leftovers);
    for route in routes.leftovers {
        needed.leave_route(route, look.state);
    }
    look.forget_dns(&mut needed);
    look.connect(tun, &mut needed);
    retire::addresses(look.plan, look.state, look.ownership, tun, &mut needed);
    let now = Circumstances {
        intent,
        tun: tun.index,
        guarded,
        clean,
    };
    // The sort is stable: what has the same rank stays in its order.
    needed.steps.sort_by_key(|step| ApplyRank::of(step, &now));
    Ok((needed, in_the_way))
}

/// What a plan of the LAN's routes alone needs of their table. Fails where a route in it is another
/// program's.
pub(crate) fn lan_changes(
    plan: &Plan,
    state: &KernelState,
    table: TableId,
) -> Result<Needed, Error> {
    let ours = |route: &Route| route.table == table && route.protocol == FPS_ROUTE_PROTOCOL;
    let routes = routes::routes(plan, state, ours);
    if let Some(error) = routes.in_the_way.into_iter().next() {
        return Err(error);
    }
    let mut needed = Needed {
        steps: routes.steps,
        ..Needed::default()
    };
    for route in routes.leftovers {
        needed.leave_route(route, state);
    }
    Ok(needed)
}

impl Look<'_> {
    /// Takes away the rules of before. Where there are others instead, or where tables change into
    /// which some lead, it is under a guard. Says whether there is one.
    fn change_rules(
        &self,
        also: impl Fn(TableId) -> bool + Copy,
        leftovers: &[&Route],
        needed: &mut Needed,
    ) -> bool {
        let old = self.rules_from_before(also);
        let new = needed.steps.iter().filter_map(|step| match step.change {
            Change::AddRule(ref rule) if !is_leak_guard(rule) => Some(**rule),
            _ => None,
        });
        let new: Vec<_> = new.collect();
        for rule in old.iter().copied().map(Box::new) {
            needed.leave(
                Operation::DeleteRule(rule.clone()),
                Change::DeleteRule(rule),
            );
        }
        // A guard against DNS leaks comes before all and goes last: nothing has to be held back for it.
        let stand = |rule: &&Rule| {
            !is_guard(rule) && !is_leak_guard(rule) && self.holders.has_rule(rule, also)
        };
        let stand: Vec<_> = self.state.rules.iter().filter(stand).copied().collect();
        let tables_change = leftovers.iter().any(|route| also(route.table));
        let others_come = !new.is_empty() && tables_change;
        let mut going = old.iter();
        let some_go = going.any(|rule| !is_guard(rule) && !is_leak_guard(rule));
        // Where all go for good, they go layer by layer.
        let stays = self.plan.intent().full_tunnel().is_some() && !stand.is_empty();
        if !(stays && (others_come || some_go)) {
            return false;
        }
        for rule in guard(&stand, &new) {
            // One that a crash has left is taken away already.
            if !self.state.rules.contains(&rule) {
                let rule = Box::new(rule);
                needed.leave(
                    Operation::AddRule(rule.clone()),
                    Change::AddRule(rule.clone()),
                );
                needed.leave(
                    Operation::DeleteRule(rule.clone()),
                    Change::DeleteRule(rule),
                );
            }
        }
        true
    }

    /// Whether a guard against DNS leaks can be set before all else: where its tables have had no other
    /// use.
    fn may_guard_first(&self, leftovers: &[&Route]) -> bool {
        let Some(full) = self.plan.intent().full_tunnel() else {
            return true;
        };
        let tables = [Layer::Dns, Layer::Bound].map(|layer| full.table_of(layer));
        let tun = self.state.link(self.plan.intent().tun());
        let leads_out = |route: &&&Route| {
            let out = route.link.is_some() && route.link != tun.map(|tun| tun.index);
            out && route.kind != RouteKind::Local && tables.contains(&route.table)
        };
        let mut rules = self.state.rules.iter();
        leftovers.iter().find(leads_out).is_none()
            && !rules.any(|rule| {
                let leads = rule.table().is_some_and(|table| tables.contains(&table));
                leads && !is_leak_guard(rule)
            })
    }

    /// Takes back what the resolver was told before and is not to know any more.
    fn forget_dns(&self, needed: &mut Needed) {
        let intent = self.plan.intent();
        let device = intent.tun();
        let others = self.ownership.resolvers.iter().copied();
        for by in others.filter(|by| intent.dns().is_some() && *by != intent.resolver()) {
            let revert = Operation::RevertDns { device, by };
            needed.leave(revert, Change::Dns(DnsChange::Revert));
        }
        let (Some(wanted), Some(there)) = (intent.dns(), &self.state.dns) else {
            return;
        };
        let (told, by) = (&self.ownership.dns, intent.resolver());
        let servers =
            !told.servers.is_empty() && !there.servers.is_empty() && wanted.servers.is_empty();
        let domains =
            !told.domains.is_empty() && !there.domains.is_empty() && wanted.domains.is_empty();
        if wanted.is_empty() && (servers || domains) {
            let revert = Operation::RevertDns { device, by };
            needed.leave(revert, Change::Dns(DnsChange::Revert));
            return;
        }
        if servers {
            let servers = Vec::new();
            let operation = Operation::SetServers {
                servers,
                device,
                by,
            };
            needed.leave(operation, Change::Dns(DnsChange::Servers(Vec::new())));
        }
        if domains {
            let domains = Vec::new();
            let operation = Operation::SetDomains {
                domains,
                device,
                by,
            };
            needed.leave(operation, Change::Dns(DnsChange::Domains(Vec::new())));
            if told.default_route == Some(false) {
                // Or the servers that stay were asked for nothing.
                let operation = Operation::SetDefaultRoute {
                    on: true,
                    device,
                    by,
                };
                needed.leave(operation, Change::Dns(DnsChange::DefaultRoute(true)));
            }
        }
    }

    /// Sets again the routes that came with addresses of ours, where somebody has taken them away.
    fn connect(&self, tun: &Link, needed: &mut Needed) {
        for address in self.plan.intent().addresses() {
            let held = Address::new(tun.index, address.net());
            let route = Route {
                protocol: FPS_ROUTE_PROTOCOL,
                ..Route::new(address.net()).on_link(tun.index)
            };
            let key = RouteKey::of(&route);
            let is_it = |other: &Route| RouteKey::of(other) == key;
            let mut new = needed
                .steps
                .iter()
                .filter_map(|step| step.change.new_route());
            if routes::is_connected(address.net())
                && self.ownership.addresses.contains(address)
                && self.state.holds_address(&held)
                && !new.any(is_it)
                && !self.state.routes.iter().any(is_it)
                && let Some(planned) = PlannedRoute::of(&route, &self.state.links)
            {
                needed.leave(Operation::ReplaceRoute(planned), Change::AddRoute(route));
            }
        }
    }

    /// What an operation needs of the device, or of DNS.
    fn device_or_dns(&self, operation: &Operation, tun: &Link) -> Option<Change> {
        let dns = self.state.dns.as_ref();
        match operation {
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
            Operation::SetServers { servers, .. } => {
                let set = dns.is_some_and(|dns| dns.servers == *servers);
                (!set).then(|| Change::Dns(DnsChange::Servers(servers.clone())))
            }
            Operation::SetDomains { domains, .. } => {
                let set = dns.is_some_and(|dns| dns.domains == *domains);
                (!set).then(|| Change::Dns(DnsChange::Domains(domains.clone())))
            }
            Operation::SetDefaultRoute { on, .. } => {
                let set = dns.is_some_and(|dns| dns.default_route == Some(*on));
                (!set).then_some(Change::Dns(DnsChange::DefaultRoute(*on)))
            }
            // Routes are looked at as a whole. A rule is deleted first for those alone who type the
            // commands; the kernel forgets cached routes by itself.
            _ => None,
        }
    }

    fn add_rule(&self, operation: &Operation, new: &Rule) -> Result<Option<Change>, Error> {
        let same = |other: &&Rule| {
            let protocol = new.protocol;
            Rule {
                protocol,
                ..**other
            } == *new
        };
        let there: Vec<_> = self.state.rules.iter().filter(same).collect();
        if there.contains(&new) {
            return Ok(None);
        }
        match there.first() {
            Some(theirs) => Err(Error::Foreign {
                command: operation.to_string(),
                theirs: format!("rule `{theirs} proto {}`", ProtocolName(theirs.protocol)),
                protocol: ProtocolName(theirs.protocol).to_string(),
            }),
            None => Ok(Some(Change::AddRule(Box::new(*new)))),
        }
    }

    /// Our rules that the plan does not have, the last layer's first, and those of a guard against DNS
    /// leaks behind all; of them what the carrier jumps to is the last.
    pub(super) fn rules_from_before(&self, also: impl Fn(TableId) -> bool + Copy) -> Vec<Rule> {
        let planned = self.plan.wanted();
        let planned = planned.filter_map(|(_, operation)| match operation {
            Operation::AddRule(rule) => Some(&**rule),
            _ => None,
        });
        let planned: Vec<_> = planned.collect();
        let stale = |rule: &&Rule| self.holders.has_rule(rule, also) && !planned.contains(rule);
        let stale = self.state.rules.iter().filter(stale).copied();
        let (guard, mut stale): (Vec<_>, Vec<_>) = stale.partition(is_leak_guard);
        // The last first, so that they have their order again if that is taken back.
        stale.extend(guard.into_iter().rev());
        stale.sort_by_key(|rule| {
            let later = std::cmp::Reverse(rule.priority);
            (is_leak_guard(rule), is_end(rule), later)
        });
        stale
    }
}
