//! What `[tunnel]` says of FPS

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use indexmap::IndexMap;

use crate::scenario::model::{Fps, HostName, TunnelRole};
use crate::scenario::read::{Lab, target};
use crate::scenario::syntax::{Node, Table};

/// The keys that another VPN does not have.
pub(super) const KEYS: [&str; 3] = ["origin", "fwmark", "upgrade-delay"];

/// Reads what only FPS has.
pub(super) fn read(table: &Table<'_>, server: Option<&HostName>, lab: &Lab) -> Option<Fps> {
    if let Some(key) = table.key("ready") {
        let wrong = key.wrong("the lab knows when FPS is ready");
        let help = "remove it; with `outer = { udp = 1194 }` the tunnel is another VPN";
        key.add(wrong.help(help));
    }
    let fwmark = match table.get("fwmark") {
        Some(node) => super::fwmark(node).map(Some),
        None => Some(None),
    };
    let upgrade_delay = match table.get("upgrade-delay") {
        Some(node) => node.duration(),
        None => Some(Duration::ZERO),
    };
    let commands = table
        .get("command")
        .map_or_else(|| Some(IndexMap::new()), commands);
    let (origin, origin_address) = origin(table, server?, lab)?;
    Some(Fps {
        origin,
        origin_address,
        fwmark: fwmark?,
        upgrade_delay: upgrade_delay?,
        commands: commands?,
    })
}

fn commands(node: Node<'_>) -> Option<IndexMap<TunnelRole, Vec<String>>> {
    let keys = TunnelRole::ALL.map(TunnelRole::name);
    let table = node.table("`command`", &keys)?;
    let mut commands = IndexMap::new();
    for role in TunnelRole::ALL {
        if let Some(node) = table.get(role.name()) {
            commands.insert(role, node.command()?);
        }
    }
    Some(commands)
}

fn origin(table: &Table<'_>, server: &HostName, lab: &Lab) -> Option<(HostName, IpAddr)> {
    let Some(node) = table.get("origin") else {
        return Some((server.clone(), IpAddr::V4(Ipv4Addr::LOCALHOST)));
    };
    let word = node.word()?;
    if word.text == server.as_str() {
        return Some((server.clone(), IpAddr::V4(Ipv4Addr::LOCALHOST)));
    }
    let aim = target::aim(word, lab)?;
    let address = aim.address(None, node.span, lab)?;
    match aim.host() {
        Some(host) if host == server => Some((host.clone(), IpAddr::V4(Ipv4Addr::LOCALHOST))),
        Some(host) => Some((host.clone(), address)),
        None => word.refuse(word.wrong(format!("no host has the address {address}"))),
    }
}
