//! Whose routes and rules those with our protocol number are.

use std::collections::BTreeSet;

use fps_netlink::{LinkName, RulePriority, TableId};

use crate::{Dns, FullTunnel, Intent, ResolverKind, TunAddress};

/// What one tunnel of this network namespace holds, as recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Its device.
    pub tun: LinkName,
    /// Its tables.
    pub tables: BTreeSet<TableId>,
    /// The priorities of its rules.
    pub priorities: BTreeSet<RulePriority>,
}

impl Claim {
    /// What intents of one device hold.
    pub fn of<'a>(tun: LinkName, intents: impl IntoIterator<Item = &'a Intent>) -> Self {
        let full: Vec<&FullTunnel> = intents
            .into_iter()
            .filter_map(Intent::full_tunnel)
            .collect();
        Self {
            tun,
            tables: full.iter().flat_map(|full| full.tables()).collect(),
            priorities: full.iter().flat_map(|full| full.priorities()).collect(),
        }
    }
}

/// Who holds what. All of it carries one protocol number, so that it is found again after a crash;
/// which tunnel it belongs to is in the records or, without them, in where it leads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ownership {
    /// What this tunnel holds.
    pub own: Option<Claim>,
    /// The addresses that we gave its device.
    pub addresses: Vec<TunAddress>,
    /// What we told the resolver about it.
    pub dns: Dns,
    /// The resolvers that were told it.
    pub resolvers: Vec<ResolverKind>,
    /// What other tunnels hold.
    pub others: Vec<Claim>,
    /// Whether other tunnels may hold more, of which the records cannot be read.
    pub unknown: bool,
}
