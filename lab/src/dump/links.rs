//! `ip -j -d link` and `ip -j -d addr`.

use std::net::IpAddr;

use fps_netlink::{Address, IfIndex, Link, LinkName, RouteScope};
use ipnet::IpNet;
use serde_json::Value;

use super::object::{Object, number};
use super::{Remarks, names};

/// A link of the host, with its addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostLink {
    /// What rules and routes look at.
    pub link: Link,
    /// What the kernel calls its kind: `veth`, `wireguard`, `bridge`; none of a card.
    pub kind: Option<String>,
    /// Whether it is the loopback device.
    pub loopback: bool,
    /// Whether nobody is asked for hardware addresses on it, as in a tunnel.
    pub no_arp: bool,
    /// The number of its group, where that is not the usual one.
    pub group: Option<u32>,
    /// Its addresses, in the kernel's order.
    pub addresses: Vec<HostAddress>,
}

impl HostLink {
    /// Its name.
    pub fn name(&self) -> LinkName {
        self.link.name
    }

    /// Whether it is the host's end of a tunnel: what goes into it is for whoever is at the other.
    pub fn is_tunnel(&self) -> bool {
        let kinds = [
            "tun",
            "wireguard",
            "ppp",
            "ipip",
            "sit",
            "gre",
            "xfrm",
            "vti",
        ];
        let kind = self.kind.as_deref();
        self.no_arp || kind.is_some_and(|kind| kinds.contains(&kind))
    }
}

/// An address of a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostAddress {
    /// The address, with the length of its prefix.
    pub address: Address,
    /// The other end's, where it is one of a pair.
    pub peer: Option<IpAddr>,
    /// Its scope, where that is not the usual one.
    pub scope: Option<String>,
    /// Its label, where that is not the link's name.
    pub label: Option<String>,
    /// Whether it is the second of its subnet.
    pub secondary: bool,
    /// Whether it is not for what begins (RFC 4862, 5.5.4).
    pub deprecated: bool,
    /// Whether the kernel made it by lot for a while (RFC 8981).
    pub temporary: bool,
    /// Whether it may be another's, so that nothing is sent from it.
    pub unusable: bool,
    /// Its broadcast address.
    pub broadcast: Option<IpAddr>,
}

impl HostAddress {
    /// The subnet that it is in: of one of a pair the other end's.
    pub(super) fn subnet(&self) -> IpNet {
        let own = self.address.net;
        let peer = self
            .peer
            .and_then(|peer| IpNet::new(peer, own.prefix_len()).ok());
        peer.unwrap_or(own)
    }

    /// Its scope in the kernel's words.
    pub(super) fn kernel_scope(&self) -> RouteScope {
        let told = self.scope.as_deref().and_then(names::scope);
        told.unwrap_or_else(|| match usual_scope(self.address.net.addr()) {
            "link" => RouteScope::Link,
            "host" => RouteScope::Host,
            _ => RouteScope::Universe,
        })
    }
}

/// The scope that an address has where nobody says another.
fn usual_scope(ip: IpAddr) -> &'static str {
    match ip {
        IpAddr::V6(ip) if ip.is_unicast_link_local() => "link",
        ip if ip.is_loopback() => "host",
        _ => "global",
    }
}

/// Reads the links, without their addresses.
pub(super) fn links(list: &[Value], remarks: &mut Remarks) -> Vec<HostLink> {
    let mut links: Vec<HostLink> = Vec::new();
    let objects = || list.iter().filter_map(Value::as_object).map(Object::new);
    for object in objects() {
        let Some(link) = link(&object, remarks) else {
            continue;
        };
        let known = |it: &HostLink| it.name() == link.name() || it.link.index == link.link.index;
        match links.iter().any(known) {
            true => remarks.add(format!("link {}: it is there twice", link.name())),
            false => links.push(link),
        }
    }
    for object in objects() {
        let own = object.text("ifname").and_then(|name| named(&links, &name));
        let master = object.text("master").and_then(|name| named(&links, &name));
        if let (Some(own), Some(master)) = (own, master) {
            links[own].link.master = Some(links[master].link.index);
            let (own, master) = (links[own].name(), links[master].name());
            remarks.add(format!(
                "link {own} is a part of {master} there, and is a link of its own here"
            ));
        }
        // What they are may be somebody's name.
        let named = !object.texts("altnames").is_empty() || object.text("ifalias").is_some();
        if let Some(own) = own.filter(|_| named) {
            remarks.add(format!(
                "link {} has other names, which are left out",
                links[own].name()
            ));
        }
    }
    if links.iter().any(|it| it.loopback && !it.link.up) {
        remarks.add("link lo is down there, and up here");
    }
    links
}

