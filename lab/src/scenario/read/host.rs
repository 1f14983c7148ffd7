//! `[host.NAME]`

use std::net::IpAddr;

use fps_netlink::LinkName;
use indexmap::IndexMap;
use rustls::pki_types::ServerName;

use super::{Lab, advertise, dhcp, dns, files, link, net, route};
use crate::scenario::model::{Host, HostName, HostsLine, Link, Resolver, Serve, StaticRoute};
use crate::scenario::syntax::{Node, Table, Word, is_domain, optional};

const KEYS: &[&str] = &[
    "nat",
    "forward",
    "serve",
    "routes",
    "hosts",
    "name-servers",
    "resolver",
    "dns",
    "dhcp-server",
    "advertise",
    "cgroups",
    "files",
    "link",
];
const LINK_KEYS: &[&str] = &["net", "ip", "via", "metric", "renewal", "privacy"];
const ROUTE_KEYS: &[&str] = &[
    "to", "type", "via", "link", "metric", "table", "source", "protocol", "onlink",
];

const RESOLVERS: [(&str, Resolver); 2] = [
    ("resolv-conf", Resolver::ResolvConf),
    ("systemd-resolved", Resolver::SystemdResolved),
];

/// Reads all hosts.
pub(crate) fn hosts(node: Node<'_>, lab: &mut Lab) {
    for (name, node) in node.entries() {
        let before = name.problems.count();
        name.check_label("host");
        let host = HostName::new(name.text);
        // Known before its own routes name its links.
        lab.hosts.insert(host.clone(), empty());
        if let Some(table) = node.table(format!("host `{}`", name.text), KEYS) {
            read(&table, &host, lab);
        }
        if name.problems.count() > before {
            lab.doubtful_hosts.insert(host);
        }
    }
    dhcp::check_wants(lab, node.problems);
}

fn empty() -> Host {
    Host {
        links: IndexMap::new(),
        forward: false,
        nat: Vec::new(),
        routes: Vec::new(),
        serve: Serve::default(),
        hosts_file: Vec::new(),
        name_servers: None,
        resolver: Resolver::default(),
        dns: None,
        dhcp_servers: IndexMap::new(),
        advertisements: IndexMap::new(),
        cgroups: Vec::new(),
        files: Vec::new(),
    }
}

/// The links on which packets leave with the link's own address.
fn nat(table: &Table<'_>, host: &HostName, lab: &Lab) -> Vec<LinkName> {
    let nodes = table.get("nat").map(Node::one_or_many).unwrap_or_default();
    let words = nodes.into_iter().filter_map(|node| {
        if node.value.as_bool().is_none() {
            return node.word();
        }
        let wrong = node.wrong("`nat` names the link by which packets leave with its address");
        node.refuse(wrong.label("write `\"wan\"`, or a list of links"))
    });
    words.filter_map(|word| lab.link(host, word)).collect()
}

fn read(table: &Table<'_>, host: &HostName, lab: &mut Lab) {
    let before = table.problems.count();
    let links = links(table, host, lab);
    lab.hosts.insert(host.clone(), Host { links, ..empty() });
    if table.problems.count() > before {
        // What is said about a broken link below would only repeat its mistake.
        lab.doubtful_hosts.insert(host.clone());
    }
    let nat = nat(table, host, lab);
    let forward = table
        .get("forward")
        .and_then(|node| Some((node.flag()?, node)));
    if let (Some((false, node)), Some(nat)) = (forward, table.key("nat")) {
        let wrong = node.wrong("a host that translates addresses forwards");
        node.problems.add(
            wrong
                .label("not both")
                .other(nat.span, "`nat` implies `forward`"),
        );
    }
    let forward = table.get("nat").is_some() || forward.is_some_and(|(flag, _)| flag);
    let routes = list(table, "routes")
        .filter_map(|node| static_route(node, host, lab))
        .collect();
    let serve = table.get("serve").and_then(serve).unwrap_or_default();
    let hosts_file = list(table, "hosts").filter_map(hosts_line).collect();
    let by_hand = table.get("name-servers").is_some();
    let name_servers = by_hand.then(|| net::name_servers(table));
    let resolver = table.get("resolver");
    let resolver = resolver.and_then(|node| node.choice("resolver", &RESOLVERS));
    let dns = table.get("dns").and_then(dns::server);
    if dns.is_some() && (serve.udp.contains(&53) || serve.has_tcp(53)) {
        let key = table
            .key("serve")
            .unwrap_or_else(|| unreachable!("it was read"));
        key.add(key.wrong("port 53 is that of `dns`"));
    }
    let dhcp_servers = table.get("dhcp-server");
    let dhcp_servers = dhcp_servers.map(|node| dhcp::servers(node, host, lab));
    let advertisements = table.get("advertise");
    let advertisements = advertisements.map(|node| advertise::all(node, host, lab));
    let cgroups = cgroups(table);
    let files = files::files(table);
    if let Some(entry) = lab.hosts.get_mut(host) {
        entry.nat = nat;
        entry.forward = forward;
        entry.routes = routes;
        entry.serve = serve;
        entry.hosts_file = hosts_file;
        entry.name_servers = name_servers;
        entry.resolver = resolver.unwrap_or_default();
        entry.dns = dns;
        entry.dhcp_servers = dhcp_servers.unwrap_or_default();
        entry.advertisements = advertisements.unwrap_or_default();
        entry.cgroups = cgroups;
        entry.files = files;
    }
}

fn list<'a>(table: &Table<'a>, key: &str) -> impl Iterator<Item = Node<'a>> + use<'a> {
    table
        .get(key)
        .and_then(Node::list)
        .unwrap_or_default()
        .into_iter()
}

