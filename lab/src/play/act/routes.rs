//! The route engine: called, or started where it stays and watches.

use std::fmt;
use std::time::Duration;

use super::{Order, StageError, run};
use crate::play::stage::Stage;
use crate::scenario::{FullTunnel, HostName, Ready, ReadyWhen, Routes, RoutesAction, Run};

/// How long the route engine may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// What a watch says once the intent holds, in its first lines of JSON.
const WATCHES: &str = r#""event":"ready""#;
/// What the names of the watches begin with.
const WATCH: &str = "routes@";

/// Calls the route engine, or starts its watch.
pub(super) async fn call(stage: &mut Stage<'_>, routes: &Routes) -> Result<(), StageError> {
    let command = command(routes);
    match routes.action {
        RoutesAction::Watch => watch(stage, &routes.on, &command).await,
        RoutesAction::Apply | RoutesAction::Cleanup | RoutesAction::Verify => {
            let (on, exit, within) = (routes.on.clone(), routes.exit, PATIENCE);
            let call = Run {
                on,
                command,
                exit,
                within,
            };
            run(stage, &call).await
        }
    }
}

async fn watch(
    stage: &mut Stage<'_>,
    host: &HostName,
    command: &[String],
) -> Result<(), StageError> {
    let name = format!("{WATCH}{host}");
    let order = Order {
        name: &name,
        host,
        id: stage.lab.host(host).id(),
        command,
        may_end: false,
    };
    let ready = Ready {
        when: ReadyWhen::Output(WATCHES.to_owned()),
        within: PATIENCE,
    };
    let Stage {
        programs,
        lab,
        folder,
        ..
    } = stage;
    Ok(programs.start(lab.sandbox(), folder, order, &ready).await?)
}

/// The names of the watches that run.
pub(super) fn watches(stage: &Stage<'_>) -> Vec<String> {
    let names = stage.lab.hosts().map(|(host, _)| format!("{WATCH}{host}"));
    let watches: Vec<_> = names
        .filter(|name| stage.programs.is_running(name))
        .collect();
    match watches.is_empty() {
        // Which nobody has started: the end of it says so.
        true => vec!["routes".to_owned()],
        false => watches,
    }
}

/// The command line.
pub(super) fn command(routes: &Routes) -> Vec<String> {
    let verb = match routes.action {
        RoutesAction::Apply => "apply",
        RoutesAction::Cleanup => "cleanup",
        RoutesAction::Verify => "verify",
        RoutesAction::Watch => "watch",
    };
    let mut command = vec!["fps-route".to_owned(), verb.to_owned()];
    many(&mut command, "--tun", [routes.tun]);
    many(&mut command, "--tun-address", &routes.tun_addresses);
    many(&mut command, "--mtu", routes.mtu);
    many(&mut command, "--route", &routes.routes);
    if let Some(full) = &routes.full_tunnel {
        full_tunnel(&mut command, full);
    }
    many(&mut command, "--endpoint", &routes.endpoints);
    match &routes.dns {
        Some(dns) => {
            many(&mut command, "--dns", &dns.servers);
            many(&mut command, "--dns-domain", &dns.domains);
            many(&mut command, "--dns-backend", dns.backend);
        }
        None => command.push("--no-dns".to_owned()),
    }
    flag(&mut command, "--down", routes.down);
    command
}

fn full_tunnel(command: &mut Vec<String>, full: &FullTunnel) {
    command.push("--full-tunnel".to_owned());
    many(command, "--fwmark", full.fwmark);
    many(command, "--from", full.from);
    many(command, "--except-fwmark", full.except_fwmark);
    many(command, "--table", full.table.map(|table| table.0));
    many(command, "--priority", full.priority);
    many(command, "--bypass", &full.bypasses);
    flag(command, "--keep-lan", full.keep_lan);
    many(command, "--lan-route", &full.lan_routes);
    flag(command, "--dns-leak-guard", full.dns_leak_guard);
    flag(command, "--auto", full.auto);
}

/// An option once for each of its values.
fn many<T: fmt::Display>(
    command: &mut Vec<String>,
    option: &str,
    values: impl IntoIterator<Item = T>,
) {
    for value in values {
        command.extend([option.to_owned(), value.to_string()]);
    }
}

fn flag(command: &mut Vec<String>, option: &str, set: bool) {
    if set {
        command.push(option.to_owned());
    }
}
