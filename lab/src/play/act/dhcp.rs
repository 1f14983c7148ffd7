//! What becomes of the name servers that a DHCP server gives, and the acts about DHCP.

use std::convert::Infallible;
use std::net::IpAddr;
use std::time::Duration;

use fps_netlink::LinkName;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use super::{Stage, StageError, run};
use crate::lab::Held;
use crate::lab::files::{Names, resolv_conf};
use crate::scenario::{DhcpServerChange, HostName, Resolver, Run};

/// How long a program of it may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Takes the servers of the net that a link has come to; where that gives none, or the host has its own
/// by hand, all stays as it is. Those of a lease come with it.
pub(super) async fn renew(
    stage: &Stage<'_>,
    on: &HostName,
    link: LinkName,
) -> Result<(), StageError> {
    let scenario = stage.scenario;
    let host = &scenario.hosts[on];
    let live = stage.lab.host(on).live(&link);
    let servers = &scenario.nets[live.net()].name_servers;
    if host.name_servers.is_some() || servers.is_empty() || live.now().dhcp.is_some() {
        return Ok(());
    }
    match host.resolver {
        Resolver::SystemdResolved => tell_resolved(stage, on, link, servers).await,
        Resolver::ResolvConf => replace_resolv_conf(stage, on).await,
    }
}

/// Gives a link that was made again the servers that it had: systemd-resolved has forgotten them with
/// its index, those by hand too.
pub(super) async fn made_again(
    stage: &Stage<'_>,
    on: &HostName,
    link: LinkName,
) -> Result<(), StageError> {
    let scenario = stage.scenario;
    let host = &scenario.hosts[on];
    if host.resolver != Resolver::SystemdResolved || host.name_servers.is_none() {
        return renew(stage, on, link).await;
    }
    let first = stage.lab.host(on).live(&link).first_name();
    match host.dns_by_link(&scenario.nets).get(&first) {
        Some(servers) => tell_resolved(stage, on, link, servers).await,
        None => Ok(()),
    }
}

/// Changes what a server gives from now on.
pub(super) fn change_server(stage: &Stage<'_>, change: &DhcpServerChange) {
    let server = stage.lab.host(&change.on).dhcp_server(&change.link);
    server.expect("validation has seen it").change(change);
}

/// Passes on what clients have been given since this was called last.
pub(in crate::play) async fn pass_on(stage: &Stage<'_>) -> Result<(), StageError> {
    for (host, link, held) in clients(stage) {
        let held = held.borrow().clone();
        if let Some(why) = held.failure {
            return Err(StageError::DhcpClient {
                host: host.clone(),
                link,
                why,
            });
        }
        let index = stage.lab.host(host).live(&link).index();
        if stage.told(host, index) != held.serial {
            tell(stage, host, link, &held).await?;
            // Not before: the step may end while the host is being told.
            stage.tell(host, index, held.serial);
        }
    }
    Ok(())
}

/// Passes on whatever clients are given, as long as nothing goes wrong.
pub(in crate::play) async fn follow(stage: &Stage<'_>) -> Result<Infallible, StageError> {
    loop {
        // Before what there is now is looked at, so that nothing that comes meanwhile is missed.
        let mut changes: FuturesUnordered<_> = clients(stage)
            .map(|(_, _, mut held)| {
                held.mark_unchanged();
                async move {
                    // One that has ended has said so before.
                    if held.changed().await.is_err() {
                        std::future::pending::<()>().await;
                    }
                }
            })
            .collect();
        pass_on(stage).await?;
        if changes.next().await.is_none() {
            std::future::pending::<()>().await;
        }
    }
}

type Watched = tokio::sync::watch::Receiver<Held>;

fn clients<'s>(stage: &'s Stage<'_>) -> impl Iterator<Item = (&'s HostName, LinkName, Watched)> {
    stage.lab.hosts().flat_map(|(name, host)| {
        let links = host.links();
        links.filter_map(move |(link, live)| Some((name, *link, live.dhcp_client()?.held())))
    })
}

/// Gives a host what came with a lease, each time that it is given, as dhclient-script(8) does.
async fn tell(
    stage: &Stage<'_>,
    host: &HostName,
    link: LinkName,
    held: &Held,
) -> Result<(), StageError> {
    let plan = &stage.scenario.hosts[host];
    let Some(lease) = &held.lease else {
        return Ok(());
    };
    if plan.name_servers.is_some() || lease.name_servers.is_empty() {
        return Ok(());
    }
    match plan.resolver {
        Resolver::SystemdResolved => {
            let servers: Vec<IpAddr> = lease.name_servers.iter().map(|it| (*it).into()).collect();
            tell_resolved(stage, host, link, &servers).await?;
            match &lease.domain {
                Some(domain) => {
                    let words = ["resolvectl", "domain", link.as_str(), domain];
                    call(stage, host, words.map(str::to_owned).to_vec()).await
                }
                None => Ok(()),
            }
        }
        Resolver::ResolvConf => replace_resolv_conf(stage, host).await,
    }
}

/// What all links of a host have been given, in order.
fn given(stage: &Stage<'_>, host: &HostName) -> Names {
    let mut names = Names::default();
    for (_, link) in stage.lab.host(host).links() {
        if link.now().dhcp.is_none() {
            let servers = &stage.scenario.nets[link.net()].name_servers;
            names.servers.extend(servers.iter().copied());
            continue;
        }
        let held = link.dhcp_client().map(|client| client.held());
        let Some(lease) = held.and_then(|held| held.borrow().lease.clone()) else {
            continue;
        };
        let servers = lease.name_servers.into_iter().map(IpAddr::V4);
        names.servers.extend(servers);
        names.search.extend(lease.domain);
    }
    names
}

/// Gives a link its servers, as systemd-networkd or NetworkManager does.
pub(super) async fn tell_resolved(
    stage: &Stage<'_>,
    host: &HostName,
    link: LinkName,
    servers: &[IpAddr],
) -> Result<(), StageError> {
    let servers = servers.iter().map(ToString::to_string);
    let words = ["resolvectl".to_owned(), "dns".to_owned(), link.to_string()];
    call(stage, host, words.into_iter().chain(servers).collect()).await
}

/// Puts a new file in the place of the old one, as dhclient-script(8) does.
async fn replace_resolv_conf(stage: &Stage<'_>, host: &HostName) -> Result<(), StageError> {
    let script = "printf %s \"$0\" > /etc/resolv.conf.dhclient-new && \
                  mv /etc/resolv.conf.dhclient-new /etc/resolv.conf";
    let text = resolv_conf(&given(stage, host));
    let words = ["sh", "-c", script, &text];
    call(stage, host, words.map(str::to_owned).to_vec()).await
}

async fn call(stage: &Stage<'_>, host: &HostName, command: Vec<String>) -> Result<(), StageError> {
    let call = Run {
        on: host.clone(),
        command,
        exit: 0,
        within: PATIENCE,
    };
    run(stage, &call).await
}
