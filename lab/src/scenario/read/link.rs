//! How a link stands in its net: `link.NAME = { … }` and what a roam gives it.

use std::net::IpAddr;

use fps_netlink::LinkName;
use ipnet::IpNet;

use super::dhcp::{self, Want};
use super::{Family, Gift, Lab, Plug, net};
use crate::scenario::model::{AcceptRa, DhcpClient, HostName, Link, NetName};
use crate::scenario::syntax::{Node, Table, Word};

/// What `ip` says of an address that a DHCP server gives.
const DHCP: &str = "dhcp";
/// What it says of those that the kernel makes of router advertisements.
const RA: &str = "ra";

/// Reads `ip`, `via`, `metric`, `renewal` and `privacy` of a link that goes into a net, and puts its addresses there.
///
/// What is wrong is reported and left out.
pub(crate) fn link(
    table: &Table<'_>,
    net: Option<NetName>,
    host: &HostName,
    name: &LinkName,
    lab: &mut Lab,
) -> Link {
    let ips = table
        .need("ip", "\"192.168.188.20\"")
        .map(Node::one_or_many)
        .unwrap_or_default();
    let count = ips.len();
    let words = ips.into_iter().filter_map(Node::word);
    let (leased, words): (Vec<Word<'_>>, Vec<Word<'_>>) = words.partition(|word| word.text == DHCP);
    let (made, words): (Vec<_>, Vec<_>) = words.into_iter().partition(|word| word.text == RA);
    let mut addresses = Vec::new();
    for word in words {
        if let Some(address) = address(word, net.as_ref(), lab) {
            let plug = Plug {
                host: host.clone(),
                link: *name,
                net: net.clone(),
                address,
                span: word.span,
            };
            lab.plugs.add(plug);
            addresses.push(address);
        }
    }
    if addresses.len() + leased.len() + made.len() < count {
        lab.doubtful_hosts.insert(host.clone());
    }
    let dhcp = client(table, &leased, &addresses);
    let ra = accept(table, &made);
    if let Some(net) = &net {
        let first = [leased.first(), made.first()];
        for (word, family) in first.into_iter().zip([Family::V4, Family::V6]) {
            if let Some(word) = word {
                give(*word, family, net, (host, name), lab);
            }
        }
    }
    let vias = table.get("via").map(Node::one_or_many).unwrap_or_default();
    let gateways = gateways(&vias, net.as_ref(), &addresses, leased.first(), lab);
    let metric = table.get("metric").and_then(metric);
    // A placeholder: a scenario without its net is refused anyway.
    let net = net.unwrap_or_else(|| NetName::new(""));
    Link {
        net,
        addresses,
        gateways,
        metric,
        dhcp,
        ra,
    }
}

/// What the kernel makes of router advertisements on a link whose `ip` asks for that.
fn accept(table: &Table<'_>, made: &[Word<'_>]) -> Option<AcceptRa> {
    let privacy = table.get("privacy").map(|node| (node, node.flag()));
    if made.is_empty() {
        if let Some((node, Some(_))) = privacy {
            let wrong = node.wrong("only addresses of router advertisements have some for privacy");
            node.problems
                .add(wrong.help("leave `privacy` out, or write `ip = \"ra\"`"));
        }
        return None;
    }
    if let Some(second) = made.get(1) {
        second.add(second.wrong("`ra` is there twice"));
    }
    let privacy = privacy.and_then(|(_, flag)| flag).unwrap_or(false);
    Some(AcceptRa { privacy })
}

/// The DHCP client of a link whose `ip` asks for one.
fn client(table: &Table<'_>, leased: &[Word<'_>], addresses: &[IpNet]) -> Option<DhcpClient> {
    let renewal = table.get("renewal");
    let renewal = renewal.map(|node| (node, dhcp::renewal(node)));
    let Some(word) = leased.first() else {
        if let Some((node, Some(_))) = renewal {
            let wrong = node.wrong("there is no lease to renew");
            node.problems
                .add(wrong.help("leave `renewal` out, or write `ip = \"dhcp\"`"));
        }
        return None;
    };
    if let Some(second) = leased.get(1) {
        second.add(second.wrong("a link has one lease"));
    }
    if let Some(own) = addresses.iter().find(|own| own.addr().is_ipv4()) {
        let wrong = word.wrong("a link has an IPv4 address of its own or by DHCP");
        word.add(wrong.label(format!("not both: it has {}", own.addr())));
    }
    Some(DhcpClient {
        renewal: renewal.and_then(|(_, read)| read).unwrap_or_default(),
    })
}

