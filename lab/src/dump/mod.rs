//! What a customer's host was like, read from the archive of `fps-lab collect`.
//!
//! - [`Files`]: the texts of the archive, within bounds
//! - [`Dump`]: what they say, in the types of `fps-netlink`
//! - `links`, `routes`, `rules`: ip(8); `sysctls`: sysctl(8); `resolver`, `resolved`: names
//! - `object`: JSON as the versions of ip(8) write it; `names`: their words for numbers
//! - `explain`: where the host would have sent a packet; `source`: from which of its addresses
//! - [`Remarks`]: what was not understood
//! - [`DumpError`]: why nothing can be read
//!
//! Nothing in an archive is trusted. What is broken as a whole is an error; a single object that cannot
//! be read is left out, and a remark tells so.

mod archive;
mod error;
mod explain;
mod links;
mod names;
mod object;
mod remarks;
mod resolved;
mod resolver;
mod routes;
mod rules;
mod source;
mod sysctls;

use std::collections::BTreeMap;

use fps_netlink::{Family, IfIndex, Link, LinkName, Route, RouteKind};
use serde_json::{Map, Value};

pub use archive::{Files, LARGEST_ARCHIVE};
pub use error::DumpError;
pub use links::{HostAddress, HostLink};
pub use remarks::Remarks;
pub use resolved::{Mode, Resolved, Scope, Server};
pub use resolver::HostResolver;
pub use routes::{Hop, HostRoute};
pub use rules::HostRule;

use crate::explain::Tables;
use names::TableNames;

/// A host's network at the moment when it was collected.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dump {
    /// Its links, with their addresses.
    pub links: Vec<HostLink>,
    /// The routes of all tables.
    pub routes: Vec<HostRoute>,
    /// The rules, IPv4 and IPv6.
    pub rules: Vec<HostRule>,
    /// The sysctls below net.
    pub sysctls: BTreeMap<String, String>,
    /// The ruleset of nftables, as a text.
    pub nft: String,
    /// What answers for names.
    pub resolver: HostResolver,
    /// The kernel and the programs that it was read with, a line each.
    pub about: Vec<String>,
    /// What was not understood, and what is missing.
    pub remarks: Remarks,
}

impl Dump {
    /// Reads an archive.
    pub fn unpack(archive: &[u8]) -> Result<Self, DumpError> {
        Self::read(&Files::unpack(archive)?)
    }

    /// Reads the files of an archive.
    pub fn read(files: &Files) -> Result<Self, DumpError> {
        if !files.is_collection() {
            return Err(DumpError::NoCollection);
        }
        let mut remarks = Remarks::default();
        // What `ip addr` tells of a link is all that is needed where `ip link` is missing.
        let addresses = need(files, "addr.json")?;
        let links = object::list(files, "link.json")?;
        let mut links = links::links(links.as_ref().unwrap_or(&addresses), &mut remarks);
        links::addresses(&addresses, &mut links, &mut remarks);
        let tables = TableNames::read(files.get("tables.txt").unwrap_or_default());
        let (mut routes, mut rules) = (Vec::new(), Vec::new());
        let files_of = [
            (Family::V4, "route4.json", "rule4.json"),
            (Family::V6, "route6.json", "rule6.json"),
        ];
        for (family, route, rule) in files_of {
            let list = match family {
                Family::V4 => need(files, route)?,
                Family::V6 => optional(files, route, &mut remarks)?,
            };
            routes.extend(routes::routes(&list, family, &links, &tables, &mut remarks));
            let list = match family {
                Family::V4 => need(files, rule)?,
                Family::V6 => optional(files, rule, &mut remarks)?,
            };
            rules.extend(rules::rules(&list, family, &tables, &mut remarks));
        }
        let text = |name: &str| files.get(name).unwrap_or_default();
        for line in text("missing.txt").lines().take(20) {
            remarks.add(format!("was not collected: {line}"));
        }
        let legacy: Vec<&str> = text("legacy.txt").split_whitespace().collect();
        if !legacy.is_empty() {
            let names = legacy.join(", ");
            remarks.add(format!(
                "tables of the older iptables are not reproduced: {names}"
            ));
        }
        if text("nft.txt").trim().is_empty() && text("nft.json").contains("\"table\"") {
            remarks.add("the firewall is left out: it is there as nft.json, and not as nft.txt");
        }
        let resolver = HostResolver {
            resolv_conf: files.get("resolv.conf").map(str::to_owned),
            link: files.get("resolv.link").map(|text| text.trim().to_owned()),
            resolved: Resolved::read(text("resolvectl.txt")),
        };
        Ok(Self {
            links,
            routes,
            rules,
            sysctls: sysctls::sysctls(text("sysctl.txt")),
            nft: text("nft.txt").to_owned(),
            resolver,
            about: text("about.txt")
                .lines()
                .take(8)
                .map(str::to_owned)
                .collect(),
            remarks,
        })
    }

