//! Interfaces, as `ip -d link` shows them.

use fps_netlink::whole::{InfoData, LinkAttribute, LinkFlags, LinkInfo, LinkMessage, Prop};

use super::entry::Entry;
use super::names::Names;

/// Flags that somebody sets. The others follow from the medium, or from who listens.
const SET: LinkFlags = LinkFlags::Up
    .union(LinkFlags::Noarp)
    .union(LinkFlags::Allmulti)
    .union(LinkFlags::Multicast)
    .union(LinkFlags::Pointopoint)
    .union(LinkFlags::Dynamic)
    .union(LinkFlags::Debug);

pub(super) fn entry(link: &LinkMessage, names: &Names) -> Entry {
    let mut entry = Entry::default();
    entry.set("dev", names.of_index(link.header.index));
    let up = link.header.flags.contains(LinkFlags::Up);
    entry.set("state", if up { "up" } else { "down" });
    let mtu = link
        .attributes
        .iter()
        .find_map(|attribute| match attribute {
            LinkAttribute::Mtu(mtu) => Some(*mtu),
            _ => None,
        });
    entry.set_some("mtu", mtu);
    let flags = link.header.flags & SET & !LinkFlags::Up;
    let flags: Vec<String> = flags
        .iter_names()
        .map(|(name, _)| name.to_lowercase())
        .collect();
    entry.set("flags", flags.join(","));
    for attribute in &link.attributes {
        match attribute {
            LinkAttribute::Controller(index) => entry.set("master", names.of_index(*index)),
            LinkAttribute::TxQueueLen(length) => entry.set("txqueuelen", length),
            LinkAttribute::Group(group) => entry.set("group", group),
            LinkAttribute::IfAlias(alias) => entry.set("alias", alias),
            LinkAttribute::Address(address) => entry.set("address", hex(address)),
            // The other end of a veth pair is in another namespace: its number says nothing here.
            LinkAttribute::Link(index) if !has_peer(link) => {
                entry.set("link", names.of_index(*index));
            }
            LinkAttribute::PropList(properties) => properties.iter().for_each(|property| {
                if let Prop::AltIfName(name) = property {
                    entry.set(&format!("altname {name}"), "");
                }
            }),
            LinkAttribute::LinkInfo(infos) => infos.iter().for_each(|info| match info {
                LinkInfo::Kind(kind) => entry.set("type", kind),
                // A bridge tells its timers.
                LinkInfo::Data(InfoData::Bridge(_)) => {}
                LinkInfo::Data(data) => entry.set("settings", format!("{data:?}")),
                _ => {}
            }),
            _ => {}
        }
    }
    entry
}

/// Whether what it is linked to is in another namespace.
fn has_peer(link: &LinkMessage) -> bool {
    link.attributes
        .iter()
        .any(|attribute| matches!(attribute, LinkAttribute::LinkNetNsId(_)))
}

fn hex(address: &[u8]) -> String {
    let bytes: Vec<String> = address.iter().map(|byte| format!("{byte:02x}")).collect();
    bytes.join(":")
}
