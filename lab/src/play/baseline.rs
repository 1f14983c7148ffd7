//! What hosts were like at the moments with which later steps compare them.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use futures_util::future::try_join_all;
use tokio::time::sleep;

use super::stage::{Stage, StageError};
use crate::lab::Host;
use crate::scenario::{Check, HostName, Since};
use crate::snapshot::{Snapshot, SnapshotError};

/// Snapshots by host and moment.
pub(super) type Baselines = HashMap<(HostName, Since), Snapshot>;

/// What the kernel does from work queues, such as an address that follows a link, comes a little
/// later. So a moment is over when a host was the same twice, this far apart; or after so many
/// looks, when it changes all the time, which the comparison then shows.
const REST: Duration = Duration::from_millis(20);
const LOOKS: usize = 10;
/// So many looks there may be while an IPv6 address is tentative: on a busy machine the work queue that
/// makes it usable, and its route, comes later than the next look.
const LOOKS_AT_TENTATIVE: usize = 100;

impl Stage<'_> {
    /// Takes the snapshots that later steps need of this moment.
    pub(super) async fn remember(&mut self, moment: &Since) -> Result<(), StageError> {
        let expectations = self.scenario.steps.iter().flat_map(|step| &step.expect);
        let hosts: HashSet<HostName> = expectations
            .filter_map(|expectation| match &expectation.check {
                Check::Unchanged(wanted) if wanted.since == *moment => Some(wanted.on.clone()),
                _ => None,
            })
            .collect();
        for host in hosts {
            let snapshot = self.resting(&host).await?;
            self.baselines.insert((host, moment.clone()), snapshot);
        }
        Ok(())
    }

    /// Takes the snapshots of all hosts at this moment, side by side, for steps that nobody knows yet.
    pub(super) async fn remember_all(&mut self, moment: &Since) -> Result<(), StageError> {
        let stage = &*self;
        let looks = stage.lab.hosts().map(async |(host, _)| {
            let snapshot = stage.resting(host).await?;
            Ok::<_, StageError>((host.clone(), snapshot))
        });
        for (host, snapshot) in try_join_all(looks).await? {
            self.baselines.insert((host, moment.clone()), snapshot);
        }
        Ok(())
    }

    async fn resting(&self, name: &HostName) -> Result<Snapshot, StageError> {
        let (sandbox, host) = (self.lab.sandbox(), self.lab.host(name));
        for _ in 0..LOOKS_AT_TENTATIVE {
            if !has_tentative(host).await.map_err(SnapshotError::from)? {
                break;
            }
            sleep(REST).await;
        }
        let mut last = Snapshot::take(sandbox, host).await?;
        for _ in 0..LOOKS {
            sleep(REST).await;
            let now = Snapshot::take(sandbox, host).await?;
            if now == last {
                break;
            }
            last = now;
        }
        Ok(last)
    }
}

/// Whether an address of a link that carries is not usable yet. On one that does not it stays so.
async fn has_tentative(host: &Host) -> Result<bool, fps_netlink::Error> {
    let netlink = host.station().netlink();
    let addresses = netlink.addresses(None).await?;
    if !addresses.iter().any(|it| it.tentative) {
        return Ok(false);
    }
    let links = netlink.links().await?;
    let carries = |index| {
        let mut links = links.iter().filter(|link| link.index == index);
        links.any(|link| link.up && link.carrier)
    };
    Ok(addresses.iter().any(|it| it.tentative && carries(it.link)))
}
