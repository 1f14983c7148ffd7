//! Whose a table is, and with it the rules and routes that carry our protocol number.

use std::collections::{BTreeMap, BTreeSet};

use fps_netlink::{
    FPS_ROUTE_PROTOCOL, Family, IfIndex, LinkName, Route, RouteKind, Rule, RulePriority, TableId,
};

use super::guard::is_guard;
use super::placeholder::is_placeholder;
use crate::intent::{is_leak_guard, is_near};
use crate::{KernelState, Ownership};

/// Whose a table is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holder {
    /// This tunnel's.
    Us,
    /// That of the tunnel with this device; or of one whose route leads by an unknown interface.
    Other(Option<LinkName>),
    /// Nobody's: nothing is recorded, and it leads nowhere. As after a crash, when the record and
    /// the device are gone.
    Nobody,
}

/// The tables that have anything with our protocol number, and whose they are.
pub(super) struct Holders {
    tun: Option<IfIndex>,
    tables: BTreeMap<TableId, Holder>,
    priorities: BTreeSet<RulePriority>,
    priorities_of_others: BTreeSet<RulePriority>,
    /// The rules of guards against DNS leaks that lead to a table.
    leak_guards: Vec<(Family, RulePriority, TableId)>,
}

/// The layers of one tunnel follow each other, in tables and priorities, with the same selector: so
/// what is not known of one the next one tells, and the last one has the default route.
fn by_layers(tables: &mut BTreeMap<TableId, Holder>, state: &KernelState) {
    let rules = state.rules.iter();
    let rules = rules.filter(|rule| rule.protocol == FPS_ROUTE_PROTOCOL);
    let rules: Vec<_> = rules
        .filter_map(|rule| Some((rule, rule.table()?)))
        .collect();
    let next = |rule: &Rule, table: TableId| {
        let layer = |other: &&(&Rule, TableId)| {
            let selector = |rule: &Rule| {
                let narrow = (rule.output, rule.ip_protocol, rule.ports);
                (rule.family, rule.mark, rule.from, rule.inverted, narrow)
            };
            selector(other.0) == selector(rule)
                && Some(other.1.0) == table.0.checked_add(1)
                && other.0.priority.0 == rule.priority.0 + 1
        };
        rules.iter().find(layer).map(|(_, table)| *table)
    };
    // The last layers first.
    let mut unknown: Vec<_> = rules
        .iter()
        .filter(|(_, table)| tables.get(table) == Some(&Holder::Nobody))
        .collect();
    unknown.sort_by_key(|(_, table)| std::cmp::Reverse(*table));
    for (rule, table) in unknown {
        let holder = next(rule, *table).and_then(|next| tables.get(&next).copied());
        if let Some(holder) = holder.filter(|holder| *holder != Holder::Nobody) {
            tables.insert(*table, holder);
        }
    }
}

impl Holders {
    /// Sorts them out for the tunnel with this device.
    pub(super) fn new(tun: LinkName, state: &KernelState, ownership: &Ownership) -> Self {
        let tun = state.link(tun).map(|link| link.index);
        let mut tables = BTreeMap::new();
        let of_rules = state
            .rules
            .iter()
            .filter(|rule| rule.protocol == FPS_ROUTE_PROTOCOL);
        let of_rules = of_rules.filter_map(Rule::table);
        for table in of_rules {
            tables.insert(table, Holder::Nobody);
        }
        for route in &state.routes {
            if route.protocol != FPS_ROUTE_PROTOCOL || route.table == TableId::MAIN {
                continue;
            }
            let holder = tables.entry(route.table).or_insert(Holder::Nobody);
            // What stays on the host leads nowhere, whatever its interface.
            let leads = route.to.prefix_len() == 0 && route.kind != RouteKind::Local;
            if let Some(link) = route.link.filter(|_| leads) {
                // A default route tells; and if there are several, one into our device.
                *holder = match holder {
                    _ if Some(link) == tun => Holder::Us,
                    Holder::Us => Holder::Us,
                    _ => Holder::Other(state.link_name(link)),
                };
            }
        }
        by_layers(&mut tables, state);
        for other in &ownership.others {
            for table in &other.tables {
                tables.insert(*table, Holder::Other(Some(other.tun)));
            }
        }
        for table in ownership.own.iter().flat_map(|own| &own.tables) {
            tables.insert(*table, Holder::Us);
        }
        let guards = state.rules.iter().filter(|rule| is_leak_guard(rule));
        let leak_guards =
            guards.filter_map(|rule| Some((rule.family, rule.priority, rule.table()?)));
        let own = ownership.own.iter();
        let priorities = own.flat_map(|own| own.priorities.iter().copied());
        let others = ownership.others.iter();
        let priorities_of_others = others.flat_map(|other| other.priorities.iter().copied());
        Self {
            tun,
            tables,
            priorities: priorities.collect(),
            priorities_of_others: priorities_of_others.collect(),
            leak_guards: leak_guards.collect(),
        }
    }

    /// Whose a table is.
    pub(super) fn of(&self, table: TableId) -> Holder {
        self.tables.get(&table).copied().unwrap_or(Holder::Nobody)
    }

    /// Whether it is ours; or nobody's, and one of `also`.
    fn holds(&self, table: TableId, also: impl Fn(TableId) -> bool) -> bool {
        match self.of(table) {
            Holder::Us => true,
            Holder::Nobody => also(table),
            Holder::Other(_) => false,
        }
    }

    /// Whether a rule is this tunnel's: it leads to a table that is; or it is what is left of a
    /// guard, which goes before the first of the rules that it guards.
    pub(super) fn has_rule(&self, rule: &Rule, also: impl Fn(TableId) -> bool) -> bool {
        if is_guard(rule) {
            let guarded = RulePriority(rule.priority.0 + 1);
            return !self.priorities_of_others.contains(&guarded);
        }
        if is_leak_guard(rule) && rule.table().is_none() {
            return self.has_leak_guard(rule, also);
        }
        let ours = rule.protocol == FPS_ROUTE_PROTOCOL;
        ours && rule.table().is_some_and(|table| self.holds(table, also))
    }

    /// Whether a rule of a guard against DNS leaks is this tunnel's that leads to no table: by its
    /// priority, as recorded, or by the table of those next to it.
    fn has_leak_guard(&self, rule: &Rule, also: impl Fn(TableId) -> bool) -> bool {
        let recorded = |set: &BTreeSet<_>| set.contains(&rule.priority);
        if recorded(&self.priorities) || recorded(&self.priorities_of_others) {
            return recorded(&self.priorities);
        }
        let mut next = self.leak_guards.iter().filter(|(family, priority, _)| {
            *family == rule.family && is_near(*priority, rule.priority)
        });
        next.all(|(_, _, table)| self.holds(*table, &also))
    }

    /// Whether a route is: it is in a table that is ours or, in one that is nobody else's, leads into
    /// the device. Another tunnel may have a copy of a route into ours, which to it is a LAN.
    pub(super) fn has_route(&self, route: &Route, also: impl Fn(TableId) -> bool) -> bool {
        let ours = route.protocol == FPS_ROUTE_PROTOCOL;
        let into_tun = self.tun.is_some() && route.link == self.tun;
        ours && match self.of(route.table) {
            Holder::Us => true,
            // Nobody else is at work now.
            Holder::Nobody if is_placeholder(route) => true,
            Holder::Nobody if route.table == TableId::MAIN => into_tun,
            Holder::Nobody => into_tun || also(route.table),
            Holder::Other(_) => false,
        }
    }
}
