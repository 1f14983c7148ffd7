//! The LAN's routes, copied as they change.

use std::time::Instant;

use fps_netlink::{RouteFilter, TableId};

use crate::change::lan_changes;
use crate::{Error, Executor, Intent, KernelState, Layer, Plan};

/// What a look at the LAN has changed.
pub(crate) struct Mirrored {
    /// The operations that were carried out, as commands.
    pub(crate) done: Vec<String>,
    /// Those that the kernel refused, and its word for it: the LAN has changed once more.
    pub(crate) refused: Vec<String>,
    /// When it began and ended.
    pub(crate) from: Instant,
    pub(crate) until: Instant,
}

/// Makes the copies be what table main says now. Only the interfaces, table main and the copies are
/// read, which takes a fraction of a millisecond however many routes the tunnel has.
pub(crate) async fn mirror(executor: &Executor, intent: &Intent) -> Result<Mirrored, Error> {
    let from = Instant::now();
    let Some(full) = intent.full_tunnel() else {
        return Ok(Mirrored::nothing(from));
    };
    let copies = full.table_of(Layer::Lan);
    let netlink = executor.netlink();
    netlink.settle().await.map_err(Error::Netlink)?;
    let mut state = KernelState::default();
    for family in full.families(intent.has_v6_address()) {
        for table in [TableId::MAIN, copies] {
            let table = Some(table);
            let routes = executor.bulk().routes(RouteFilter { family, table });
            state.routes.extend(routes.map_err(Error::Netlink)?);
        }
    }
    state.links = netlink.links().await.map_err(Error::Netlink)?;
    let plan = Plan::of_lan(intent, state.underlay());
    let needed = lan_changes(&plan, &state, copies)?;
    let requests = needed
        .steps
        .iter()
        .filter_map(|step| step.change.route_request());
    let requests: Vec<_> = requests.collect();
    let answers = executor.bulk().change(&requests).map_err(Error::Netlink)?;
    let mut mirrored = Mirrored::nothing(from);
    for (at, step) in needed.steps.iter().enumerate() {
        let command = needed.operation(&plan, step).to_string();
        match answers.iter().find(|(place, _)| *place == at) {
            Some((_, errno)) if !step.change.is_done_already(*errno) => {
                mirrored
                    .refused
                    .push(format!("{command}: {}", errno.desc()));
            }
            _ => mirrored.done.push(command),
        }
    }
    mirrored.until = Instant::now();
    Ok(mirrored)
}

impl Mirrored {
    fn nothing(from: Instant) -> Self {
        Self {
            done: Vec::new(),
            refused: Vec::new(),
            from,
            until: Instant::now(),
        }
    }
}
