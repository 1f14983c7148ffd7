//! The hosts around the customer's: gateways, the far ends of tunnels, name servers, and a web server
//! behind all of them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use fps_netlink::{Family, Flow, IfIndex, LinkName, RouteKind, Verdict};
use ipnet::IpNet;

use super::draft::{HostDraft, Inline, NetDraft, StepDraft, list};
use super::nets::Nets;
use crate::dump::{Dump, HostLink, HostRoute, Remarks};

/// How many gateways and far ends are made.
const MOST: usize = 60;
/// How many name servers are made.
const MOST_SERVERS: usize = 16;
/// The web server's place in the internet.
const WEB: u8 = 80;
/// That of the first name server.
const SERVERS: u8 = 101;

/// A host that the customer's sends packets to.
struct Router {
    name: String,
    what: String,
    net: String,
    link: LinkName,
    /// Its addresses in that net.
    own: Vec<IpAddr>,
    /// Those of them that no subnet of the net holds.
    other: Vec<IpAddr>,
    /// Whether it answers for every address there is, as the far end of a tunnel does.
    answers_for_all: bool,
    /// Whether it is a name server, too.
    dns: bool,
}

/// What stands around the host.
pub(super) struct Around {
    routers: Vec<Router>,
    /// Name servers in nets of the host: the net, the address.
    near: Vec<(String, IpAddr)>,
    /// Name servers behind the gateways.
    far: Vec<IpAddr>,
}

impl Around {
    pub(super) fn infer(dump: &Dump, nets: &Nets, remarks: &mut Remarks) -> Self {
        let mut around = Self {
            routers: Vec::new(),
            near: Vec::new(),
            far: Vec::new(),
        };
        around.gateways(dump, nets);
        around.far_ends(dump, nets);
        if around.routers.len() > MOST {
            remarks.add(format!("of its gateways only {MOST} are there"));
            around.routers.truncate(MOST);
        }
        let servers = dump.resolver.servers();
        if servers.len() > MOST_SERVERS {
            remarks.add(format!("of its name servers only {MOST_SERVERS} are there"));
        }
        for server in servers.into_iter().take(MOST_SERVERS) {
            around.server(server, dump, nets, remarks);
        }
        around
    }

    fn gateways(&mut self, dump: &Dump, nets: &Nets) {
        let own = |ip: IpAddr| {
            let mut all = dump.links.iter().flat_map(|link| &link.addresses);
            all.any(|it| it.address.net.addr() == ip)
        };
        for route in &dump.routes {
            let single = (route.route.gateway.or(route.via), route.route.link);
            let several = route.hops.iter().map(|hop| {
                let named = dump.links.iter().find(|it| Some(it.name()) == hop.link);
                (hop.gateway.or(hop.via), named.map(|it| it.link.index))
            });
            let default = route.route.to.prefix_len() == 0;
            for (gateway, link) in std::iter::once(single).chain(several) {
                let link = link.and_then(|index| dump.link(index));
                if let (Some(gateway), Some(link)) = (gateway, link)
                    && !own(gateway)
                    && is_host(gateway)
                {
                    self.gateway(gateway, link, default, nets);
                }
            }
        }
    }

    fn gateway(&mut self, ip: IpAddr, link: &HostLink, default: bool, nets: &Nets) {
        let Some(net) = nets.of(&link.name()) else {
            return;
        };
        let known = |router: &Router| {
            let mut all = router.own.iter().chain(&router.other);
            router.net == net.name && all.any(|other| *other == ip)
        };
        if self.routers.iter().any(known) {
            return;
        }
        let inside = is_inside(ip, net);
        let same_family = |other: &IpAddr| other.is_ipv4() == ip.is_ipv4();
        let partner = self.routers.iter_mut().find(|it| {
            let mut all = it.own.iter().chain(&it.other);
            default && it.link == link.name() && !all.any(same_family)
        });
        let (own, other) = if inside {
            (vec![ip], vec![])
        } else {
            (vec![], vec![ip])
        };
        match partner {
            Some(router) => {
                router.own.extend(own);
                router.other.extend(other);
            }
            None => self.routers.push(Router {
                name: self.name("gateway"),
                what: format!("A gateway of {}.", link.name()),
                net: net.name.clone(),
                link: link.name(),
                own,
                other,
                answers_for_all: false,
                dns: false,
            }),
        }
    }