fn named(links: &[HostLink], name: &str) -> Option<usize> {
    let mut links = links.iter();
    links.position(|link| link.name().as_str() == name)
}

fn link(object: &Object<'_>, remarks: &mut Remarks) -> Option<HostLink> {
    // Older ip(8) prints an empty object for each link that a filter leaves out.
    let text = object.text("ifname")?;
    let name = match LinkName::new(text) {
        Ok(name) => name,
        Err(error) => {
            remarks.add(format!("a link is left out: {error}"));
            return None;
        }
    };
    let Some(index) = object.number("ifindex").and_then(IfIndex::new) else {
        remarks.add(format!("link {name} is left out: it has no index"));
        return None;
    };
    let flags = object.texts("flags");
    let is = |flag: &str| flags.contains(&flag);
    let mut link = Link::new(index, name, is("UP"));
    link.carrier = is("LOWER_UP");
    link.operational = link.carrier;
    link.mtu = object.number("mtu").unwrap_or(1500);
    let kind = object
        .object("linkinfo")
        .and_then(|it| it.text("info_kind"));
    let group = object.text("group").filter(|it| it != "default");
    let number = group.as_deref().map(number);
    if let (Some(group), Some(None)) = (group, number) {
        remarks.add(format!(
            "link {name}: the number of its group `{group}` is not known"
        ));
    }
    Some(HostLink {
        group: number.flatten().filter(|group| *group != 0),
        link,
        kind,
        loopback: is("LOOPBACK"),
        no_arp: is("NOARP") && is("POINTOPOINT"),
        addresses: Vec::new(),
    })
}

/// Reads the addresses of the links that are known.
pub(super) fn addresses(list: &[Value], links: &mut [HostLink], remarks: &mut Remarks) {
    for object in list.iter().filter_map(Value::as_object).map(Object::new) {
        let name = object.text("ifname").unwrap_or_default();
        let Some(place) = named(links, &name) else {
            if !name.is_empty() {
                remarks.add(format!(
                    "addresses of {name} are left out: there is no such link"
                ));
            }
            continue;
        };
        let link = &mut links[place];
        for object in object.objects("addr_info") {
            let address = address(&object, &link.link, remarks);
            let known = |ip| link.addresses.iter().any(|it| it.address.net == ip);
            if let Some(address) = address.filter(|it| !known(it.address.net)) {
                link.addresses.push(address);
            }
        }
    }
}

fn address(object: &Object<'_>, link: &Link, remarks: &mut Remarks) -> Option<HostAddress> {
    let family = object.text("family")?;
    if !["inet", "inet6"].contains(&family.as_str()) {
        return None;
    }
    let own: Option<IpAddr> = object.read("local");
    let other: Option<IpAddr> = object.read("address");
    let length = object
        .number("prefixlen")
        .and_then(|it| u8::try_from(it).ok());
    let net = own.or(other).zip(length);
    let Some(net) = net.and_then(|(ip, length)| IpNet::new(ip, length).ok()) else {
        remarks.add(format!(
            "an address of {} is left out: it cannot be read",
            link.name
        ));
        return None;
    };
    let mut address = Address::new(link.index, net);
    address.metric = object.number("metric").filter(|metric| *metric != 0);
    address.bare = object.flag("noprefixroute");
    let ip = net.addr();
    let scope = object.text("scope").filter(|it| it != usual_scope(ip));
    let scope = scope.filter(|it| names::scope(it).is_some());
    let label = object.text("label").filter(|it| it != link.name.as_str());
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-:".contains(c);
    Some(HostAddress {
        address,
        peer: other.filter(|it| *it != ip && it.is_ipv4() == ip.is_ipv4()),
        scope,
        label: label.filter(|it| it.len() <= 15 && it.chars().all(plain)),
        broadcast: object.read("broadcast"),
        deprecated: object.flag("deprecated"),
        temporary: object.flag("temporary"),
        unusable: object.flag("dadfailed")
            || (object.flag("tentative") && !object.flag("optimistic")),
        secondary: object.flag("secondary") && ip.is_ipv4(),
    })
}
