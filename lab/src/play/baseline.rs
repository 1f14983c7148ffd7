//! What hosts were like at the moments with which later steps compare them.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use futures_util::future::try_join_all;
use tokio::time::sleep;

use super::stage::{Stage, StageError};
use crate::scenario::{Check, HostName, Since};
use crate::snapshot::Snapshot;

/// Snapshots by host and moment.
pub(super) type Baselines = HashMap<(HostName, Since), Snapshot>;

/// What the kernel does from work queues, such as an address that follows a link, comes a little
/// later. So a moment is over when a host was the same twice, this far apart; or after so many
/// looks, when it changes all the time, which the comparison then shows.
const REST: Duration = Duration::from_millis(20);
const LOOKS: usize = 10;

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

    async fn resting(&self, host: &HostName) -> Result<Snapshot, StageError> {
        let (sandbox, host) = (self.lab.sandbox(), self.lab.host(host));
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