    /// Who is at the other end of a tunnel that has routes without gateways.
    fn far_ends(&mut self, dump: &Dump, nets: &Nets) {
        for link in dump.links.iter().filter(|it| it.is_tunnel() && it.link.up) {
            let leads = dump.routes.iter().any(|it| {
                let route = &it.route;
                route.link == Some(link.link.index)
                    && route.kind == RouteKind::Unicast
                    && route.gateway.is_none()
            });
            let has = self.routers.iter().any(|it| it.link == link.name());
            let Some(net) = nets.of(&link.name()).filter(|_| leads && !has) else {
                continue;
            };
            self.routers.push(Router {
                name: self.name(&format!(
                    "end-of-{}",
                    super::nets::label(link.name().as_str(), "tunnel")
                )),
                what: format!(
                    "The far end of {}: it answers for every IPv4 address that it has a way to.",
                    link.name()
                ),
                net: net.name.clone(),
                link: link.name(),
                own: Vec::new(),
                other: Vec::new(),
                answers_for_all: true,
                dns: false,
            });
        }
    }

    fn name(&self, wanted: &str) -> String {
        let taken = |name: &str| self.routers.iter().any(|it| it.name == name);
        let mut names = (2..).map(|number| format!("{wanted}-{number}"));
        match taken(wanted) {
            false => wanted.to_owned(),
            true => names
                .find(|name| !taken(name))
                .expect("there are more numbers than hosts"),
        }
    }

    /// A name server, where the host's routes lead to it.
    fn server(&mut self, ip: IpAddr, dump: &Dump, nets: &Nets, remarks: &mut Remarks) {
        let tables = dump.tables(Family::of(ip));
        let verdict = tables.fib().lookup(&Flow::to(ip));
        let Verdict::Leaves { route, .. } = verdict else {
            remarks.add(format!(
                "name server {ip} is not there: the host has no way to it"
            ));
            return;
        };
        let link = verdict.link().filter(|link| *link != IfIndex::LOOPBACK);
        let Some(link) = link.and_then(|index| dump.link(index)) else {
            return;
        };
        let has = |router: &Router| router.own.contains(&ip) || router.other.contains(&ip);
        if let Some(router) = self.routers.iter_mut().find(|it| has(it)) {
            router.dns = true;
            return;
        }
        let net = nets.of(&link.name());
        let direct = route.gateway.is_none() && !route.richer;
        match net.filter(|net| direct && is_inside(ip, net)) {
            Some(net) => self.near.push((net.name.clone(), ip)),
            None => {
                let end = self
                    .routers
                    .iter_mut()
                    .find(|it| direct && it.answers_for_all && it.link == link.name());
                match end {
                    Some(router) => {
                        router.other.push(ip);
                        router.dns = true;
                    }
                    None if direct => remarks.add(format!(
                        "name server {ip} is not there: it would be a neighbour on {}, outside of its subnets",
                        link.name()
                    )),
                    None => self.far.push(ip),
                }
            }
        }
    }

