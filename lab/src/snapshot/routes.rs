//! Routes of all tables, as `ip route show table all` shows them.

use fps_netlink::ProtocolName;
use fps_netlink::whole::{
    AddressFamily, RouteAddress, RouteAttribute, RouteFlags, RouteMessage, RouteMetric,
    RouteNextHop, RouteNextHopFlags, RouteType,
};

use super::entry::Entry;
use super::names::{self, Names};

pub(super) fn entry(route: &RouteMessage, names: &Names) -> Entry {
    let header = &route.header;
    let mut entry = Entry::default();
    if let Some(kind) = kind(header.kind) {
        entry.set("type", kind);
    }
    entry.set("to", destination(route));
    let mut table = u32::from(header.table);
    let mut rest = Entry::default();
    for attribute in &route.attributes {
        match attribute {
            RouteAttribute::Table(number) => table = *number,
            RouteAttribute::Gateway(address) => entry.set("via", ip(address)),
            RouteAttribute::Oif(index) => entry.set("dev", names.of_index(*index)),
            RouteAttribute::Priority(metric) => rest.set("metric", metric),
            RouteAttribute::PrefSource(address) => rest.set("src", ip(address)),
            RouteAttribute::Metrics(metrics) => metrics.iter().for_each(|it| metric(it, &mut rest)),
            RouteAttribute::MultiPath(hops) => {
                let hops: Vec<String> = hops.iter().map(|hop| next_hop(hop, names)).collect();
                rest.set("nexthops", hops.join("; "));
            }
            // How long it lives is told beside what it is.
            RouteAttribute::Destination(_)
            | RouteAttribute::CacheInfo(_)
            | RouteAttribute::Expires(_)
            | RouteAttribute::MfcStats(_)
            | RouteAttribute::MulticastExpires(_) => {}
            RouteAttribute::Preference(preference) => {
                rest.set("pref", format!("{preference:?}").to_lowercase());
            }
            more => rest.other(more),
        }
    }
    entry.set("table", names::table(table));
    entry.set("proto", ProtocolName(header.protocol));
    entry.set("scope", names::scope(u8::from(header.scope)));
    if header.tos != 0 {
        entry.set("tos", format!("{:#x}", header.tos));
    }
    for (word, value) in rest.iter() {
        entry.set(word, value);
    }
    entry.flag("onlink", header.flags.contains(RouteFlags::Onlink));
    entry
}

/// The word for a route by which nothing leaves, or that is the host's own; none of a plain one.
fn kind(kind: RouteType) -> Option<String> {
    match kind {
        RouteType::Unicast => None,
        other => Some(format!("{other:?}").to_lowercase()),
    }
}

fn destination(route: &RouteMessage) -> String {
    let address = route
        .attributes
        .iter()
        .find_map(|attribute| match attribute {
            RouteAttribute::Destination(address) => Some(ip(address)),
            _ => None,
        });
    let any = match route.header.address_family {
        AddressFamily::Inet6 => "::",
        _ => "0.0.0.0",
    };
    let address = address.unwrap_or_else(|| any.to_owned());
    format!("{address}/{}", route.header.destination_prefix_length)
}

fn ip(address: &RouteAddress) -> String {
    match address {
        RouteAddress::Inet(ip) => ip.to_string(),
        RouteAddress::Inet6(ip) => ip.to_string(),
        other => format!("{other:?}"),
    }
}

fn metric(metric: &RouteMetric, entry: &mut Entry) {
    match metric {
        RouteMetric::Mtu(mtu) => entry.set("mtu", mtu),
        RouteMetric::Advmss(size) => entry.set("advmss", size),
        RouteMetric::Hoplimit(limit) => entry.set("hoplimit", limit),
        more => entry.other(more),
    }
}

fn next_hop(hop: &RouteNextHop, names: &Names) -> String {
    let mut entry = Entry::default();
    for attribute in &hop.attributes {
        match attribute {
            RouteAttribute::Gateway(address) => entry.set("via", ip(address)),
            more => entry.other(more),
        }
    }
    entry.set("dev", names.of_index(hop.interface_index));
    entry.set("weight", u16::from(hop.hops) + 1);
    entry.flag("onlink", hop.flags.contains(RouteNextHopFlags::Onlink));
    entry.to_string()
}
