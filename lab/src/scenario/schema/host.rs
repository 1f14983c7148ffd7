//! `[host.NAME]`

use schemars::JsonSchema;
use serde_json::{Value, json};

use super::advertise::Advertisement;
use super::dhcp::DhcpServer;
use super::dns::DnsServer;
use super::link::Link;
use super::many::{Named, OneOrMany};
use super::route::Route;
use super::rule;
use super::text::{Address, FilePath, HostName, HttpStatus, LinkName, Name, Port, ServerName};

/// A host: namespaces of its own for its network, its mounts and its name, with an /etc and a /run of its own.
#[derive(JsonSchema)]
#[schemars(
    rename_all = "kebab-case",
    deny_unknown_fields,
    transform = rule::all_of(who_translates_forwards())
)]
pub(super) struct Host {
    /// Its links, each plugged into a net: `link.wlan0 = { net = "home", ip = "192.168.188.112", via = "192.168.188.1" }`.
    link: Option<Named<LinkName, Link>>,
    /// `true` forwards between its links, IPv4 and IPv6. `nat` implies it.
    #[schemars(extend("default" = false))]
    forward: Option<bool>,
    /// One or many of its links, on which leaving packets take the link's own address: `"wan"`.
    nat: Option<OneOrMany<LinkName>>,
    serve: Option<Serve>,
    /// Routes that it has from the start: `[{ to = "10.0.0.0/8", via = "192.168.188.1" }]`.
    routes: Option<Vec<Route>>,
    /// More lines for its /etc/hosts: `[{ ip = "127.0.0.1", names = ["vpn.example.net"] }]`.
    hosts: Option<Vec<HostsLine>>,
    /// One or many name servers for its /etc/resolv.conf, set by hand: no roam changes them. Without any it has those of its nets.
    name_servers: Option<OneOrMany<Address>>,
    /// What answers for its programs.
    #[schemars(extend("default" = "resolv-conf"))]
    resolver: Option<Resolver>,
    dns: Option<DnsServer>,
    /// DHCP servers on its links: `dhcp-server.lan = { range = "192.168.188.100-192.168.188.150" }`.
    dhcp_server: Option<Named<LinkName, DhcpServer>>,
    /// Router advertisements on its links: `advertise.lan = {}`.
    advertise: Option<Named<LinkName, Advertisement>>,
    /// Control groups (version 2) in a tree of its own, mounted on its /sys/fs/cgroup; needs root: `["apps"]`.
    cgroups: Option<Vec<Name>>,
    /// Files that it has before anything runs, below /etc or /run, each with its text: `{ "/run/vpn/client.conf" = "…" }`. Root alone may read them.
    files: Option<Named<FilePath, String>>,
}

fn who_translates_forwards() -> Value {
    json!({ "dependencies": { "nat": { "properties": { "forward": { "not": { "const": false } } } } } })
}

/// Ports on which the lab answers for the host, so that probes can ask: `{ tcp = [80], udp = [53] }`.
#[derive(JsonSchema)]
#[schemars(
    rename_all = "kebab-case",
    deny_unknown_fields,
    transform = rule::needs("names", "https"),
    transform = rule::at_least_one_where("status", "http https")
)]
pub(super) struct Serve {
    /// TCP ports that echo what they are sent: `[80]`.
    tcp: Option<Vec<Port>>,
    /// UDP ports that echo what they are sent: `[53]`.
    udp: Option<Vec<Port>>,
    /// Ports that answer each GET of HTTP with a page that has the host's name in it: `[80]`.
    http: Option<Vec<Port>>,
    /// The same by TLS, with a certificate by the CA of the play, which each host has as /run/fps/ca.pem: `[443]`.
    https: Option<Vec<Port>>,
    /// The status of its pages, 200 to 599.
    #[schemars(extend("default" = 200))]
    status: Option<HttpStatus>,
    /// One or many further names or addresses for its certificate: `"www.example.net"`.
    names: Option<OneOrMany<ServerName>>,
}

/// A line of /etc/hosts.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct HostsLine {
    /// The address: `"127.0.0.1"`.
    ip: Address,
    /// The names that lead to it, at least one: `["vpn.example.net"]`.
    #[schemars(length(min = 1))]
    names: Vec<HostName>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", inline)]
pub(super) enum Resolver {
    /// The classic /etc/resolv.conf.
    ResolvConf,
    /// The real systemd-resolved with a D-Bus of its own; its programs are `HOST-bus` and `HOST-resolved`.
    SystemdResolved,
}
