//! The pure core: what of a plan is needed, given what the kernel holds.

use std::collections::HashMap;

use fps_netlink::{Address, Link, Route, Rule, TableId};

use super::guard::{guard, is_guard};
use super::holder::Holders;
use super::{Change, DnsChange, collision, retire, routes};
use crate::state::{RouteKey, same_route};
use crate::{Action, Error, Intent, KernelState, Operation, Ownership, Plan, PlannedRoute};

/// A change, and the operation that needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What the plan says.
    pub operation: Operation,
    /// What the kernel is told.
    pub change: Change,
}

/// What is to be done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needed {
    /// In an order that is safe on a live machine.
    pub steps: Vec<Step>,
    /// The operations beyond those of the plan: what an earlier call left.
    pub leftovers: Vec<Operation>,
}

/// What must be done for a plan. What stands already is left alone, so that a second time nothing
/// is needed; what an earlier apply for the same device left, and the plan does not want, goes.
/// Fails, without anything having changed, where a device is missing, where another program's route
/// or rule is in the way, or where somebody else has the tables or priorities.
pub fn needed(plan: &Plan, state: &KernelState, ownership: &Ownership) -> Result<Needed, Error> {
    let look = Look {
        plan,
        intent: plan.intent(),
        state,
        ownership,
        holders: Holders::new(plan.intent().tun(), state, ownership),
    };
    // The sorts are stable: what has the same rank stays in its order.
    match plan.action() {
        Action::Plan | Action::Apply => look.for_apply(),
        Action::Cleanup { .. } => {
            let mut needed = look.for_cleanup();
            needed.steps.sort_by_key(cleanup_rank);
            Ok(needed)
        }
    }
}

/// What must come before what when applying.
///
/// The MTU: below 1280 a device takes no IPv6 address. All routes before the rules that lead to
/// them, layer by layer, so that at no time what shall stay out falls through to the tunnel's default
/// route; what ends the search in the last layer first of all, since what does so in the first counts
/// on it. What is left in a table goes before a rule leads there. Routes by a gateway come before a
/// guard, since the kernel looks for the gateway by the rules, too (`fib_check_nh_v4_gw` in
/// net/ipv4/fib_semantics.c). Domains before servers: a server without a domain would be asked for
/// everything until its domains are set. What is left elsewhere goes last, and addresses, with which
/// the kernel drops routes, at the very end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum ApplyRank {
    Mtu,
    LastThrow,
    ByGateway,
    Guard,
    GuardedRule,
    Device,
    StaleIntoTunnel,
    StaleAround,
    Rule,
    EndOfGuard,
    Domains,
    Servers,
    StaleRule,
    StaleElsewhere,
    StaleAddress,
}

impl ApplyRank {
    fn of(step: &Step, intent: &Intent, guarded: bool) -> Self {
        let wanted = |table: TableId| intent.tables().any(|own| own == table);
        let last = intent.tables().last();
        let throws = |route: &Route| route.refuses() && Some(route.table) == last;
        match (&step.change, &step.operation) {
            (Change::SetMtu { .. }, _) => Self::Mtu,
            (Change::AddRoute(route), _) if throws(route) => Self::LastThrow,
            (Change::AddRoute(new) | Change::AppendRoute(new), _)
            | (Change::ReplaceRoute { new, .. }, _)
                if new.gateway.is_some() =>
            {
                Self::ByGateway
            }
            (Change::AddRule(rule), _) if is_guard(rule) => Self::Guard,
            (Change::DeleteRule(rule), _) if is_guard(rule) => Self::EndOfGuard,
            (Change::DeleteRule(_), _) if guarded => Self::GuardedRule,
            (Change::DeleteRule(_), _) => Self::StaleRule,
            (_, Operation::DeleteRoute(route)) if wanted(route.table) => {
                if route.device == Some(intent.tun()) {
                    Self::StaleIntoTunnel
                } else {
                    Self::StaleAround
                }
            }
            (_, Operation::DeleteRoute(_)) => Self::StaleElsewhere,
            (Change::AddRule(_), _) => Self::Rule,
            (Change::Dns(DnsChange::Domains(_)), _) => Self::Domains,
            (Change::Dns(_), _) => Self::Servers,
            (_, Operation::DeleteAddress { .. }) => Self::StaleAddress,
            _ => Self::Device,
        }
    }
}