fn links(table: &Table<'_>, host: &HostName, lab: &mut Lab) -> IndexMap<LinkName, Link> {
    let mut links = IndexMap::new();
    for (word, node) in table.get("link").map(Node::entries).unwrap_or_default() {
        let Some(name) = word.link_name() else {
            continue;
        };
        let what = format!("link `{name}` of `{host}`");
        let Some(table) = node.table(what, LINK_KEYS) else {
            continue;
        };
        let net = net::named(&table, "net", lab);
        let link = link::link(&table, net.clone(), host, &name, lab);
        links.insert(name, link);
        lab.cables.add(host, name, net);
    }
    links
}

fn static_route(node: Node<'_>, host: &HostName, lab: &Lab) -> Option<StaticRoute> {
    let table = node.table("a route", ROUTE_KEYS)?;
    route::route(&table, Some(host), true, lab)
}

fn serve(node: Node<'_>) -> Option<Serve> {
    let keys = ["tcp", "udp", "http", "https", "status", "names"];
    let table = node.table("`serve`", &keys)?;
    // HTTP is TCP too.
    let mut taken = Vec::new();
    let tcp = ports(&table, "tcp", &mut taken);
    let http = ports(&table, "http", &mut taken);
    let https = ports(&table, "https", &mut taken);
    let udp = ports(&table, "udp", &mut Vec::new());
    let status = optional(table.get("status"), status);
    let names = table.get("names").map(Node::one_or_many);
    let names = names.unwrap_or_default().into_iter();
    let names = names.filter_map(server_name).collect();
    needs(
        &table,
        "status",
        http.is_empty() && https.is_empty(),
        "http",
    );
    needs(&table, "names", https.is_empty(), "https");
    Some(Serve {
        tcp,
        udp,
        http,
        https,
        status: status?.unwrap_or(Serve::default().status),
        names,
    })
}

/// Refuses a key of `serve` that says something of what is not served.
fn needs(table: &Table<'_>, key: &str, missing: bool, wants: &str) {
    if let (true, Some(word)) = (missing, table.key(key)) {
        let wrong = word.wrong(format!("`{key}` is of {wants}, which is not served here"));
        let port = if wants == "https" { 443 } else { 80 };
        word.add(wrong.help(format!("add `{wants} = [{port}]`, or remove `{key}`")));
    }
}

/// A final status of HTTP (RFC 9110, 15).
pub(crate) fn status(node: Node<'_>) -> Option<u16> {
    let status = node.integer("status of HTTP", 200..=599)?;
    u16::try_from(status).ok()
}

/// A name or an address that a certificate may be for.
pub(crate) fn server_name(node: Node<'_>) -> Option<String> {
    let word = node.word()?;
    let good = is_domain(word.text) || word.text.parse::<IpAddr>().is_ok();
    // A client's SNI takes less than DNS does, such as no underscores at all.
    if good && ServerName::try_from(word.text).is_ok() {
        return Some(word.text.to_owned());
    }
    let wrong = word.wrong(format!("`{}` is no name of a server", word.text));
    word.refuse(wrong.help("write a name such as \"www.example.net\", or an address"))
}

/// The ports below a key, none of which may have been taken.
fn ports<'a>(table: &Table<'a>, key: &str, taken: &mut Vec<(u16, Node<'a>)>) -> Vec<u16> {
    let mut ports = Vec::new();
    for node in list(table, key) {
        let Some(port) = port(node) else { continue };
        match taken.iter().find(|(other, _)| *other == port) {
            Some((_, first)) => {
                let wrong = node.wrong(format!("{key} {port} is served twice"));
                node.problems
                    .add(wrong.label("the second").other(first.span, "the first"));
            }
            None => {
                taken.push((port, node));
                ports.push(port);
            }
        }
    }
    ports
}

/// A port number.
pub(crate) fn port(node: Node<'_>) -> Option<u16> {
    node.integer("port", 1..=i64::from(u16::MAX))
        .and_then(|port| u16::try_from(port).ok())
}

/// The names of control groups, which are folders' (cgroups(7)).
fn cgroups(table: &Table<'_>) -> Vec<String> {
    let mut words: Vec<Word<'_>> = Vec::new();
    for word in list(table, "cgroups").filter_map(Node::word) {
        word.check_label("control group");
        match words.iter().find(|other| other.text == word.text) {
            Some(first) => {
                let wrong = word.wrong(format!("`{}` is there twice", word.text));
                word.add(wrong.label("the second").other(first.span, "the first"));
            }
            None => words.push(word),
        }
    }
    words.into_iter().map(|word| word.text.to_owned()).collect()
}

fn hosts_line(node: Node<'_>) -> Option<HostsLine> {
    let table = node.table("a line of `hosts`", &["ip", "names"])?;
    let address = table.need("ip", "\"127.0.0.1\"").and_then(Node::address);
    let names_node = table.need("names", "[\"vpn.example.net\"]")?;
    let nodes = names_node.list()?;
    if nodes.is_empty() {
        return names_node.refuse(names_node.wrong("a line of `hosts` has at least one name"));
    }
    let words: Vec<Word<'_>> = nodes.into_iter().filter_map(Node::word).collect();
    for word in words.iter().filter(|word| !is_domain(word.text)) {
        word.add(word.wrong(format!("`{}` is no host name", word.text)));
    }
    let names = words.iter().map(|word| word.text.to_owned()).collect();
    Some(HostsLine {
        address: address?,
        names,
    })
}
