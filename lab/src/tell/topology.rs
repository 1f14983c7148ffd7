//! Nets and hosts.

use std::net::IpAddr;

use fps_netlink::LinkName;
use indexmap::IndexMap;
use ipnet::IpNet;

use super::act::{DhcpOffer, gives, share_of_names, zone_name};
use super::words::{list, several, time};
use crate::scenario::{
    AcceptRa, Advertisement, DhcpServer, DnsServer, Host, HostName, HostsLine, Link, Net, Resolver,
    Scenario, Serve,
};

pub(super) fn nets(scenario: &Scenario) -> Vec<String> {
    let subnets = |net: &Net| {
        let v4 = net.v4.map(|it| it.to_string());
        list(v4.into_iter().chain(net.v6.map(|it| it.to_string())))
    };
    let nets = scenario.nets.iter();
    let nets = nets.map(|(name, net)| format!("{name} ({})", subnets(net)));
    let all = match scenario.nets.len() {
        0 => return Vec::new(),
        1 => format!("There is one net, {}.", list(nets)),
        number => format!("There are {number} nets: {}.", list(nets)),
    };
    let given = scenario
        .nets
        .iter()
        .filter(|(_, net)| !net.name_servers.is_empty());
    let given = given.map(|(name, net)| {
        let servers = several("name server", &net.name_servers);
        format!("Who is in {name} is given {servers}.")
    });
    std::iter::once(all).chain(given).collect()
}

pub(super) fn hosts(scenario: &Scenario) -> Vec<String> {
    scenario
        .hosts
        .iter()
        .map(|(name, it)| host(name, it))
        .collect()
}

fn host(name: &HostName, host: &Host) -> String {
    let Host {
        links,
        forward,
        nat,
        routes,
        serve,
        hosts_file,
        name_servers,
        resolver,
        dns,
        dhcp_servers,
        advertisements,
        cgroups,
        files,
    } = host;
    let places = links
        .iter()
        .map(|(name, it)| format!("{} by {name}", place(it)));
    let mut said = vec![match links.is_empty() {
        true => format!("{name} is in no net."),
        false => format!("{name} is {}.", list(places)),
    }];
    said.extend(gateways(links));
    said.extend(passes_on(*forward, nat));
    for route in routes {
        said.push(format!("It has the route `{route}`."));
    }
    said.extend(served(serve));
    said.extend(names(
        (hosts_file, name_servers.as_deref()),
        *resolver,
        dns.as_ref(),
    ));
    said.extend(
        dhcp_servers
            .iter()
            .map(|(link, it)| dhcp_server(link.as_str(), it)),
    );
    said.extend(
        advertisements
            .iter()
            .map(|(link, it)| advertises(link.as_str(), it)),
    );
    said.extend(
        (!cgroups.is_empty()).then(|| format!("It has {}.", several("control group", cgroups))),
    );
    let paths = files.iter().map(|file| &file.path);
    said.extend(
        (!files.is_empty()).then(|| format!("It has {} of its own.", several("file", paths))),
    );
    said.join(" ")
}

/// Where it sends what is for no net of its own.
fn gateways(links: &IndexMap<LinkName, Link>) -> Option<String> {
    let leading: Vec<_> = links
        .iter()
        .filter(|(_, it)| !it.gateways.is_empty())
        .collect();
    let to = |link: &Link| {
        let metric = link.metric.map(|it| format!(" (metric {it})"));
        format!("{}{}", list(&link.gateways), metric.unwrap_or_default())
    };
    match leading[..] {
        [] => None,
        [(_, link)] => Some(format!("By default it sends to {}.", to(link))),
        _ => {
            let each = leading
                .iter()
                .map(|(name, link)| format!("to {} by {name}", to(link)));
            Some(format!("It has default routes {}.", list(each)))
        }
    }
}

fn passes_on(forward: bool, nat: &[LinkName]) -> Option<String> {
    match (nat, forward) {
        ([], false) => None,
        ([], true) => Some("It forwards between its links.".to_owned()),
        (nat, _) => Some(format!(
            "It forwards between its links, and gives what leaves by {} that link's address (NAT).",
            list(nat)
        )),
    }
}

