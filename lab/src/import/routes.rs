//! Routes, as acts.

use std::net::IpAddr;

use fps_netlink::{
    Family, LinkName, ProtocolName, Route, RouteKind, RouteProtocol, RouteScope, TableId,
};

use super::addresses::{self, run};
use super::draft::Inline;
use super::expected;
use crate::dump::{Dump, Hop, HostAddress, HostRoute};

/// The acts by which a host has the routes of a dump, and no others, in the order in which the kernel
/// takes them.
pub(super) fn acts(host: &str, dump: &Dump) -> Vec<String> {
    let connected = expected::connected(dump);
    let mut acts: Vec<String> = Vec::new();
    for gone in &connected {
        let there = |it: &HostRoute| it.hops.is_empty() && expected::is_same(&it.route, gone);
        if !dump.routes.iter().any(there) {
            acts.push(delete(host, gone, dump));
        }
    }
    let mut routes: Vec<&HostRoute> = dump
        .routes
        .iter()
        .filter(|it| !expected::is_kernels(it, &connected))
        .collect();
    // A gateway must be a neighbour when its route comes.
    routes.sort_by_key(|it| it.route.gateway.is_some() || it.via.is_some() || it.route.richer);
    let mut before: Vec<&Route> = Vec::new();
    for route in routes {
        let own = &route.route;
        let again = before.iter().any(|other| is_place(own, other));
        before.push(own);
        match typed(host, route, dump).filter(|_| !again) {
            Some(act) => acts.push(act),
            None => {
                acts.push(by_hand(host, route, dump, again));
            }
        }
    }
    acts
}

/// Whether two routes have one place in the kernel, so that the second has to be appended.
fn is_place(one: &Route, other: &Route) -> bool {
    (one.to, one.table, one.tos) == (other.to, other.table, other.tos)
        && one.effective_metric() == other.effective_metric()
}

fn link_name(route: &Route, dump: &Dump) -> Option<LinkName> {
    Some(dump.link(route.link?)?.name())
}

fn delete(host: &str, route: &Route, dump: &Dump) -> String {
    let link = link_name(route, dump);
    if link.is_some_and(|name| name.as_str() == "lo") {
        // That is no link of the file's.
        let words = [
            "ip",
            "-6",
            "route",
            "del",
            &route.to.to_string(),
            "dev",
            "lo",
        ];
        return run(host, words.map(str::to_owned).to_vec());
    }
    let act = Inline::default()
        .text("on", host)
        .text("action", "delete")
        .text("to", route.to)
        .some("link", link);
    act.raw_some("metric", route.metric).of("route")
}

/// The act `route`, where it says all of a route.
fn typed(host: &str, route: &HostRoute, dump: &Dump) -> Option<String> {
    let own = &route.route;
    let simple = route.hops.is_empty() && route.via.is_none() && route.more.is_empty();
    let kinds = [
        RouteKind::Unicast,
        RouteKind::Unreachable,
        RouteKind::Prohibit,
        RouteKind::BlackHole,
        RouteKind::Throw,
    ];
    let own_table = own.table == TableId::MAIN || !(253..=255).contains(&own.table.0);
    let link = link_name(own, dump);
    let has_link = link.is_some_and(|name| name.as_str() != "lo") || own.refuses();
    let usual = match own.gateway.is_none() && own.family() == Family::V4 && !own.refuses() {
        true => RouteScope::Link,
        false => RouteScope::Universe,
    };
    let scope = own.family() == Family::V6 || own.scope == usual;
    let fits = simple && kinds.contains(&own.kind) && own_table && own.table.0 != 0;
    let onlink = !own.onlink || own.gateway.is_some();
    if !fits || !has_link || !scope || !onlink || own.tos != 0 || !is_neighbour(own, dump) {
        return None;
    }
    let metric = own.metric.filter(|metric| match own.family() {
        Family::V4 => *metric != 0,
        Family::V6 => *metric != 1024,
    });
    let mut act = Inline::default().text("on", host).text("to", own.to);
    act = act.some("type", own.kind_word());
    act = act.some("via", own.gateway).some("link", link);
    act = act.raw_some("metric", metric);
    act = act.raw_some("table", (own.table != TableId::MAIN).then_some(own.table.0));
    act = act.some("source", own.source);
    if own.protocol != RouteProtocol::Boot {
        act = act.raw("protocol", protocol(own.protocol));
    }
    if own.onlink {
        act = act.raw("onlink", true);
    }
    Some(act.of("route"))
}

