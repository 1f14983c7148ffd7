//! The addresses of links: those that the file's links have, and those that acts add.

use std::net::IpAddr;

use fps_netlink::LinkName;
use ipnet::IpNet;

use super::draft::{Inline, NetDraft, list};
use super::nets::Nets;
use crate::dump::{Dump, HostAddress, HostLink};

/// What a link has from the beginning, and what is added to it.
pub(super) struct Own {
    /// What `ip` says of it.
    pub(super) first: Vec<IpNet>,
    /// Acts.
    pub(super) acts: Vec<String>,
}

/// The addresses of a link, in the order in which they were given, since of those of a subnet the first in the
/// kernel's list is the source: an IPv4 address is put behind the others there, and one of IPv6 before those of
/// its scope (`ipv6_link_dev_addr` in net/ipv6/addrconf.c).
pub(super) fn of(host: &str, link: &HostLink, dump: &Dump, nets: &Nets) -> Own {
    let mut own = Own {
        first: Vec::new(),
        acts: Vec::new(),
    };
    let net = nets.of(&link.name());
    let is_v4 = |it: &&HostAddress| it.address.net.addr().is_ipv4();
    let (v4, v6): (Vec<_>, Vec<_>) = link.addresses.iter().partition(is_v4);
    let given: Vec<&HostAddress> = v4.into_iter().chain(v6.into_iter().rev()).collect();
    for &address in &given {
        let ip = address.address.net;
        if is_usual(address, link) {
            continue;
        }
        // Those of IPv6 that are for the link alone have a place of their own in the list.
        let part = |ip: IpAddr| match ip {
            IpAddr::V4(_) => 4,
            IpAddr::V6(ip) if ip.is_unicast_link_local() => 0,
            IpAddr::V6(_) => 6,
        };
        let family = |it: &&HostAddress| part(it.address.net.addr()) == part(ip.addr());
        let before = given.iter().copied().take_while(|it| *it != address);
        let in_order = before
            .filter(family)
            .all(|it| own.first.contains(&it.address.net) || is_usual(it, link));
        let mut others = dump.links.iter().filter(|it| it.name() != link.name());
        let alone = !others.any(|other| {
            let mut theirs = other.addresses.iter();
            theirs.any(|it| it.address.net.addr() == ip.addr())
        });
        let fits = net.is_some_and(|net| fits(ip, net)) && link.link.up;
        let plain = is_plain(address) && address.address.metric.is_none() && !address.address.bare;
        if plain && fits && in_order && alone {
            own.first.push(ip);
        } else if is_plain(address) && !link.loopback {
            own.acts.push(typed(host, link.name(), address));
        } else {
            own.acts.push(by_hand(host, link.name(), address));
        }
    }
    own
}

/// What the loopback device has on every host.
fn is_usual(address: &HostAddress, link: &HostLink) -> bool {
    let usual = ["127.0.0.1/8", "::1/128"];
    link.loopback && usual.contains(&address.address.net.to_string().as_str())
}

/// Whether nothing but prefix, metric and connected route are to be told.
pub(super) fn is_plain(address: &HostAddress) -> bool {
    let ip = address.address.net;
    // The lab sets the broadcast address that a subnet has, as DHCP clients do.
    let broadcast = match ip {
        IpNet::V4(net) if net.prefix_len() < 31 => Some(net.broadcast().into()),
        _ => None,
    };
    address.peer.is_none()
        && address.scope.is_none()
        && address.label.is_none()
        && !address.deprecated
        && address.broadcast == broadcast
}

/// Whether a link's `ip` may say it: an address of the net, and of a host.
fn fits(ip: IpNet, net: &NetDraft) -> bool {
    let subnet = match ip {
        IpNet::V4(_) => net.v4.map(IpNet::V4),
        IpNet::V6(_) => net.v6.map(IpNet::V6),
    };
    let roomy = ip.max_prefix_len() - ip.prefix_len() >= 2;
    let is_network = ip.addr() == ip.network();
    let is_broadcast = ip.addr().is_ipv4() && ip.addr() == ip.broadcast();
    subnet == Some(ip.trunc()) && !(roomy && (is_network || is_broadcast))
}

fn typed(host: &str, link: LinkName, address: &HostAddress) -> String {
    let own = &address.address;
    let act = Inline::default()
        .text("on", host)
        .text("link", link)
        .text("ip", own.net)
        .raw_some("metric", own.metric);
    let act = match own.bare {
        true => act.raw("prefix-route", false),
        false => act,
    };
    act.of("addr")
}

/// `ip addr add`, which takes all of it.
fn by_hand(host: &str, link: LinkName, address: &HostAddress) -> String {
    let own = &address.address;
    let net = own.net;
    let mut words = vec!["ip".to_owned(), "addr".to_owned(), "add".to_owned()];
    match address.peer {
        Some(peer) => {
            words.push(net.addr().to_string());
            words.extend(["peer".to_owned(), format!("{peer}/{}", net.prefix_len())]);
        }
        None => words.push(net.to_string()),
    }
    words.extend(["dev".to_owned(), link.to_string()]);
    let mut add = |word: &str, value: Option<String>| {
        if let Some(value) = value {
            words.extend([word.to_owned(), value]);
        }
    };
    add("broadcast", address.broadcast.map(|ip| ip.to_string()));
    add("scope", address.scope.clone());
    add("label", address.label.clone());
    add("metric", own.metric.map(|it| it.to_string()));
    if own.bare {
        words.push("noprefixroute".to_owned());
    }
    if address.deprecated {
        words.extend(["preferred_lft", "0"].map(str::to_owned));
    }
    if net.addr().is_ipv6() {
        words.push("nodad".to_owned());
    }
    run(host, words)
}

/// An act that runs a command.
pub(super) fn run(host: &str, words: Vec<String>) -> String {
    let act = Inline::default().text("on", host);
    act.raw("command", list(words)).of("run")
}
