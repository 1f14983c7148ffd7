//! What `[tunnel]` says of another VPN

use fps_netlink::LinkName;

use super::fps;
use crate::scenario::model::{Foreign, Outer, OuterProtocol, Ready, VpnProgram};
use crate::scenario::read::ready;
use crate::scenario::syntax::{Node, Table};

const ENDS: &[&str] = &["server", "client"];
const COMMAND: &str = "[\"openvpn\", \"--config\", \"/run/vpn/client.conf\"]";

/// Reads a VPN that is not FPS.
pub(super) fn read(
    table: &Table<'_>,
    client_tun: Option<LinkName>,
    server_tun: Option<LinkName>,
) -> Option<Foreign> {
    for key in fps::KEYS.iter().filter_map(|key| table.key(key)) {
        let wrong = key.wrong(format!("`{}` is for FPS", key.text));
        let wrong = wrong.label("another VPN has this in its configuration, if at all");
        key.add(match table.key("outer") {
            Some(outer) => wrong.other(outer.span, "with this the tunnel is another VPN"),
            None => wrong,
        });
    }
    let outer = table.get("outer").and_then(outer);
    let commands = table.need("command", &format!("{{ server = …, client = {COMMAND} }}"));
    let commands = commands.and_then(|node| node.table("`command` of another VPN", ENDS));
    let ready = match table.get("ready") {
        Some(node) => node.table("`ready`", ENDS).map(Some),
        None => Some(None),
    };
    let command = |end| commands.as_ref()?.need(end, COMMAND)?.command();
    let readiness = |end: &str, tun| -> Option<Ready> {
        match ready.as_ref()?.as_ref().and_then(|table| table.get(end)) {
            Some(node) => ready::ready(node, tun),
            None => Some(ready::started()),
        }
    };
    let (server, client) = (command("server"), command("client"));
    let server_ready = readiness("server", server_tun);
    let client_ready = readiness("client", client_tun);
    Some(Foreign {
        outer: outer?,
        server: VpnProgram {
            command: server?,
            ready: server_ready?,
        },
        client: VpnProgram {
            command: client?,
            ready: client_ready?,
        },
    })
}

fn outer(node: Node<'_>) -> Option<Outer> {
    let known = [("udp", OuterProtocol::Udp), ("tcp", OuterProtocol::Tcp)];
    let table = node.table("`outer`", &known.map(|(key, _)| key))?;
    let mut given = known
        .into_iter()
        .filter_map(|(key, protocol)| Some((protocol, table.get(key)?)));
    match (given.next(), given.next()) {
        (Some((protocol, node)), None) => {
            let port = node.integer("port", 1..=65_535)?;
            let port = u16::try_from(port).ok()?;
            Some(Outer { protocol, port })
        }
        (None, _) => {
            let wrong = node.wrong("`outer` names no port");
            node.refuse(wrong.help("write `{ udp = 1194 }`, or `tcp`: where the server listens"))
        }
        (Some(_), Some((_, second))) => {
            let wrong = second.wrong("a tunnel has one outer protocol");
            node.refuse(wrong.label("remove one of them"))
        }
    }
}