    /// What the kernel goes by when it routes a packet of a family.
    pub fn tables(&self, family: Family) -> Tables {
        let rules = self.rules.iter().map(|it| it.rule);
        let routes = self.routes.iter().filter_map(|it| self.usable(it));
        let addresses = self.links.iter().flat_map(|link| &link.addresses);
        Tables {
            family,
            rules: rules.filter(|rule| rule.family == family).collect(),
            routes: routes.filter(|route| route.family() == family).collect(),
            links: self
                .links
                .iter()
                .map(|it| it.link.clone())
                .collect::<Vec<Link>>(),
            addresses: addresses.map(|it| it.address.clone()).collect(),
        }
    }

    /// A route as a packet finds it: without the next hops whose link has no carrier, where the kernel passes
    /// those over (`fib_lookup_good_nhc` in net/ipv4/fib_trie.c, `find_match` in net/ipv6/route.c); none where none is
    /// left.
    fn usable(&self, it: &HostRoute) -> Option<Route> {
        let mut route = it.route.clone();
        // Of a gateway of the other family a route here says nothing.
        route.richer |= it.via.is_some();
        let is_down = |index: Option<IfIndex>| {
            let link = index.and_then(|index| self.link(index));
            link.is_some_and(|link| !link.link.carrier && self.passes_over(route.family(), link))
        };
        // What is for the host itself stays, whatever its link has (`fib_sync_down_dev`, `fib6_ifdown`).
        let is_own = [RouteKind::Local, RouteKind::Anycast].contains(&route.kind);
        if is_own || !is_down(route.link) {
            return Some(route);
        }
        let index =
            |name: LinkName| Some(self.links.iter().find(|it| it.name() == name)?.link.index);
        let mut hops = it.hops.iter().map(|hop| (hop, hop.link.and_then(index)));
        let (hop, link) = hops.find(|(_, link)| !is_down(*link))?;
        (route.gateway, route.link, route.onlink) = (hop.gateway, link, hop.onlink);
        Some(route)
    }

    /// Whether routes by a link without carrier are passed over: where that is said of it or of all.
    fn passes_over(&self, family: Family, link: &HostLink) -> bool {
        let part = match family {
            Family::V4 => "net.ipv4.conf",
            Family::V6 => "net.ipv6.conf",
        };
        let name = link.name().as_str().replace('.', "/");
        // Of IPv6, `all` sets each link's own; of IPv4 it counts beside it, in older kernels not at all.
        let names = [name.as_str(), "all"];
        let names = &names[..if family == Family::V4 { 2 } else { 1 }];
        names.iter().any(|of| {
            let key = format!("{part}.{of}.ignore_routes_with_linkdown");
            self.sysctls.get(&key).is_some_and(|value| value != "0")
        })
    }

    /// A link by its index.
    pub fn link(&self, index: IfIndex) -> Option<&HostLink> {
        self.links.iter().find(|it| it.link.index == index)
    }
}

fn need(files: &Files, file: &'static str) -> Result<Vec<Value>, DumpError> {
    let missing = files.get("missing.txt").unwrap_or_default();
    let why = missing.lines().find(|line| line.starts_with(file));
    let why = why.map(|line| format!(" ({line})")).unwrap_or_default();
    // A file that a command has left when it failed is empty, or ends somewhere.
    if !why.is_empty() {
        return Err(DumpError::Missing { file, why });
    }
    object::list(files, file)?.ok_or(DumpError::Missing { file, why })
}

fn optional(
    files: &Files,
    file: &'static str,
    remarks: &mut Remarks,
) -> Result<Vec<Value>, DumpError> {
    let list = object::list(files, file)?;
    Ok(list.unwrap_or_else(|| {
        remarks.add(format!("the archive has no {file}, or an empty one"));
        Vec::new()
    }))
}

/// An object as a remark names it.
fn shown(fields: &Map<String, Value>) -> String {
    let text = |name: &str| match fields.get(name) {
        Some(Value::String(text)) => Some(format!("{name} {text}")),
        Some(Value::Number(number)) => Some(format!("{name} {number}")),
        _ => None,
    };
    let names = ["priority", "type", "dst", "src", "gateway", "dev", "table"];
    let parts: Vec<String> = names.iter().filter_map(|name| text(name)).collect();
    parts.join(" ")
}
