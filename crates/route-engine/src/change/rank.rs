//! What must come before what.

use fps_netlink::{Route, RouteKind, TableId};

use super::guard::is_guard;
use super::placeholder::is_placeholder;
use super::{Change, DnsChange, Step};
use crate::Intent;
use crate::intent::is_leak_guard;

/// When applying.
///
/// The MTU: below 1280 a device takes no IPv6 address. The device before the routes into it: it
/// must be up for them (ENETDOWN in `fib_check_nh_nongw`, net/ipv4/fib_semantics.c). All routes before the rules that lead to
/// them, layer by layer, so that at no time what shall stay out falls through to the tunnel's default
/// route; what ends the search in the last layer first of all, since what does so in the first counts
/// on it. What is left in a table goes before a rule leads there, and what of it leads into the
/// tunnel before what leads around it. Routes by a gateway come before a guard, since the kernel
/// looks for the gateway by the rules, too (`fib_check_nh_v4_gw` in net/ipv4/fib_semantics.c).
/// A guard against DNS leaks comes before all that could lead a query elsewhere, and goes behind it.
/// Domains before servers: a server without a domain would be asked for everything until its domains
/// are set. What is left elsewhere goes last, and addresses, with which the kernel drops routes, at
/// the very end; with them those routes come again, behind placeholders that go then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ApplyRank {
    Mtu,
    KeptRoute,
    EarlyLeakGuard,
    LastThrow,
    ByGateway,
    Guard,
    GuardedRule,
    Device,
    Route,
    StaleIntoTunnel,
    StaleAround,
    Rule,
    EndOfGuard,
    Domains,
    Servers,
    StaleRule,
    StaleLeakGuard,
    StaleElsewhere,
    StaleAddress,
    StaleDns,
}

/// What the rank of a step depends on beside the step.
pub(super) struct Circumstances<'a> {
    pub(super) intent: &'a Intent,
    /// The TUN device.
    pub(super) tun: fps_netlink::IfIndex,
    /// Whether the rules change under a guard.
    pub(super) guarded: bool,
    /// Whether a guard against DNS leaks can be set first.
    pub(super) clean: bool,
}

impl ApplyRank {
    pub(super) fn of(step: &Step, now: &Circumstances<'_>) -> Self {
        let last = now.intent.tables().last();
        let throws = |route: &Route| route.refuses() && Some(route.table) == last;
        match &step.change {
            Change::SetMtu { .. } => Self::Mtu,
            Change::AddRoute(route) if route.kind == RouteKind::Local && now.clean => {
                Self::KeptRoute
            }
            // Under a guard it has time, and the table may be another layer's before.
            Change::AddRoute(route) if throws(route) && !now.guarded => Self::LastThrow,
            Change::AddRoute(new) | Change::AppendRoute(new) if new.gateway.is_some() => {
                Self::ByGateway
            }
            Change::ReplaceRoute(routes) if routes.1.gateway.is_some() => Self::ByGateway,
            Change::AddRule(rule) if is_guard(rule) => Self::Guard,
            Change::AddRule(rule) if is_leak_guard(rule) && now.clean => Self::EarlyLeakGuard,
            // A plan has those of a leak guard before the others, and the sort leaves them there.
            Change::AddRule(_) => Self::Rule,
            Change::DeleteRule(rule) if is_guard(rule) => Self::EndOfGuard,
            Change::DeleteRule(rule) if is_leak_guard(rule) => Self::StaleLeakGuard,
            Change::DeleteRule(_) if now.guarded => Self::GuardedRule,
            Change::DeleteRule(_) => Self::StaleRule,
            Change::KeepRoute(_) => Self::StaleAddress,
            Change::DeleteRoute(route) if is_placeholder(route) => Self::StaleAddress,
            Change::DeleteRoute(route) if step.reason.is_leftover() => Self::of_stale(route, now),
            Change::AddAddress(_) | Change::KeepAddress(_) | Change::DeleteAddress(_)
                if step.reason.is_leftover() =>
            {
                Self::StaleAddress
            }
            Change::Dns(DnsChange::Domains(_) | DnsChange::DefaultRoute(_)) => Self::Domains,
            // A resolver that is told no more has nothing that could be set back after a later failure.
            Change::Dns(DnsChange::Revert) => Self::StaleDns,
            Change::Dns(_) => Self::Servers,
            Change::AddAddress(_)
            | Change::KeepAddress(_)
            | Change::DeleteAddress(_)
            | Change::SetUp(_)
            | Change::SetDown(_) => Self::Device,
            Change::AddRoute(_)
            | Change::AppendRoute(_)
            | Change::ReplaceRoute(_)
            | Change::DeleteRoute(_) => Self::Route,
        }
    }

    fn of_stale(route: &Route, now: &Circumstances<'_>) -> Self {
        let wanted = |table: TableId| now.intent.tables().any(|own| own == table);
        match wanted(route.table) {
            true if route.link == Some(now.tun) => Self::StaleIntoTunnel,
            true => Self::StaleAround,
            false => Self::StaleElsewhere,
        }
    }
}

/// When cleaning up: rules go before the routes that they lead to, and addresses after them. With the
/// last address go the routes of others, which come again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum CleanupRank {
    Dns,
    Rule,
    Route,
    Placeholder,
    Address,
    RouteAgain,
    Device,
}

impl CleanupRank {
    pub(super) fn of(step: &Step) -> Self {
        match &step.change {
            Change::Dns(_) => Self::Dns,
            Change::DeleteRule(_) => Self::Rule,
            Change::AddRoute(_) => Self::Placeholder,
            Change::DeleteRoute(route) if is_placeholder(route) => Self::RouteAgain,
            Change::DeleteRoute(_) => Self::Route,
            Change::DeleteAddress(_) => Self::Address,
            Change::KeepRoute(_) => Self::RouteAgain,
            _ => Self::Device,
        }
    }
}