/// Has an address given to a link.
fn give(
    word: Word<'_>,
    family: Family,
    net: &NetName,
    (host, link): (&HostName, &LinkName),
    lab: &mut Lab,
) {
    let has_subnet = lab.nets.get(net).is_some_and(|net| match family {
        Family::V4 => net.v4.is_some(),
        Family::V6 => net.v6.is_some(),
    });
    if !has_subnet && !lab.doubtful_nets.contains(net) {
        let wrong = word.wrong(format!("net `{net}` has no {family} subnet"));
        word.add(wrong.label(match family {
            Family::V4 => "DHCP gives IPv4 addresses",
            Family::V6 => "router advertisements are about IPv6",
        }));
        return;
    }
    lab.wants.push(Want {
        net: net.clone(),
        family,
        span: word.span,
    });
    lab.plugs.add_gift(Gift {
        host: host.clone(),
        link: *link,
        net: net.clone(),
        family,
    });
}

/// A route's metric.
pub(crate) fn metric(node: Node<'_>) -> Option<u32> {
    node.integer("metric", 0..=i64::from(u32::MAX))
        .and_then(|metric| u32::try_from(metric).ok())
}

fn address(word: Word<'_>, net: Option<&NetName>, lab: &Lab) -> Option<IpNet> {
    let ip = word.address()?;
    let net = net?;
    let address = net::place(lab, net, ip, word)?;
    if let Some((host, link)) = lab.giver(net, ip) {
        let wrong = word.wrong(format!("{ip} is for DHCP to give"));
        let label = format!("it is in the range of the server of `{host}` on `{link}`");
        return word.refuse(wrong.label(label));
    }
    let Some(holder) = lab.plugs.holder(net, ip) else {
        return Some(address);
    };
    let wrong = word.wrong(format!("{ip} is taken in net `{net}`"));
    let other = format!("`{}` has it on `{}`", holder.host, holder.link);
    word.refuse(wrong.other(holder.span, other))
}

fn gateways(
    nodes: &[Node<'_>],
    net: Option<&NetName>,
    addresses: &[IpNet],
    leased: Option<&Word<'_>>,
    lab: &Lab,
) -> Vec<IpAddr> {
    let mut gateways: Vec<(IpAddr, Word<'_>)> = Vec::new();
    for word in nodes.iter().filter_map(|node| node.word()) {
        let Some(ip) = gateway(word, net, addresses, leased.is_some(), lab) else {
            continue;
        };
        let family = Family::of(ip);
        if let Some(leased) = leased.filter(|_| family == Family::V4) {
            let wrong = word.wrong("the IPv4 gateway comes with the lease");
            let wrong = wrong.other(leased.span, "which this asks for");
            word.add(wrong.help("leave `via` out, or set `router` of the DHCP server"));
            continue;
        }
        match gateways
            .iter()
            .find(|(other, _)| Family::of(*other) == family)
        {
            Some((_, first)) => {
                let wrong = word.wrong(format!("a link has one {family} gateway"));
                word.add(wrong.label("the second").other(first.span, "the first"));
            }
            None => gateways.push((ip, word)),
        }
    }
    gateways.into_iter().map(|(ip, _)| ip).collect()
}

fn gateway(
    word: Word<'_>,
    net: Option<&NetName>,
    addresses: &[IpNet],
    leased: bool,
    lab: &Lab,
) -> Option<IpAddr> {
    let ip = word.address()?;
    net::place(lab, net?, ip, word)?;
    if addresses.iter().any(|address| address.addr() == ip) {
        let wrong = word.wrong(format!("{ip} is the link's own address"));
        return word.refuse(wrong.label("a gateway is another host"));
    }
    let family = Family::of(ip);
    // Of a leased one the caller says more.
    if !leased
        && !addresses.is_empty()
        && !addresses.iter().any(|own| Family::of(own.addr()) == family)
    {
        let wrong = word.wrong(format!(
            "the link has no {family} address to use this gateway"
        ));
        return word.refuse(wrong.help(format!("add an {family} address to `ip`")));
    }
    Some(ip)
}
