//! Addresses, as `ip addr` shows them.

use fps_netlink::whole::{AddressAttribute, AddressFamily, AddressFlags, AddressMessage};

use super::entry::Entry;
use super::names::{self, Names};

/// Flags that somebody sets. The others come and go with duplicate address detection and time.
const SET: AddressFlags = AddressFlags::Homeaddress
    .union(AddressFlags::Permanent)
    .union(AddressFlags::Managetempaddr)
    .union(AddressFlags::Noprefixroute)
    .union(AddressFlags::Mcautojoin);

pub(super) fn entry(address: &AddressMessage, names: &Names) -> Entry {
    let mut entry = Entry::default();
    let (mut local, mut other, mut flags) = (None, None, AddressFlags::empty());
    let mut rest = Entry::default();
    for attribute in &address.attributes {
        match attribute {
            AddressAttribute::Local(ip) => local = Some(*ip),
            AddressAttribute::Address(ip) => other = Some(*ip),
            AddressAttribute::Flags(value) => flags = *value,
            AddressAttribute::Broadcast(ip) => rest.set("brd", ip),
            AddressAttribute::Label(label) => rest.set("label", label),
            AddressAttribute::RoutePriority(metric) if *metric != 0 => rest.set("metric", metric),
            AddressAttribute::Protocol(protocol) => rest.set("proto", protocol),
            AddressAttribute::CacheInfo(_) | AddressAttribute::RoutePriority(_) => {}
            more => rest.other(more),
        }
    }
    let ip = local.or(other);
    let prefix = address.header.prefix_len;
    let text = ip.map_or_else(|| "?".to_owned(), |ip| format!("{ip}/{prefix}"));
    let word = match address.header.family {
        AddressFamily::Inet6 => "inet6",
        _ => "inet",
    };
    entry.set(word, text);
    entry.set("dev", names.of_index(address.header.index));
    entry.set_some("peer", other.filter(|_| other != ip));
    entry.set("scope", names::scope(u8::from(address.header.scope)));
    for (word, value) in rest.iter() {
        entry.set(word, value);
    }
    for (name, _) in (flags & SET).iter_names() {
        entry.set(&name.to_lowercase(), "");
    }
    entry
}