/// Who has set a route or a rule, as a scenario says it.
pub(super) fn protocol(protocol: RouteProtocol) -> String {
    let named = [
        RouteProtocol::Kernel,
        RouteProtocol::Boot,
        RouteProtocol::Static,
        RouteProtocol::Ra,
        RouteProtocol::Dhcp,
    ];
    match named.contains(&protocol) {
        true => format!("\"{}\"", ProtocolName(protocol)),
        false => u8::from(protocol).to_string(),
    }
}

/// Whether a scenario's check takes the gateway for a neighbour.
fn is_neighbour(route: &Route, dump: &Dump) -> bool {
    let Some(gateway) = route.gateway else {
        return true;
    };
    let own = || dump.links.iter().flat_map(|link| &link.addresses);
    if own().any(|it| it.address.net.addr() == gateway) {
        return false;
    }
    let of_link = matches!(gateway, IpAddr::V6(ip) if ip.is_unicast_link_local());
    let link = route.link.and_then(|index| dump.link(index));
    let mut subnets = link.iter().flat_map(|link| &link.addresses);
    // The check knows the addresses that acts of its own add, and not what ip(8) does.
    let known = |it: &&HostAddress| addresses::is_plain(it) && it.address.net.contains(&gateway);
    route.onlink || of_link || subnets.find(known).is_some()
}

/// `ip route add`, which takes all of it.
fn by_hand(host: &str, route: &HostRoute, dump: &Dump, again: bool) -> String {
    let own = &route.route;
    let family = match own.family() {
        Family::V4 => "-4",
        Family::V6 => "-6",
    };
    let verb = if again { "append" } else { "add" };
    let mut words: Vec<String> = ["ip", family, "route", verb].map(str::to_owned).to_vec();
    words.extend(kind(own.kind).map(str::to_owned));
    words.push(own.to.to_string());
    let mut add = |word: &str, value: Option<String>| {
        if let Some(value) = value {
            words.extend([word.to_owned(), value]);
        }
    };
    add("tos", (own.tos != 0).then(|| format!("{:#x}", own.tos)));
    add(
        "table",
        (own.table != TableId::MAIN).then(|| own.table.0.to_string()),
    );
    add("proto", Some(u8::from(own.protocol).to_string()));
    if own.family() == Family::V4 {
        add("scope", Some(u8::from(own.scope).to_string()));
    }
    add(
        "metric",
        own.metric.filter(|it| *it != 0).map(|it| it.to_string()),
    );
    add("src", own.source.map(|ip| ip.to_string()));
    for [word, value] in &route.more {
        add(word, Some(value.clone()));
    }
    match route.hops.is_empty() {
        true => {
            let hop = Hop {
                gateway: own.gateway,
                via: route.via,
                link: link_name(own, dump),
                weight: 1,
                onlink: own.onlink,
                dead: false,
            };
            words.extend(next(&hop));
        }
        false => {
            for hop in &route.hops {
                words.push("nexthop".to_owned());
                words.extend(next(hop));
                words.extend(["weight".to_owned(), hop.weight.to_string()]);
            }
        }
    }
    run(host, words)
}

fn next(hop: &Hop) -> Vec<String> {
    let mut words = Vec::new();
    if let Some(gateway) = hop.gateway {
        words.extend(["via".to_owned(), gateway.to_string()]);
    } else if let Some(gateway) = hop.via {
        let family = if gateway.is_ipv4() { "inet" } else { "inet6" };
        words.extend(["via".to_owned(), family.to_owned(), gateway.to_string()]);
    }
    if let Some(link) = hop.link {
        words.extend(["dev".to_owned(), link.to_string()]);
    }
    if hop.onlink {
        words.push("onlink".to_owned());
    }
    words
}

fn kind(kind: RouteKind) -> Option<&'static str> {
    match kind {
        RouteKind::Local => Some("local"),
        RouteKind::Broadcast => Some("broadcast"),
        RouteKind::Anycast => Some("anycast"),
        RouteKind::Multicast => Some("multicast"),
        RouteKind::Unreachable => Some("unreachable"),
        RouteKind::Prohibit => Some("prohibit"),
        RouteKind::BlackHole => Some("blackhole"),
        RouteKind::Throw => Some("throw"),
        _ => None,
    }
}