/// How its programs find names, and what others are told of names.
fn names(
    (hosts_file, name_servers): (&[HostsLine], Option<&[IpAddr]>),
    resolver: Resolver,
    dns: Option<&DnsServer>,
) -> Vec<String> {
    let mut said = Vec::new();
    for line in hosts_file {
        let names = list(&line.names);
        said.push(format!(
            "Its hosts file says that {names} is {}.",
            line.address
        ));
    }
    match name_servers {
        None => {}
        Some([]) => said.push("It has no name servers.".to_owned()),
        Some(servers) => said.push(format!("It asks {}.", several("name server", servers))),
    }
    match resolver {
        Resolver::ResolvConf => {}
        Resolver::SystemdResolved => said.push("Names it finds by systemd-resolved.".to_owned()),
    }
    said.extend(dns.map(name_server));
    said
}

/// `192.168.188.112 in home`.
pub(super) fn place(link: &Link) -> String {
    let Link {
        net,
        addresses,
        gateways: _,
        metric: _,
        dhcp,
        ra,
    } = link;
    let addresses = addresses.iter().map(IpNet::addr).map(|it| it.to_string());
    let leased = dhcp.map(|_| "an address of DHCP".to_owned());
    let made = ra.map(|AcceptRa { privacy }| match privacy {
        true => "addresses of router advertisements, temporary ones too,".to_owned(),
        false => "an address of router advertisements".to_owned(),
    });
    let all: Vec<String> = addresses.chain(leased).chain(made).collect();
    match all.is_empty() {
        true => format!("without an address in {net}"),
        false => format!("{} in {net}", list(all)),
    }
}

fn served(serve: &Serve) -> Option<String> {
    let Serve {
        tcp,
        udp,
        http,
        https,
        status,
        names,
    } = serve;
    let by = [("TCP", tcp), ("UDP", udp), ("HTTP", http), ("HTTPS", https)];
    let by = by.into_iter().filter(|(_, ports)| !ports.is_empty());
    let by: Vec<String> = by
        .map(|(protocol, ports)| {
            format!(
                "{protocol} on {}",
                several("port", ports).replace("the port", "port")
            )
        })
        .collect();
    if by.is_empty() {
        return None;
    }
    let status = match status {
        200 => String::new(),
        status => format!(", with the status {status}"),
    };
    let names = match names.is_empty() {
        true => String::new(),
        false => format!(", also as {}", list(names)),
    };
    Some(format!("It answers {}{status}{names}.", list(by)))
}

fn name_server(dns: &DnsServer) -> String {
    let DnsServer { zones, manners } = dns;
    let zones = zones.iter().map(zone_name);
    let mut said = format!("It is a name server for {}.", list(zones));
    for (name, manner) in manners {
        said += &format!(" {}", share_of_names(name, *manner));
    }
    said
}

fn dhcp_server(link: &str, server: &DhcpServer) -> String {
    let DhcpServer { address: _, terms } = server;
    let silent = match terms.answers {
        true => "",
        false => ", once it answers: at first it is silent",
    };
    let gives = list(gives(&DhcpOffer::of(terms)));
    format!("On {link} it gives by DHCP {gives}{silent}.")
}

fn advertises(link: &str, said: &Advertisement) -> String {
    let Advertisement {
        lifetime,
        prefixes,
        valid,
        preferred: _,
        routes,
        name_servers,
        mtu,
        every,
        answers,
    } = said;
    let router = match lifetime {
        Some(time_left) => format!("a default router for {}", time(*time_left)),
        None => "no default router".to_owned(),
    };
    let mut all = vec![router];
    if !prefixes.is_empty() {
        let prefixes = several("prefix", prefixes).replace("prefixs", "prefixes");
        all.push(format!("{prefixes}, valid for {}", time(*valid)));
    }
    if !routes.is_empty() {
        all.push(several("route", routes));
    }
    if !name_servers.is_empty() {
        all.push(several("name server", name_servers));
    }
    all.extend(mtu.map(|mtu| format!("an MTU of {mtu}")));
    let silent = match answers {
        true => "",
        false => ", once it speaks: at first it is silent",
    };
    let every = time(*every);
    format!(
        "On {link} it advertises {} every {every}{silent}.",
        list(all)
    )
}
