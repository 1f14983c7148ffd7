//! Tables, priorities and packets that somebody else has.

use fps_netlink::{FPS_ROUTE_PROTOCOL, Family, ProtocolName, Route, RouteProtocol, Rule, TableId};

use super::captor::{Captor, How, Selected, captures};
use super::holder::{Holder, Holders};
use super::owner;
use crate::{Error, FullTunnel, Intent, KernelState, Selector};

/// What is in the way of the full tunnel: tables or priorities that are not free, and other tunnels
/// that take the packets that it is to take.
pub(super) fn collisions(intent: &Intent, state: &KernelState, holders: &Holders) -> Vec<Error> {
    let Some(full) = intent.full_tunnel() else {
        return Vec::new();
    };
    let look = Look {
        intent,
        full,
        state,
        holders,
    };
    let rules = look.rules();
    rules
        .into_iter()
        .chain(look.routes())
        .chain(look.captors())
        .collect()
}

struct Look<'a> {
    intent: &'a Intent,
    full: &'a FullTunnel,
    state: &'a KernelState,
    holders: &'a Holders,
}

impl Look<'_> {
    fn is_own(&self, rule: &Rule) -> bool {
        let wanted = |table| self.intent.tables().any(|own| own == table);
        self.holders.has_rule(rule, wanted)
    }

    fn families(&self) -> Vec<Family> {
        self.full.all_families(self.intent.has_v6_address())
    }

    fn whose(&self, rule: &Rule) -> String {
        let table = rule.table().filter(|_| rule.protocol == FPS_ROUTE_PROTOCOL);
        match table.map(|table| self.holders.of(table)) {
            Some(Holder::Other(Some(tun))) => format!("fps-route's for {tun}"),
            Some(_) => "fps-route's for another device".to_owned(),
            None => owner::of_rule(rule),
        }
    }

    /// Rules with one of our priorities would decide by which was made first; rules that lead to
    /// one of our tables would lead other packets into the tunnel.
    fn rules(&self) -> Vec<Error> {
        let families = self.families();
        let foreign = self.state.rules.iter();
        let foreign = foreign.filter(|rule| families.contains(&rule.family) && !self.is_own(rule));
        let taken = foreign.filter_map(|rule| {
            let table = rule.table();
            let what = if self.full.priorities().any(|own| own == rule.priority) {
                format!("--priority {}", rule.priority)
            } else if self.full.tables().any(|own| Some(own) == table) {
                format!("--table {}", table?)
            } else {
                return None;
            };
            Some(Error::Taken {
                what,
                theirs: format!("rule `{rule} proto {}`", ProtocolName(rule.protocol)),
                owner: self.whose(rule),
            })
        });
        taken.collect()
    }

    fn routes(&self) -> Vec<Error> {
        let families = self.families();
        let first_foreign = |table| {
            let holder = self.holders.of(table);
            let theirs = |route: &&Route| {
                let ours = route.protocol == FPS_ROUTE_PROTOCOL;
                let concerns = route.table == table && families.contains(&route.family());
                concerns && (!ours || matches!(holder, Holder::Other(_)))
            };
            let route = self.state.routes.iter().find(theirs)?;
            let owner = match (holder, owner::of_table(table)) {
                (Holder::Other(Some(tun)), _) => format!("fps-route's for {tun}"),
                (_, Some(name)) => format!("probably {name}'s"),
                (_, None) => owner::by_protocol(route.protocol),
            };
            Some(Error::Taken {
                what: format!("--table {table}"),
                theirs: format!("route `{}`", self.state.describe(route)),
                owner,
            })
        };
        self.full.tables().filter_map(first_foreign).collect()
    }

    /// Rules that take all packets first; and other full tunnels: of two one never gets a packet, or
    /// each carries the other.
    fn captors(&self) -> Vec<Error> {
        let v6 = self.intent.has_v6_address();
        let selected = Selected::of(self.full, v6);
        let foreign = self.state.rules.iter().filter(|rule| !self.is_own(rule));
        let in_the_way = foreign.filter_map(|rule| {
            let mut of_each = selected.iter();
            let captor = of_each.find_map(|selected| self.captor(rule, selected))?;
            Some(Error::Captured {
                rule: rule.to_string(),
                owner: self.whose(rule),
                what: captor.what(self.state),
                hidden: self.is_hidden_by(rule),
            })
        });
        in_the_way.collect()
    }

    fn is_hidden_by(&self, rule: &Rule) -> bool {
        let last = self.full.priorities().last();
        last.is_some_and(|own| rule.priority < own)
    }

    fn captor<'a>(&'a self, rule: &'a Rule, selected: &Selected) -> Option<Captor<'a>> {
        let captors = captures(self.state, rule, selected).into_iter();
        let mut whole = captors.filter(Captor::is_whole);
        if self.is_hidden_by(rule) {
            let last = self.full.priorities().last();
            return whole.find(|captor| match captor.how {
                How::Jump(target) => last.is_some_and(|last| target > last),
                How::Route(_) | How::Refused => true,
            });
        }
        // What takes all but its own mark takes the other tunnel's carrier, too.
        let takes_all = |selector: &Selector| matches!(selector, Selector::Unmarked(_));
        let machines =
            rule.protocol == RouteProtocol::Kernel || rule.table() == Some(TableId::MAIN);
        if machines || !self.full.selectors.iter().any(takes_all) {
            return None;
        }
        whole.find(|captor| matches!(captor.how, How::Route(route) if !route.refuses()))
    }
}
