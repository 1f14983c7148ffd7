//! Tables and priorities that nobody has.

use std::collections::BTreeSet;

use fps_netlink::{RulePriority, TableId};

use super::collision::collisions;
use super::holder::Holders;
use crate::{Error, FullTunnel, Intent, KernelState, Ownership};

/// How far it is worth looking.
const TRIES: u32 = 1000;

/// The intent with tables and priorities that are free (`--auto`): those that it had, else those that
/// it names, else the next ones. Fails where none of them will do: where, whatever the numbers,
/// another tunnel takes all packets. The state has to hold the routes of all tables.
pub fn numbered(
    intent: &Intent,
    state: &KernelState,
    ownership: &Ownership,
) -> Result<Intent, Error> {
    let Some(full) = intent.full_tunnel() else {
        return Ok(intent.clone());
    };
    let holders = Holders::new(intent.tun(), state, ownership);
    let had = ownership.own.iter().filter_map(|own| {
        let table = own.tables.first().copied()?;
        Some((table, own.priorities.first().copied()?))
    });
    let named = (full.table, full.priority);
    let mut candidates = had.chain([named]).chain(next(full, state, ownership));
    let found = candidates.find_map(|(table, priority)| {
        let moved = intent.clone().placed_at(table, priority);
        let free = fits(&moved) && collisions(&moved, state, &holders).is_empty();
        free.then_some(moved)
    });
    found.map_or_else(
        || match collisions(intent, state, &holders).into_iter().next() {
            Some(refused) => Err(refused),
            None => Ok(intent.clone()),
        },
        Ok,
    )
}

/// Whether the numbers stay clear of the machine's own.
fn fits(intent: &Intent) -> bool {
    let Some(full) = intent.full_tunnel() else {
        return true;
    };
    let own_table = |table: TableId| matches!(table.0, 0 | 253..=255);
    let own_priority = |priority: RulePriority| !(1..=32765).contains(&priority.0);
    !full.tables().any(own_table) && !full.priorities().any(own_priority)
}

/// The next free table with, each in its turn, priorities upwards and then downwards: further up a
/// rule of somebody else's may take all packets first.
fn next<'a>(
    full: &'a FullTunnel,
    state: &KernelState,
    ownership: &Ownership,
) -> impl Iterator<Item = (TableId, RulePriority)> + use<'a> {
    let mut taken: BTreeSet<_> = state.routes.iter().map(|route| route.table).collect();
    taken.extend(state.rules.iter().filter_map(fps_netlink::Rule::table));
    taken.extend(
        ownership
            .others
            .iter()
            .flat_map(|other| other.tables.iter().copied()),
    );
    let (count, _) = full.counts();
    let free = |first: &u32| {
        let mut tables = (0..count).map(|offset| TableId(first.saturating_add(offset)));
        !tables.any(|table| taken.contains(&table) || matches!(table.0, 0 | 253..=255))
    };
    let first = full.table.0;
    let table = (first..first.saturating_add(TRIES)).find(free).map(TableId);
    let priority = full.priority.0;
    let up = priority..priority.saturating_add(TRIES);
    let down = (1..priority).rev();
    let priorities = up.chain(down).map(RulePriority);
    table
        .into_iter()
        .flat_map(move |table| priorities.clone().map(move |priority| (table, priority)))
}
