//! `ip -j -d route show table all`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use fps_netlink::{Family, LinkName, Route, RouteKind, RouteProtocol, RouteScope, TableId};
use ipnet::IpNet;
use serde_json::Value;

use super::links::HostLink;
use super::names::{self, TableNames};
use super::object::Object;
use super::{Remarks, shown};

/// A route of the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostRoute {
    /// What the lookup goes by; of several next hops the first.
    pub route: Route,
    /// All next hops, where there are several.
    pub hops: Vec<Hop>,
    /// A gateway of the other family.
    pub via: Option<IpAddr>,
    /// What else `ip route add` is to be told, a word and its value each.
    pub more: Vec<[String; 2]>,
}

/// One of several next hops.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    /// The gateway.
    pub gateway: Option<IpAddr>,
    /// The link.
    pub link: Option<LinkName>,
    /// A gateway of the other family.
    pub via: Option<IpAddr>,
    /// How much of the traffic is its own.
    pub weight: u32,
    /// The gateway is taken for a neighbour.
    pub onlink: bool,
    /// Its link is down: no packet goes by it, and nobody could set it so.
    pub dead: bool,
}

/// Figures of a route that ip-route(8) takes as it prints them (RTA_METRICS).
const METRICS: [&str; 11] = [
    "mtu",
    "advmss",
    "window",
    "ssthresh",
    "cwnd",
    "reordering",
    "hoplimit",
    "initcwnd",
    "initrwnd",
    "quickack",
    "fastopen_no_cookie",
];
/// Those that it prints without their unit, and takes for jiffies then.
const MILLISECONDS: [&str; 3] = ["rto_min", "rtt", "rttvar"];
/// What says nothing that is to be reproduced: what is so at the moment, and how long it will be.
const PASSING: [&str; 8] = [
    "expires", "used", "users", "age", "error", "cache", "ipid", "nhid",
];

/// Reads the routes of a family.
pub(super) fn routes(
    list: &[Value],
    family: Family,
    links: &[HostLink],
    tables: &TableNames,
    remarks: &mut Remarks,
) -> Vec<HostRoute> {
    let objects = list.iter().filter_map(Value::as_object);
    let reader = Reader {
        family,
        links,
        tables,
    };
    let routes = objects.filter_map(|fields| {
        let what = || format!("route {}", shown(fields));
        match reader.route(&Object::new(fields), what, remarks) {
            Ok(route) => route,
            Err(why) => {
                remarks.add(format!("{} is left out: {why}", what()));
                None
            }
        }
    });
    routes.collect()
}

struct Reader<'a> {
    family: Family,
    links: &'a [HostLink],
    tables: &'a TableNames,
}

impl Reader<'_> {
    /// A route; none where it is none of its own, or why it cannot be one here.
    fn route(
        &self,
        object: &Object<'_>,
        what: impl Fn() -> String,
        remarks: &mut Remarks,
    ) -> Result<Option<HostRoute>, String> {
        // ip(8) of another version may print an empty object.
        let Some(to) = object.text("dst") else {
            return Err("it has no destination".to_owned());
        };
        let flags = object.texts("flags");
        if flags.contains(&"cloned") {
            return Ok(None);
        }
        let to = destination(&to, self.family).ok_or("its destination is no subnet")?;
        if let Some(from) = object
            .text("from")
            .filter(|it| it != "all" && it != "default")
        {
            return Err(format!("it is for packets from {from} alone"));
        }
        let mut route = self.lead(object, to, &what, remarks)?;
        let hop = self.hop(object)?;
        let hops: Result<Vec<Hop>, String> = object
            .objects("nexthops")
            .iter()
            .map(|it| self.hop(it))
            .collect();
        let mut hops = hops?;
        for dead in hops.iter().filter(|it| it.dead) {
            let by = dead.link.map_or_else(String::new, |it| format!(" by {it}"));
            remarks.add(format!(
                "{}: its next hop{by} is dead, and is left out",
                what()
            ));
        }
        hops.retain(|it| !it.dead);
        let first = hops.first().unwrap_or(&hop);
        route.gateway = first.gateway;
        route.onlink = first.onlink;
        route.link = first.link.and_then(|name| self.index(&name));
        route.richer = hops.len() > 1;
        if route.refuses() {
            route.link = None;
        }
        let via = first.via;
        route.scope = match object.text("scope").as_deref().and_then(names::scope) {
            Some(scope) => scope,
            None if route.kind == RouteKind::Local => RouteScope::Host,
            None => usual_scope(&route, via.is_some()),
        };
        let more = words(object, &what(), remarks);
        self.look_at_rest(object, what, remarks)?;
        Ok(Some(HostRoute {
            route,
            hops: if hops.len() > 1 { hops } else { Vec::new() },
            via,
            more,
        }))
    }

    /// All of it but where it leads.
    fn lead(
        &self,
        object: &Object<'_>,
        to: IpNet,
        what: impl Fn() -> String,
        remarks: &mut Remarks,
    ) -> Result<Route, String> {
        let mut route = Route::new(to);
        let kind = object.text("type");
        route.kind = kind.as_deref().map_or(Ok(RouteKind::Unicast), kind_of)?;
        let table = object.text("table");
        let table = table
            .as_deref()
            .map_or(Some(TableId::MAIN), |it| self.tables.of(it));
        route.table = table.ok_or("the number of its table is not known")?;
        let protocol = object.text("protocol");
        if let Some(text) = protocol {
            route.protocol = names::protocol(&text).unwrap_or_else(|| {
                remarks.add(format!(
                    "{}: who set it (`{text}`) is not known here",
                    what()
                ));
                RouteProtocol::Static
            });
        }
        route.metric = object.number("metric");
        route.source = object.read("prefsrc").filter(|ip| self.is_ours(*ip));
        let tos = object.text("tos").map(|text| {
            let tos = names::service(&text);
            tos.ok_or_else(|| format!("the number of its type of service (`{text}`) is not known"))
        });
        route.tos = tos.transpose()?.unwrap_or(0);
        Ok(route)
    }

    fn look_at_rest(
        &self,
        object: &Object<'_>,
        what: impl Fn() -> String,
        remarks: &mut Remarks,
    ) -> Result<(), String> {
        for (name, _) in object.rest() {
            if ["encap", "encap_type", "tunnel_id"].contains(&name) {
                return Err(format!(
                    "what it puts around packets (`{name}`) is not read"
                ));
            }
        }
        for name in PASSING {
            object.flag(name);
        }
        object.remark(&what(), remarks);
        Ok(())
    }

    fn hop(&self, object: &Object<'_>) -> Result<Hop, String> {
        let link = object.text("dev").map(LinkName::new).transpose();
        let link = link.map_err(|error| error.to_string())?;
        if let Some(name) = link.filter(|name| self.index(name).is_none()) {
            return Err(format!("there is no link {name}"));
        }
        let gateway: Option<IpAddr> = object.read("gateway");
        if gateway.is_some_and(|ip| !self.is_ours(ip)) {
            return Err("its gateway is of the other family".to_owned());
        }
        let via = object.object("via");
        Ok(Hop {
            gateway,
            link,
            via: via.and_then(|via| via.read("host")),
            weight: object.number("weight").unwrap_or(1).clamp(1, 256),
            onlink: object.texts("flags").contains(&"onlink"),
            // So it is called, too, where it has no carrier and is passed over for that.
            dead: object.texts("flags").contains(&"dead")
                && !link.is_some_and(|it| self.is_up(&it)),
        })
    }

    fn is_ours(&self, ip: IpAddr) -> bool {
        Family::of(ip) == self.family
    }

    fn is_up(&self, name: &LinkName) -> bool {
        let mut links = self.links.iter();
        links.any(|link| link.name() == *name && link.link.up)
    }

    fn index(&self, name: &LinkName) -> Option<fps_netlink::IfIndex> {
        let mut links = self.links.iter();
        Some(links.find(|link| link.name() == *name)?.link.index)
    }
}

