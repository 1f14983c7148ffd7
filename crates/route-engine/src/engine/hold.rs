//! The guard against DNS leaks, held while there is no device.

use crate::execute::Tables;
use crate::state::RouteKey;
use crate::{Error, Executor, Intent, Operation, Plan};

/// Sets again what is missing of an intent's guard and needs no device, such as the rules for a link
/// that has come meanwhile. Gives the commands.
pub(crate) async fn hold(executor: &Executor, intent: &Intent) -> Result<Vec<String>, Error> {
    let tables = Tables::Some(intent.tables().collect());
    let state = executor.state(&tables).await?;
    let plan = Plan::of_leak_guard(intent, state.underlay()).for_host(state.has_ipv6());
    let netlink = executor.netlink();
    let mut done = Vec::new();
    for (_, operation) in plan.wanted() {
        match operation {
            Operation::ReplaceRoute(planned) => {
                let Ok(route) = planned.for_kernel(&state.links) else {
                    continue;
                };
                let mut there = state.routes.iter().map(RouteKey::of);
                if there.any(|key| key == RouteKey::of(&route)) {
                    continue;
                }
                netlink.add_route(&route).await
            }
            Operation::AddRule(rule) if !state.rules.contains(rule) => netlink.add_rule(rule).await,
            _ => continue,
        }
        .map_err(Error::Netlink)?;
        done.push(operation.to_string());
    }
    Ok(done)
}
