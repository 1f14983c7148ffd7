//! `[tunnel]`
//!
//! - `fps`: the keys that only FPS has
//! - `foreign`: those of another VPN, which a tunnel with `outer` is

mod foreign;
mod fps;

use std::net::IpAddr;

use fps_netlink::{Fwmark, LinkName};

use super::{Lab, target};
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::model::{HostName, Tunnel, Vpn};
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
    "outer",
    "ready",
];

/// Reads the tunnel under test.
pub(crate) fn tunnel(node: Node<'_>, lab: &mut Lab) {
    lab.has_tunnel = true;
    let table = node.table("[tunnel]", KEYS);
    let tunnel = node.told(table.and_then(|table| read(&table, lab)));
    if let Some(tunnel) = &tunnel {
        lab.add_tun(&tunnel.client, &tunnel.client_tun);
        lab.add_tun(&tunnel.server, &tunnel.server_tun);
    }
    lab.is_tunnel_doubtful = tunnel.is_none();
    lab.tunnel = tunnel;
}

fn read(table: &Table<'_>, lab: &Lab) -> Option<Tunnel> {
    let client = table.need("client", "\"laptop\"").and_then(Node::word);
    let server = table.need("server", "\"server\"").and_then(Node::word);
    let client_host = client.and_then(|word| lab.host(word));
    let server_host = server.and_then(|word| lab.host(word));
    let is_foreign = table.get("outer").is_some();
    let tun = |key, ours, host: &Option<HostName>| match is_foreign {
        true => tun(table, key, None, host.as_ref(), lab),
        false => tun(table, key, Some(ours), host.as_ref(), lab),
    };
    let client_tun = tun("client-tun", "fpsc0", &client_host);
    let server_tun = tun("server-tun", "fpss0", &server_host);
    let autostart = match table.get("start") {
        Some(node) => node.choice("start", &[("auto", true), ("by-step", false)]),
        None => Some(true),
    };
    let foreign = is_foreign.then(|| foreign::read(table, client_tun, server_tun));
    let fps = (!is_foreign).then(|| fps::read(table, server_host.as_ref(), lab));
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
    let vpn = match (foreign, fps) {
        (Some(foreign), _) => Vpn::Foreign(foreign?),
        (None, fps) => Vpn::Fps(fps??),
    };
    Some(Tunnel {
        client,
        server,
        endpoint: endpoint?,
        client_tun: client_tun?,
        server_tun: server_tun?,
        autostart: autostart?,
        vpn,
    })
}

fn tun(
    table: &Table<'_>,
    key: &str,
    default: Option<&str>,
    host: Option<&HostName>,
    lab: &Lab,
) -> Option<LinkName> {
    let node = match default {
        Some(_) => table.get(key),
        None => Some(table.need(key, "\"tun0\"")?),
    };
    let name = match (node, default) {
        (Some(node), _) => node.word()?.link_name()?,
        (None, default) => LinkName::new(default?).ok()?,
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
pub(in crate::scenario::read) fn fwmark(node: Node<'_>) -> Option<Fwmark> {
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
