//! Tables, priorities and packets that somebody else has.

use fps_netlink::{FPS_ROUTE_PROTOCOL, Route, Rule};

use super::captor::captors;
use super::holder::{Holder, Holders};
use super::owner;
use crate::{Error, FullTunnel, Intent, KernelState, Selector};

/// Fails where the full tunnel's tables or priorities are not free, or where another tunnel takes
/// the packets that it is to take.
pub(super) fn check(intent: &Intent, state: &KernelState, holders: &Holders) -> Result<(), Error> {
    let Some(full) = intent.full_tunnel() else {
        return Ok(());
    };
    let look = Look {
        intent,
        full,
        state,
        holders,
    };
    look.rules()?;
    look.routes()?;
    look.captors()
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
    fn rules(&self) -> Result<(), Error> {
        for rule in self.state.rules.iter().filter(|rule| !self.is_own(rule)) {
            let theirs = || format!("rule `{rule} proto {}`", rule.protocol);
            if self.full.priorities().any(|own| own == rule.priority) {
                return Err(Error::Taken {
                    what: format!("--priority {}", rule.priority),
                    theirs: theirs(),
                    owner: self.whose(rule),
                });
            }
            if let Some(table) = rule.table()
                && self.full.tables().any(|own| own == table)
            {
                return Err(Error::Taken {
                    what: format!("--table {table}"),
                    theirs: theirs(),
                    owner: self.whose(rule),
                });
            }
        }
        Ok(())
    }

    fn routes(&self) -> Result<(), Error> {
        for table in self.full.tables() {
            let holder = self.holders.of(table);
            let theirs = |route: &&Route| {
                let other =
                    route.protocol == FPS_ROUTE_PROTOCOL && matches!(holder, Holder::Other(_));
                route.table == table && (route.protocol != FPS_ROUTE_PROTOCOL || other)
            };
            if let Some(route) = self.state.routes.iter().find(theirs) {
                let owner = match (holder, owner::of_table(table)) {
                    (Holder::Other(Some(tun)), _) => format!("fps-route's for {tun}"),
                    (_, Some(name)) => format!("probably {name}'s"),
                    (_, None) => owner::by_protocol(route.protocol),
                };
                return Err(Error::Taken {
                    what: format!("--table {table}"),
                    theirs: format!("route `{}`", self.state.describe(route)),
                    owner,
                });
            }
        }
        Ok(())
    }

    /// Of two full tunnels one never gets a packet, or each carries the other.
    fn captors(&self) -> Result<(), Error> {
        let families = self.full.families(self.intent.has_v6_address());
        // What takes all but its own mark takes the other tunnel's carrier, too.
        let takes_all = |selector: &Selector| matches!(selector, Selector::Unmarked(_));
        let takes_all = self.full.selectors.iter().any(takes_all);
        let last = self.full.priorities().last();
        for rule in captors(self.state, |rule| !self.is_own(rule)) {
            let before = last.is_some_and(|own| rule.priority < own);
            if families.contains(&rule.family) && (before || takes_all) {
                return Err(Error::Captured {
                    rule: rule.to_string(),
                    owner: self.whose(rule),
                    hidden: before,
                });
            }
        }
        Ok(())
    }
}
