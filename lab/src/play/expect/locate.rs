//! Where a target is at the moment: what a link has been given, the kernel knows.

use std::net::IpAddr;
use std::time::Duration;

use fps_netlink::Family;
use tokio::time::{Instant, sleep_until};

use super::CheckError;
use crate::play::stage::Stage;
use crate::scenario::{Given, Probe, Target};

/// How often the kernel is asked for an address that is not there yet.
const GAP: Duration = Duration::from_millis(20);

/// The address of a target; none where its link has none now.
pub(super) async fn locate(
    stage: &Stage<'_>,
    target: &Target,
) -> Result<Option<IpAddr>, CheckError> {
    let Given { host, link, family } = match target {
        Target::Fixed(address) => return Ok(Some(*address)),
        Target::Given(given) => given,
    };
    let failed = |error| CheckError::Network(host.clone(), error);
    let netlink = stage.lab.host(host).station().netlink();
    let Some(link) = netlink.link(link).await.map_err(failed)? else {
        return Ok(None);
    };
    let addresses = netlink.addresses(Some(link.index)).await.map_err(failed)?;
    let mut usable = addresses.iter().filter(|address| {
        !address.automatic && !address.tentative && Family::of(address.net.addr()) == *family
    });
    Ok(usable.next().map(|address| address.net.addr()))
}

/// A probe for where its target is, as soon as that is somewhere; why there is none at the deadline.
pub(super) async fn probe(
    stage: &Stage<'_>,
    probe: &Probe,
    deadline: Instant,
) -> Result<Result<Probe<IpAddr>, String>, CheckError> {
    loop {
        if let Some(address) = locate(stage, &probe.address).await? {
            return Ok(Ok(probe.at(address)));
        }
        let next = Instant::now() + GAP;
        if next >= deadline {
            break;
        }
        sleep_until(next).await;
    }
    Ok(Err(match &probe.address {
        Target::Given(given) => format!("{given} has no address"),
        Target::Fixed(address) => format!("{address} is nowhere"),
    }))
}