/// As the kernel has it where nobody says anything else (`ip route add`).
fn usual_scope(route: &Route, via: bool) -> RouteScope {
    let direct = route.gateway.is_none() && !via && !route.refuses();
    match direct && route.family() == Family::V4 {
        true => RouteScope::Link,
        false => RouteScope::Universe,
    }
}

/// A destination: `default`, a subnet, or an address alone.
pub(super) fn destination(text: &str, family: Family) -> Option<IpNet> {
    let any: IpAddr = match family {
        Family::V4 => Ipv4Addr::UNSPECIFIED.into(),
        Family::V6 => Ipv6Addr::UNSPECIFIED.into(),
    };
    let net = match text {
        "default" | "all" | "any" => IpNet::new(any, 0).ok(),
        text => text
            .parse::<IpNet>()
            .ok()
            .or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from)),
    };
    net.filter(|net| Family::of(net.addr()) == family)
        .map(|net| net.trunc())
}

fn kind_of(text: &str) -> Result<RouteKind, String> {
    Ok(match text {
        "unicast" => RouteKind::Unicast,
        "local" => RouteKind::Local,
        "broadcast" => RouteKind::Broadcast,
        "anycast" => RouteKind::Anycast,
        "multicast" => RouteKind::Multicast,
        "blackhole" => RouteKind::BlackHole,
        "unreachable" => RouteKind::Unreachable,
        "prohibit" => RouteKind::Prohibit,
        "throw" => RouteKind::Throw,
        other => {
            return Err(format!(
                "it is of a kind that is not known here (`{other}`)"
            ));
        }
    })
}

/// What else is to be said to `ip route add`.
fn words(object: &Object<'_>, what: &str, remarks: &mut Remarks) -> Vec<[String; 2]> {
    let mut words = Vec::new();
    let mut add = |word: &str, value: Option<String>| {
        let plain = |text: &String| text.chars().all(|c| c.is_ascii_alphanumeric() || c == '/');
        if let Some(value) = value.filter(plain).filter(|it| !it.is_empty()) {
            words.push([word.to_owned(), value]);
        }
    };
    for metrics in object.objects("metrics") {
        for name in METRICS {
            add(name, metrics.text(name));
        }
        for name in MILLISECONDS {
            add(name, metrics.text(name).map(|it| it + "ms"));
        }
        // Others are modules, which nobody can load from within a lab.
        match metrics.text("congestion") {
            Some(name) if !["reno", "cubic"].contains(&name.as_str()) => {
                remarks.add(format!("{what}: its congestion control {name} is left out"));
            }
            name => add("congctl", name),
        }
        add("features", metrics.flag("ecn").then(|| "ecn".to_owned()));
        metrics.remark(what, remarks);
    }
    if let Some(flow) = object.object("flow") {
        let (from, to) = (flow.text("from"), flow.text("to"));
        let realm = match (from, to) {
            (Some(from), Some(to)) => Some(format!("{from}/{to}")),
            (from, to) => to.or(from),
        };
        add("realm", realm);
    }
    add("pref", object.text("pref").filter(|it| it != "medium"));
    words
}
