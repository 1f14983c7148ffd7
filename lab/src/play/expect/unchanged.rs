//! `unchanged`: a host's network is as it was at an earlier moment of the play.

use std::time::Duration;

use fps_netlink::LinkName;
use tokio::time::{Instant, sleep_until};

use super::CheckError;
use crate::play::Verdict;
use crate::play::stage::Stage;
use crate::scenario::Unchanged;
use crate::snapshot::{Change, Snapshot};

/// How often the host is looked at until it is as it was.
const LOOK: Duration = Duration::from_millis(50);
/// How many lines a failure shows.
const SHOWN: usize = 40;

pub(super) async fn check(stage: &Stage<'_>, wanted: &Unchanged) -> Result<Verdict, CheckError> {
    let deadline = Instant::now() + wanted.within;
    let Some(before) = stage.baseline(&wanted.on, &wanted.since) else {
        let why = format!("nobody has looked at {} at {}", wanted.on, wanted.since);
        return Ok(Verdict::Inconclusive(why));
    };
    let except: Vec<&str> = wanted.except.iter().map(LinkName::as_str).collect();
    let before = before.without(&except);
    loop {
        let now = Snapshot::take(stage.lab.sandbox(), stage.lab.host(&wanted.on)).await?;
        let now = now.without(&except);
        let changes = Snapshot::diff(&before, &now);
        if changes.is_empty() {
            return Ok(same(wanted, &before, &now));
        }
        if Instant::now() >= deadline {
            return Ok(other(wanted, &changes));
        }
        sleep_until((Instant::now() + LOOK).min(deadline)).await;
    }
}

/// Nothing that can be read is other than it was.
fn same(wanted: &Unchanged, before: &Snapshot, now: &Snapshot) -> Verdict {
    let unseen: Vec<&str> = [before, now]
        .into_iter()
        .flat_map(|snapshot| &snapshot.unseen)
        .map(String::as_str)
        .collect();
    if !unseen.is_empty() {
        return Verdict::Inconclusive(format!(
            "a change of {} could hide in what cannot be read: {}",
            wanted.on,
            unseen.join("; ")
        ));
    }
    Verdict::Held(format!(
        "nothing since {}: {} links, {} addresses, {} routes, {} rules, {} nft objects, {} sysctls",
        wanted.since,
        now.links.len(),
        now.addresses.len(),
        now.routes.len(),
        now.rules.len(),
        now.nft.len(),
        now.sysctls.len()
    ))
}

fn other(wanted: &Unchanged, changes: &[Change]) -> Verdict {
    let why = format!(
        "expected nothing of {} changed since {}, within {:?}; lines that differ: {} (- then, + now)",
        wanted.on,
        wanted.since,
        wanted.within,
        changes.len()
    );
    let mut evidence: Vec<String> = changes.iter().take(SHOWN).map(Change::to_string).collect();
    if changes.len() > SHOWN {
        evidence.push(format!("… and {} more", changes.len() - SHOWN));
    }
    Verdict::failed(why, evidence)
}