/// When cleaning up, rules go before the routes that they lead to.
fn cleanup_rank(step: &Step) -> u8 {
    match &step.change {
        Change::Dns(_) => 0,
        Change::DeleteRule(_) => 1,
        Change::DeleteRoute(_) => 2,
        Change::DeleteAddress(_) => 3,
        _ => 4,
    }
}

struct Look<'a> {
    plan: &'a Plan,
    intent: &'a Intent,
    state: &'a KernelState,
    ownership: &'a Ownership,
    holders: Holders,
}

impl Look<'_> {
    fn for_apply(&self) -> Result<Needed, Error> {
        let tun = self.intent.tun();
        let tun = self.state.link(tun).ok_or(Error::NoDevice(tun))?;
        collision::check(self.intent, self.state, &self.holders)?;
        let wanted = |table: TableId| self.intent.tables().any(|own| own == table);
        let routes = routes::routes(self.plan, self.state, |route| {
            self.holders.has_route(route, wanted)
        })?;
        let mut needed = Needed::default();
        for operation in self.plan.operations() {
            let change = self.device_or_dns(operation, tun);
            let change = match (change, operation) {
                (None, Operation::AddRule(rule)) => self.add_rule(operation, rule)?,
                (change, _) => change,
            };
            needed
                .steps
                .extend(change.map(|change| change.of(operation.clone())));
        }
        needed.steps.extend(routes.steps);
        let guarded = self.change_rules(wanted, &routes.leftovers, &mut needed);
        for route in routes.leftovers {
            if let Some(planned) = PlannedRoute::of(&route, &self.state.links) {
                needed.leave(Operation::DeleteRoute(planned), Change::DeleteRoute(route));
            }
        }
        let addresses = retire::addresses(self.intent, self.state, self.ownership, tun);
        for step in addresses {
            if !needed.leftovers.contains(&step.operation) {
                needed.leftovers.push(step.operation.clone());
            }
            needed.steps.push(step);
        }
        needed
            .steps
            .sort_by_key(|step| ApplyRank::of(step, self.intent, guarded));
        Ok(needed)
    }

    /// Takes away the rules of before. Where there are others instead, or where tables change into
    /// which some lead, it is under a guard. Says whether there is one.
    fn change_rules(
        &self,
        also: impl Fn(TableId) -> bool + Copy,
        leftovers: &[Route],
        needed: &mut Needed,
    ) -> bool {
        let old = self.rules_from_before(also);
        let new = needed.steps.iter().filter_map(|step| match step.change {
            Change::AddRule(rule) => Some(rule),
            _ => None,
        });
        let new: Vec<_> = new.collect();
        for &rule in &old {
            needed.leave(Operation::DeleteRule(rule), Change::DeleteRule(rule));
        }
        let stand = |rule: &&Rule| !is_guard(rule) && self.holders.has_rule(rule, also);
        let stand: Vec<_> = self.state.rules.iter().filter(stand).copied().collect();
        let tables_change = leftovers.iter().any(|route| also(route.table));
        let others_come = !new.is_empty() && tables_change;
        let some_go = old.iter().any(|rule| !is_guard(rule));
        // Where all go for good, they go layer by layer.
        let stays = self.intent.full_tunnel().is_some() && !stand.is_empty();
        if !(stays && (others_come || some_go)) {
            return false;
        }
        for rule in guard(&stand, &new) {
            // One that a crash has left is taken away already.
            if !self.state.rules.contains(&rule) {
                let add = Change::AddRule(rule).of(Operation::AddRule(rule));
                needed.steps.push(add);
                needed.leave(Operation::DeleteRule(rule), Change::DeleteRule(rule));
            }
        }
        true
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
            // Routes and rules are looked at as a whole. A rule is deleted first for those alone who
            // type the commands; the kernel forgets cached routes by itself.
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
                theirs: format!("rule `{theirs} proto {}`", theirs.protocol),
                protocol: theirs.protocol.to_string(),
            }),
            None => Ok(Some(Change::AddRule(*new))),
        }
    }

    /// Our rules that the plan does not have, the last layer's first.
    fn rules_from_before(&self, also: impl Fn(TableId) -> bool + Copy) -> Vec<Rule> {
        let planned = |rule: &Rule| {
            let mut operations = self.plan.operations().iter();
            operations.any(|operation| matches!(operation, Operation::AddRule(own) if own == rule))
        };
        let stale = |rule: &&Rule| self.holders.has_rule(rule, also) && !planned(rule);
        let mut stale: Vec<_> = self.state.rules.iter().filter(stale).copied().collect();
        stale.sort_by_key(|rule| std::cmp::Reverse(rule.priority));
        stale
    }

    fn for_cleanup(&self) -> Needed {
        let tun = self.state.link(self.intent.tun());
        let mut needed = Needed::default();
        let everything = |_| true;
        for operation in self.plan.operations() {
            let change = match operation {
                Operation::DeleteAddress { address, .. } => tun.and_then(|tun| {
                    let address = Address::new(tun.index, address.net());
                    let there = self.state.holds_address(&address);
                    there.then_some(Change::DeleteAddress(address))
                }),
                Operation::SetDown { .. } => tun
                    .filter(|tun| tun.up)
                    .map(|tun| Change::SetDown(tun.index)),
                // What resolved knew of a device is gone with it.
                Operation::RevertDns { .. } => tun.map(|_| Change::Dns(DnsChange::Revert)),
                _ => None,
            };
            needed
                .steps
                .extend(change.map(|change| change.of(operation.clone())));
        }
        for rule in self.rules_from_before(everything) {
            let operation = Operation::DeleteRule(rule);
            let planned = self.plan.operations().contains(&operation);
            needed.take(operation, Change::DeleteRule(rule), planned);
        }
        let planned = self.planned_routes();
        let ours = |route: &&Route| self.holders.has_route(route, everything);
        for route in self.state.routes.iter().filter(ours) {
            let mut known = planned.get(&RouteKey::of(route)).into_iter().flatten();
            let known = known.find(|(kernel, _)| same_route(kernel, route));
            let operation = match known {
                Some((_, operation)) => Some((*operation).clone()),
                None => PlannedRoute::of(route, &self.state.links).map(Operation::DeleteRoute),
            };
            if let Some(operation) = operation {
                let change = Change::DeleteRoute(route.clone());
                needed.take(operation, change, known.is_some());
            }
        }
        needed
    }

    /// The routes that the plan deletes, as the kernel has them.
    fn planned_routes(&self) -> HashMap<RouteKey, Vec<(Route, &Operation)>> {
        let mut planned: HashMap<_, Vec<_>> = HashMap::new();
        for operation in self.plan.operations() {
            if let Operation::DeleteRoute(route) = operation
                && let Ok(route) = route.for_kernel(&self.state.links)
            {
                let same_key = planned.entry(RouteKey::of(&route)).or_default();
                same_key.push((route, operation));
            }
        }
        planned
    }
}

impl Needed {
    /// A change for something that the plan does not know.
    fn leave(&mut self, operation: Operation, change: Change) {
        self.take(operation, change, false);
    }

    fn take(&mut self, operation: Operation, change: Change, planned: bool) {
        if !planned {
            self.leftovers.push(operation.clone());
        }
        self.steps.push(change.of(operation));
    }
}
