//! What a DHCP client does with the name servers that it is given.

use std::net::IpAddr;
use std::time::Duration;

use fps_netlink::LinkName;

use super::{Stage, StageError, run};
use crate::lab::files::resolv_conf;
use crate::scenario::{HostName, Resolver, Run};

/// How long a program of it may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Takes the servers of the net that a link has come to; where that gives none, or the host has its own
/// by hand, all stays as it is.
pub(super) async fn renew(
    stage: &mut Stage<'_>,
    on: &HostName,
    link: LinkName,
) -> Result<(), StageError> {
    let scenario = stage.scenario;
    let host = &scenario.hosts[on];
    let live = stage.lab.host(on).live(&link);
    let servers = &scenario.nets[live.net()].name_servers;
    if host.name_servers.is_some() || servers.is_empty() {
        return Ok(());
    }
    match host.resolver {
        Resolver::SystemdResolved => tell_resolved(stage, on, link, servers).await,
        Resolver::ResolvConf => {
            let links = stage.lab.host(on).links();
            let given = links.flat_map(|(_, link)| &scenario.nets[link.net()].name_servers);
            let text = resolv_conf(&given.copied().collect::<Vec<_>>());
            replace_resolv_conf(stage, on, &text).await
        }
    }
}

/// Gives a link that was made again the servers that it had: systemd-resolved has forgotten them with
/// its index, those by hand too.
pub(super) async fn made_again(
    stage: &mut Stage<'_>,
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

/// Gives a link its servers, as systemd-networkd or NetworkManager does.
pub(super) async fn tell_resolved(
    stage: &mut Stage<'_>,
    host: &HostName,
    link: LinkName,
    servers: &[IpAddr],
) -> Result<(), StageError> {
    let servers = servers.iter().map(ToString::to_string);
    let words = ["resolvectl".to_owned(), "dns".to_owned(), link.to_string()];
    call(stage, host, words.into_iter().chain(servers).collect()).await
}

/// Puts a new file in the place of the old one, as dhclient-script(8) does.
async fn replace_resolv_conf(
    stage: &mut Stage<'_>,
    host: &HostName,
    text: &str,
) -> Result<(), StageError> {
    let script = "printf %s \"$0\" > /etc/resolv.conf.dhclient-new && \
                  mv /etc/resolv.conf.dhclient-new /etc/resolv.conf";
    let words = ["sh", "-c", script, text];
    call(stage, host, words.map(str::to_owned).to_vec()).await
}

async fn call(
    stage: &mut Stage<'_>,
    host: &HostName,
    command: Vec<String>,
) -> Result<(), StageError> {
    let call = Run {
        on: host.clone(),
        command,
        exit: 0,
        within: PATIENCE,
    };
    run(stage, &call).await
}
