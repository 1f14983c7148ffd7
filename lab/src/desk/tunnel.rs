//! The state of a held lab's tunnel.

use std::time::Duration;

use serde_json::Value;
use tokio::io::AsyncReadExt;
use tokio::time::timeout;

use super::board::Board;
use super::protocol::{HostLook, TunnelEnd, TunnelLook, TunnelState};
use crate::play::{CLIENT_STATUS, environment};
use crate::scenario::{Tunnel, Vpn};

/// How long the client may take to tell its status.
const PATIENCE: Duration = Duration::from_secs(2);

/// How the tunnel is now: up, if both ends have their device, and FPS's client has a carrier.
pub(super) async fn look(board: &Board, tunnel: &Tunnel, hosts: &[HostLook]) -> TunnelLook {
    let client = end(hosts, tunnel.client.as_str(), tunnel.client_tun.as_str());
    let server = end(hosts, tunnel.server.as_str(), tunnel.server_tun.as_str());
    let ours = matches!(tunnel.vpn, Vpn::Fps(_));
    let carriers = match ours && client.up {
        true => carriers(board, &client.host).await,
        false => None,
    };
    let carries = !ours || carriers.is_some_and(|number| number > 0);
    TunnelLook {
        state: match client.up && server.up && carries {
            true => TunnelState::Up,
            false => TunnelState::Down,
        },
        client,
        server,
        carriers,
    }
}

fn end(hosts: &[HostLook], host: &str, device: &str) -> TunnelEnd {
    let found = hosts.iter().find(|it| it.name == host);
    let mut links = found.iter().flat_map(|host| &host.links);
    TunnelEnd {
        host: host.to_owned(),
        device: device.to_owned(),
        up: links.any(|link| link.name == device && link.up),
    }
}

/// How many carriers FPS's client has; none where it does not tell.
async fn carriers(board: &Board, host: &str) -> Option<u64> {
    let command = ["fps_client", "--status", "--status-socket", CLIENT_STATUS].map(str::to_owned);
    let id = board.host(host).ok()?.id;
    // The sandbox is given back before anything is waited for.
    let mut asking = board
        .sandbox()
        .ok()?
        .spawn(id, &command, &environment())
        .ok()?;
    let mut text = String::new();
    let mut output = asking.output.take()?;
    timeout(PATIENCE, output.read_to_string(&mut text))
        .await
        .ok()?
        .ok()?;
    let status: Value = serde_json::from_str(&text).ok()?;
    status.pointer("/sessions/carriers_current")?.as_u64()
}