    /// The hosts, and what is done to them before the first step of the customer's.
    pub(super) fn write(
        &self,
        dump: &Dump,
        nets: &Nets,
        internet: &NetDraft,
    ) -> (Vec<HostDraft>, StepDraft) {
        let mut step = StepDraft::new("the hosts around it");
        let mut hosts = Vec::new();
        for (number, router) in (1u8..).zip(&self.routers) {
            hosts.push(self.router(router, number, dump, nets, internet, &mut step));
        }
        for (number, (net, ip)) in (1..).zip(&self.near) {
            let link = Inline::default().text("net", net).text("ip", ip);
            hosts.push(HostDraft {
                name: format!("dns-{number}"),
                comments: vec!["A name server of its nets.".to_owned()],
                lines: vec![format!("link.eth0 = {}", link.write())],
                tables: vec![zone(&format!("dns-{number}"), internet)],
            });
        }
        let before = self.near.len() + 1;
        for (number, (place, ip)) in (before..).zip((SERVERS..).zip(&self.far)) {
            let name = format!("dns-{number}");
            let link = Inline::default().text("net", &internet.name);
            let link = link.raw("ip", list(places(internet, place)));
            step.acts.push(addr(&name, "eth0", *ip));
            hosts.push(HostDraft {
                comments: vec!["A name server behind the gateways.".to_owned()],
                lines: vec![format!("link.eth0 = {}", link.write())],
                tables: vec![zone(&name, internet)],
                name,
            });
        }
        let link = Inline::default().text("net", &internet.name);
        let link = link.raw("ip", list(places(internet, WEB)));
        hosts.push(HostDraft {
            name: "web".to_owned(),
            comments: vec!["Something to reach.".to_owned()],
            lines: vec![
                "serve     = { tcp = [80] }".to_owned(),
                format!("link.eth0 = {}", link.write()),
            ],
            tables: Vec::new(),
        });
        (hosts, step)
    }

    fn router(
        &self,
        router: &Router,
        number: u8,
        dump: &Dump,
        nets: &Nets,
        internet: &NetDraft,
        step: &mut StepDraft,
    ) -> HostDraft {
        let name = &router.name;
        let lan = Inline::default()
            .text("net", &router.net)
            .raw("ip", list(&router.own));
        let wan = Inline::default().text("net", &internet.name);
        let wan = wan.raw("ip", list(places(internet, number)));
        let mut routes: Vec<String> = self
            .back(router, dump, nets)
            .map(|net| route(net, "lan"))
            .collect();
        routes.extend(self.far.iter().map(|ip| route(IpNet::from(*ip), "wan")));
        let mut lines = vec![
            "nat      = \"wan\"".to_owned(),
            format!("link.lan = {}", lan.write()),
            format!("link.wan = {}", wan.write()),
        ];
        if !routes.is_empty() {
            lines.push(format!("routes   = [{}]", routes.join(", ")));
        }
        step.acts
            .extend(router.other.iter().map(|ip| addr(name, "lan", *ip)));
        if router.answers_for_all {
            // Without the second the kernel lets up to 0.8 s pass before it answers for another.
            for key in ["conf.lan.proxy_arp", "neigh.lan.proxy_delay"] {
                let value = u8::from(key.starts_with("conf"));
                let act = Inline::default().text("on", name);
                let act = act
                    .text("key", format!("net.ipv4.{key}"))
                    .raw("value", value);
                step.acts.push(act.of("sysctl"));
            }
        }
        HostDraft {
            name: name.clone(),
            comments: vec![router.what.clone()],
            lines,
            tables: if router.dns {
                vec![zone(name, internet)]
            } else {
                Vec::new()
            },
        }
    }

    /// The customer's addresses that a router has no way to by its own.
    fn back(&self, router: &Router, dump: &Dump, nets: &Nets) -> impl Iterator<Item = IpNet> {
        let link = dump.links.iter().find(|it| it.name() == router.link);
        let net = nets.of(&router.link);
        let connected = |ip: IpAddr| {
            let has = router.own.iter().any(|own| own.is_ipv4() == ip.is_ipv4());
            has && net.is_some_and(|net| is_inside(ip, net))
        };
        let addresses = link.map(|it| it.addresses.as_slice()).unwrap_or_default();
        let addresses = addresses.iter().map(|it| it.address.net.addr());
        // Those of other links that a route by this one says to be the source.
        let by_it =
            |it: &&HostRoute| link.is_some_and(|link| it.route.link == Some(link.link.index));
        let sources = dump.routes.iter().filter(by_it);
        let sources = sources.filter_map(|it| it.route.source);
        let mut own: Vec<IpAddr> = Vec::new();
        for ip in addresses.chain(sources) {
            if is_host(ip) && !connected(ip) && !own.contains(&ip) {
                own.push(ip);
            }
        }
        let global = |ip: &IpAddr| !matches!(ip, IpAddr::V6(ip) if ip.is_unicast_link_local());
        own.into_iter().filter(global).map(IpNet::from)
    }

