//! `routes`

use fps_netlink::LinkName;
use ipnet::IpNet;

use super::full;
use crate::scenario::model::{HostName, Resolver, Routes, RoutesAction, RoutesDns};
use crate::scenario::read::target::aim;
use crate::scenario::read::{Lab, Plug};
use crate::scenario::syntax::{Node, Table, optional};

const KEYS: &[&str] = &[
    "on",
    "action",
    "tun",
    "tun-address",
    "mtu",
    "route",
    "down",
    "full-tunnel",
    "fwmark",
    "from",
    "except-fwmark",
    "table",
    "priority",
    "bypass",
    "keep-lan",
    "lan-route",
    "dns-leak-guard",
    "auto",
    "endpoint",
    "dns",
    "dns-domain",
    "dns-backend",
    "exit",
];

/// The least MTU with which the kernel keeps IPv6 on a link (RFC 8200, section 5).
pub(super) const LEAST_V6_MTU: u32 = 1280;

/// Reads a call of the route engine.
pub(crate) fn routes(node: Node<'_>, lab: &mut Lab) -> Option<Routes> {
    let table = node.table("`routes`", KEYS)?;
    let on = super::on(&table, lab);
    let action = action(&table);
    let tun = on.as_ref().and_then(|on| tun(&table, on, lab));
    let addresses: Vec<(IpNet, Node<'_>)> = many(&table, "tun-address")
        .filter_map(|node| Some((node.interface_address()?, node)))
        .collect();
    let mtu = optional(table.get("mtu"), |node| mtu(node, &addresses));
    let routes = many(&table, "route").filter_map(Node::subnet).collect();
    let down = table.get("down").map_or(Some(false), Node::flag);
    let full_tunnel = full::tunnel(&table);
    let endpoint = |node: Node<'_>| aim(node.word()?, lab)?.address(None, node.span, lab);
    let endpoints = many(&table, "endpoint").filter_map(endpoint).collect();
    let exit = exit(&table, action);
    let dns = dns(&table);
    let (on, tun, action) = (on?, tun?, action?);
    lab.add_tun(&on, &tun);
    let exit = exit?;
    // What is refused changes nothing.
    if exit == 0 {
        match action {
            RoutesAction::Apply | RoutesAction::Watch => plug(&on, tun, &addresses, lab),
            RoutesAction::Cleanup => lab.plugs.clear(&on, &tun),
            RoutesAction::Verify => {}
        }
    }
    let tun_addresses = addresses.into_iter().map(|(address, _)| address).collect();
    Some(Routes {
        action,
        tun,
        tun_addresses,
        mtu: mtu?,
        routes,
        down: down?,
        full_tunnel: full_tunnel?,
        endpoints,
        dns: match lab.hosts[&on].resolver {
            Resolver::SystemdResolved => Some(dns),
            // What has been set is taken away again.
            Resolver::ResolvConf if action == RoutesAction::Cleanup => Some(dns),
            Resolver::ResolvConf => Some(dns).filter(|dns| *dns != RoutesDns::default()),
        },
        on,
        exit,
    })
}

fn dns(table: &Table<'_>) -> RoutesDns {
    let texts = |key| many(table, key).filter_map(Node::text).collect();
    RoutesDns {
        servers: texts("dns"),
        domains: texts("dns-domain"),
        backend: table.get("dns-backend").and_then(|node| {
            let known = ["auto", "resolved", "stub", "none"].map(|word| (word, word));
            node.choice("dns-backend", &known)
        }),
    }
}

fn many<'a>(table: &Table<'a>, key: &str) -> impl Iterator<Item = Node<'a>> + use<'a> {
    let nodes = table.get(key).map(Node::one_or_many);
    nodes.unwrap_or_default().into_iter()
}

fn action(table: &Table<'_>) -> Option<RoutesAction> {
    let Some(node) = table.get("action") else {
        return Some(RoutesAction::Apply);
    };
    node.choice(
        "action",
        &[
            ("apply", RoutesAction::Apply),
            ("cleanup", RoutesAction::Cleanup),
            ("verify", RoutesAction::Verify),
            ("watch", RoutesAction::Watch),
        ],
    )
}

/// Gives the TUN device these addresses and no others.
fn plug(on: &HostName, tun: LinkName, addresses: &[(IpNet, Node<'_>)], lab: &mut Lab) {
    lab.plugs.clear(on, &tun);
    for (address, node) in addresses {
        lab.plugs.add(Plug {
            host: on.clone(),
            link: tun,
            net: None,
            address: *address,
            span: node.span,
        });
    }
}

fn exit(table: &Table<'_>, action: Option<RoutesAction>) -> Option<i32> {
    let Some(node) = table.get("exit") else {
        return Some(0);
    };
    let code = node.integer("exit", 0..=255)?;
    if action == Some(RoutesAction::Watch) {
        let wrong = node.wrong("a watch has no exit code, as long as it watches");
        return node.refuse(wrong.help("leave `exit` out"));
    }
    i32::try_from(code).ok()
}

/// The TUN device that is named, or the one that the tunnel has on this host.
fn tun(table: &Table<'_>, on: &HostName, lab: &Lab) -> Option<LinkName> {
    if let Some(node) = table.get("tun") {
        let word = node.word()?;
        let name = word.link_name()?;
        if lab
            .hosts
            .get(on)
            .is_some_and(|host| host.links.contains_key(&name))
        {
            let wrong = word.wrong(format!("`{name}` is a link of `{on}`, not a TUN device"));
            return word.refuse(wrong);
        }
        return Some(name);
    }
    let Some(tunnel) = &lab.tunnel else {
        // A broken [tunnel] has said so already.
        if !lab.has_tunnel {
            let wrong = table.wrong("`routes` has no TUN device, and there is no [tunnel]");
            let help = "add [tunnel] with `client` and `server`, or `tun = \"tun0\"` here";
            table.problems.add(wrong.help(help));
        }
        return None;
    };
    if *on == tunnel.client {
        return Some(tunnel.client_tun);
    }
    if *on == tunnel.server {
        return Some(tunnel.server_tun);
    }
    let node = table.get("on")?;
    let wrong = node
        .wrong(format!("`{on}` is no end of the tunnel"))
        .note(format!(
            "its ends are `{}` and `{}`",
            tunnel.client, tunnel.server
        ));
    table.refuse(wrong.help("name one of them, or add `tun = \"tun0\"`"))
}

fn mtu(node: Node<'_>, addresses: &[(IpNet, Node<'_>)]) -> Option<u32> {
    let mtu = node
        .integer("MTU", 68..=65_535)
        .and_then(|mtu| u32::try_from(mtu).ok())?;
    let v6 = addresses
        .iter()
        .find(|(address, _)| address.addr().is_ipv6());
    if let Some((_, address)) = v6.filter(|_| mtu < LEAST_V6_MTU) {
        let wrong = node.wrong(format!("IPv6 needs an MTU of {LEAST_V6_MTU}"));
        let wrong = wrong.label("with less, the kernel takes IPv6 off the link");
        return node.refuse(wrong.other(address.span, "the IPv6 address"));
    }
    Some(mtu)
}
