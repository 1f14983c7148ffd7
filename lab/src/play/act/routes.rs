//! The route engine's command line.

use std::time::Duration;

use crate::scenario::{FullTunnel, Routes, RoutesAction, Run};

/// How long the route engine may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The command that carries the act out.
pub(super) fn command(routes: &Routes) -> Run {
    let verb = match routes.action {
        RoutesAction::Apply => "apply",
        RoutesAction::Cleanup => "cleanup",
    };
    let mut command = vec![
        "fps-route".to_owned(),
        verb.to_owned(),
        "--tun".to_owned(),
        routes.tun.to_string(),
    ];
    let mut option = |name: &str, value: String| command.extend([name.to_owned(), value]);
    for address in &routes.tun_addresses {
        option("--tun-address", address.to_string());
    }
    if let Some(mtu) = routes.mtu {
        option("--mtu", mtu.to_string());
    }
    for route in &routes.routes {
        option("--route", route.to_string());
    }
    if let Some(full) = &routes.full_tunnel {
        command.extend(full_tunnel(full));
    }
    command.push("--no-dns".to_owned());
    if routes.down {
        command.push("--down".to_owned());
    }
    Run {
        on: routes.on.clone(),
        command,
        exit: 0,
        within: PATIENCE,
    }
}

fn full_tunnel(full: &FullTunnel) -> Vec<String> {
    let mut command = vec!["--full-tunnel".to_owned()];
    let mut option = |name: &str, value: Option<String>| {
        command.extend(value.into_iter().flat_map(|value| [name.to_owned(), value]));
    };
    option("--fwmark", full.fwmark.map(|mark| mark.to_string()));
    option("--from", full.from.map(|net| net.to_string()));
    option(
        "--except-fwmark",
        full.except_fwmark.map(|mark| mark.to_string()),
    );
    option("--table", full.table.map(|table| table.0.to_string()));
    option(
        "--priority",
        full.priority.map(|priority| priority.to_string()),
    );
    for bypass in &full.bypasses {
        option("--bypass", Some(bypass.clone()));
    }
    command
}
