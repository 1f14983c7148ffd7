//! `[tunnel]`

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use fps_netlink::{Fwmark, LinkName};
use indexmap::IndexMap;

use super::{Lab, target};
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::model::{HostName, Tunnel, TunnelRole};
use crate::scenario::syntax::{Node, Table, Word};

const KEYS: &[&str] = &[
    "client",
    "server",
    "endpoint",
    "origin",
    "client-tun",
    "server-tun",
    "fwmark",
    "upgrade-delay",
    "start",
    "command",
];

/// Reads the tunnel under test.
pub(crate) fn tunnel(node: Node<'_>, lab: &mut Lab) {
    lab.has_tunnel = true;
    let Some(table) = node.table("[tunnel]", KEYS) else {
        return;
    };
    let tunnel = read(&table, lab);
    if let Some(tunnel) = &tunnel {
        lab.add_tun(&tunnel.client, &tunnel.client_tun);
        lab.add_tun(&tunnel.server, &tunnel.server_tun);
    }
    lab.tunnel = tunnel;
}

fn read(table: &Table<'_>, lab: &Lab) -> Option<Tunnel> {
    let client = table.need("client", "\"laptop\"").and_then(Node::word);
    let server = table.need("server", "\"server\"").and_then(Node::word);
    let client_host = client.and_then(|word| lab.host(word));
    let server_host = server.and_then(|word| lab.host(word));
    let client_tun = tun(table, "client-tun", "fpsc0", client_host.as_ref(), lab);
    let server_tun = tun(table, "server-tun", "fpss0", server_host.as_ref(), lab);
    let fwmark = match table.get("fwmark") {
        Some(node) => fwmark(node).map(Some),
        None => Some(None),
    };
    let upgrade_delay = match table.get("upgrade-delay") {
        Some(node) => node.duration(),
        None => Some(Duration::ZERO),
    };
    let autostart = match table.get("start") {
        Some(node) => node.choice("start", &[("auto", true), ("by-step", false)]),
        None => Some(true),
    };
    let commands = table
        .get("command")
        .map_or_else(|| Some(IndexMap::new()), commands);
    let (client, server) = (client_host?, server_host?);
    if client == server {
        let node = table.get("server")?;
        let wrong = node.wrong(format!("`{server}` is both ends of the tunnel"));
        let wrong = wrong.label("the server is another host");
        return match table.get("client") {
            Some(first) => node.refuse(wrong.other(first.span, "the client")),
            None => node.refuse(wrong),
        };
    }
    let endpoint = endpoint(table, &server, lab);
    let (origin, origin_address) = origin(table, &server, lab)?;
    Some(Tunnel {
        client,
        server,
        origin,
        endpoint: endpoint?,
        origin_address,
        client_tun: client_tun?,
        server_tun: server_tun?,
        fwmark: fwmark?,
        upgrade_delay: upgrade_delay?,
        autostart: autostart?,
        commands: commands?,
    })
}

fn tun(
    table: &Table<'_>,
    key: &str,
    default: &str,
    host: Option<&HostName>,
    lab: &Lab,
) -> Option<LinkName> {
    let node = table.get(key);
    let name = match node {
        Some(node) => node.word()?.link_name()?,
        None => LinkName::new(default).ok()?,
    };
    let taken = host.filter(|host| {
        lab.hosts
            .get(*host)
            .is_some_and(|h| h.links.contains_key(&name))
    });
    let Some(host) = taken else { return Some(name) };
    let span = node.map_or(table.span, |node| node.span);
    let wrong = Diagnostic::new(span, format!("`{host}` has a link `{name}` already"));
    table.refuse(wrong.label(format!("set `{key}` to another name")))
}

/// Reads a mark, which is never 0.
pub(super) fn fwmark(node: Node<'_>) -> Option<Fwmark> {
    let mark = if node.value.is_integer() {
        let value = node.integer("mark", 0..=i64::from(u32::MAX))?;
        u32::try_from(value).ok().map(Fwmark)
    } else {
        let word = node.word()?;
        word.text.parse().ok().or_else(|| {
            let wrong = word.wrong(format!("`{}` is no mark", word.text));
            word.refuse(wrong.label("32 bits, such as \"0x465053\""))
        })
    };
    match mark? {
        Fwmark(0) => {
            let wrong = node.wrong("mark 0 is no mark");
            node.refuse(wrong.label("the kernel gives it to every socket that has none"))
        }
        mark => Some(mark),
    }
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

fn endpoint(table: &Table<'_>, server: &HostName, lab: &Lab) -> Option<IpAddr> {
    match table.get("endpoint") {
        None => {
            // The one address that the server's host has, asked for where it is named.
            let node = table.get("server")?;
            several_links(node, server, lab)?;
            target::aim(node.word()?, lab)?.address(None, node.span, lab)
        }
        Some(node) => {
            let word = node.word()?;
            let aim = target::aim(word, lab)?;
            let address = aim.address(None, node.span, lab)?;
            belongs(&aim, word, server)?;
            Some(address)
        }
    }
}

/// Refuses a server's host with several links where the file gives no endpoint.
fn several_links(node: Node<'_>, server: &HostName, lab: &Lab) -> Option<()> {
    let links = &lab.hosts.get(server)?.links;
    if links.len() < 2 {
        return Some(());
    }
    let lines: Vec<String> = links
        .keys()
        .map(|link| format!("`endpoint = \"{server}:{link}\"`"))
        .collect();
    let wrong = node.wrong(format!(
        "`{server}` has several links, and the tunnel no endpoint"
    ));
    node.refuse(wrong.help(format!("add {}", lines.join(" or "))))
}

/// Checks that an endpoint is the server's.
fn belongs(aim: &target::Aim, word: Word<'_>, server: &HostName) -> Option<()> {
    if aim.host() == Some(server) {
        return Some(());
    }
    let wrong = word.wrong(format!(
        "`{}` is no address of the server, `{server}`",
        word.text
    ));
    word.refuse(match aim.host() {
        Some(host) => wrong.label(format!("this is `{host}`")),
        None => wrong.label("no host has it"),
    })
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