    /// The gateways that can be asked whether they are there: the host, the customer's link, and the
    /// family.
    pub(super) fn reachable(&self, dump: &Dump) -> Vec<(String, LinkName, &'static str)> {
        let routers = self.routers.iter().filter_map(|router| {
            let ip = router.own.first()?;
            let link = dump.links.iter().find(|it| it.name() == router.link)?;
            let mut addresses = link.addresses.iter();
            let asks = addresses.any(|it| it.address.net.contains(ip));
            let stands = link.link.up && link.link.carrier && asks;
            let tables = dump.tables(Family::of(*ip));
            let flow = Flow::to(*ip);
            // The kernel looks once more with the source that it has found. The router knows the way back to
            // those of its link.
            let source = dump.source(&tables, &flow)?;
            let is_direct = |flow: &Flow| {
                let verdict = tables.fib().lookup(flow);
                let by = verdict.link() == Some(link.link.index);
                by && matches!(verdict, Verdict::Leaves { route, .. } if route.gateway.is_none())
            };
            let back = tables.fib().lookup(&Flow::to(source));
            let is_own =
                matches!(back, Verdict::Leaves { route, .. } if route.kind == RouteKind::Local);
            let known = link
                .addresses
                .iter()
                .any(|it| it.address.net.addr() == source);
            let direct = is_direct(&flow) && is_direct(&flow.sent_from(source));
            let version = if ip.is_ipv4() { "v4" } else { "v6" };
            let can = stands && direct && is_own && known;
            can.then(|| (router.name.clone(), router.link, version))
        });
        routers.collect()
    }
}

/// Whether an address can be that of a host.
fn is_host(ip: IpAddr) -> bool {
    !(ip.is_loopback()
        || ip.is_multicast()
        || ip.is_unspecified()
        || ip == IpAddr::V4(Ipv4Addr::BROADCAST))
}

/// Whether a link of a net can have an address by the file alone.
fn is_inside(ip: IpAddr, net: &NetDraft) -> bool {
    match ip {
        IpAddr::V4(ip) => net.v4.is_some_and(|net| {
            let edge = ip == net.network() || ip == net.broadcast();
            net.contains(&ip) && (net.prefix_len() >= 31 || !edge)
        }),
        IpAddr::V6(ip) => net.v6.is_some_and(|net| {
            net.contains(&ip) && (net.prefix_len() >= 127 || ip != net.network())
        }),
    }
}

/// The addresses of a place in the internet.
fn places(internet: &NetDraft, number: u8) -> Vec<IpAddr> {
    let v4 = internet.v4.map(|net| {
        let [a, b, c, _] = net.addr().octets();
        IpAddr::V4(Ipv4Addr::new(a, b, c, number))
    });
    let v6 = internet.v6.map(|net| {
        let last = u128::from(net.addr()) | u128::from(number);
        IpAddr::V6(Ipv6Addr::from(last))
    });
    v4.into_iter().chain(v6).collect()
}

fn addr(on: &str, link: &str, ip: IpAddr) -> String {
    let length = match ip {
        IpAddr::V6(ip) if ip.is_unicast_link_local() => 64,
        IpAddr::V6(_) => 128,
        IpAddr::V4(_) => 32,
    };
    let act = Inline::default().text("on", on).text("link", link);
    act.text("ip", format!("{ip}/{length}")).of("addr")
}

fn route(to: IpNet, link: &str) -> String {
    Inline::default().text("to", to).text("link", link).write()
}

/// A zone with a name, so that there is something to ask for.
fn zone(host: &str, internet: &NetDraft) -> String {
    let records = places(internet, WEB).into_iter().map(|ip| {
        let kind = if ip.is_ipv4() { "A" } else { "AAAA" };
        format!("www.example.net. 60 {kind} {ip}")
    });
    format!("[host.{host}.dns.zone]\n\".\" = {}", list(records))
}
