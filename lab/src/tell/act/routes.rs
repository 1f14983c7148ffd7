//! Calls of the route engine.

use crate::scenario::{FullTunnel, Routes, RoutesAction, RoutesDns};
use crate::tell::words::{choice, list, several};

pub(super) fn sentence(routes: &Routes) -> String {
    let Routes {
        on,
        action,
        tun,
        tun_addresses,
        mtu,
        routes: subnets,
        down,
        full_tunnel,
        endpoints,
        dns,
        exit,
    } = routes;
    let does = match action {
        RoutesAction::Apply => "sets up",
        RoutesAction::Watch => "sets up, and from then on watches over,",
        RoutesAction::Cleanup => "takes away what it has set for",
        RoutesAction::Verify => "verifies what it has set for",
    };
    let mut with = Vec::new();
    if !tun_addresses.is_empty() {
        with.push(list(tun_addresses));
    }
    with.extend(mtu.map(|mtu| format!("an MTU of {mtu}")));
    if !subnets.is_empty() {
        with.push(several("route", subnets));
    }
    with.extend(full_tunnel.as_ref().map(whole));
    if !endpoints.is_empty() {
        with.push(format!("a way past the tunnel for {}", list(endpoints)));
    }
    with.extend(dns.as_ref().and_then(names));
    if *down {
        with.push("the device set down".to_owned());
    }
    let with = match with.is_empty() {
        true => String::new(),
        false => format!(" with {}", list(with)),
    };
    let exit = match exit {
        0 => String::new(),
        code => format!(" It has to end with exit code {code}."),
    };
    format!("On {on} the route engine {does} {tun}{with}.{exit}")
}

fn whole(full: &FullTunnel) -> String {
    let FullTunnel {
        fwmark,
        from,
        except_fwmark,
        table,
        priority,
        bypasses,
        keep_lan,
        lan_routes,
        dns_leak_guard,
        auto,
    } = full;
    let all = [
        fwmark.map(|mark| format!("what has the mark {mark}")),
        from.map(|net| format!("what comes from {net}")),
        except_fwmark.map(|mark| format!("all but what has the mark {mark}")),
    ];
    let mut more = Vec::new();
    more.extend(table.map(|table| format!("by table {}", table.0)));
    more.extend(priority.map(|priority| format!("by rules from {priority} on")));
    if *keep_lan {
        more.push("without the LAN".to_owned());
    }
    if !lan_routes.is_empty() {
        more.push(format!("without {}", list(lan_routes)));
    }
    if !bypasses.is_empty() {
        more.push(format!("past it {}", list(bypasses)));
    }
    if *dns_leak_guard {
        more.push("with a guard against DNS leaks".to_owned());
    }
    if *auto {
        more.push("with what else it finds by itself".to_owned());
    }
    let more = match more.is_empty() {
        true => String::new(),
        false => format!(" ({})", more.join("; ")),
    };
    format!(
        "a full tunnel for {}{more}",
        choice(all.into_iter().flatten())
    )
}

fn names(dns: &RoutesDns) -> Option<String> {
    let RoutesDns {
        servers,
        domains,
        backend,
    } = dns;
    let asked = (!servers.is_empty()).then(|| several("name server", servers));
    let about = (!domains.is_empty()).then(|| format!("names below {} asked there", list(domains)));
    let by = backend.map(|it| format!("the DNS backend {it}"));
    let all: Vec<String> = [asked, about, by].into_iter().flatten().collect();
    (!all.is_empty()).then(|| all.join(", "))
}
