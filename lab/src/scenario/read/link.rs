//! How a link stands in its net: `link.NAME = { … }` and what a roam gives it.

use std::net::IpAddr;

use fps_netlink::LinkName;
use ipnet::IpNet;

use super::{Family, Lab, Plug, net};
use crate::scenario::model::{HostName, Link, NetName};
use crate::scenario::syntax::{Node, Table, Word};

/// Reads `ip`, `via` and `metric` of a link that goes into a net, and puts its addresses there.
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
    let words: Vec<Word<'_>> = ips.into_iter().filter_map(Node::word).collect();
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
    if addresses.len() < count {
        lab.doubtful_hosts.insert(host.clone());
    }
    let vias = table.get("via").map(Node::one_or_many).unwrap_or_default();
    let gateways = gateways(&vias, net.as_ref(), &addresses, lab);
    let metric = table.get("metric").and_then(metric);
    // A placeholder: a scenario without its net is refused anyway.
    let net = net.unwrap_or_else(|| NetName::new(""));
    Link {
        net,
        addresses,
        gateways,
        metric,
    }
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
    lab: &Lab,
) -> Vec<IpAddr> {
    let mut gateways: Vec<(IpAddr, Word<'_>)> = Vec::new();
    for word in nodes.iter().filter_map(|node| node.word()) {
        let Some(ip) = gateway(word, net, addresses, lab) else {
            continue;
        };
        let family = Family::of(ip);
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
    lab: &Lab,
) -> Option<IpAddr> {
    let ip = word.address()?;
    net::place(lab, net?, ip, word)?;
    if addresses.iter().any(|address| address.addr() == ip) {
        let wrong = word.wrong(format!("{ip} is the link's own address"));
        return word.refuse(wrong.label("a gateway is another host"));
    }
    let family = Family::of(ip);
    if !addresses.is_empty() && !addresses.iter().any(|own| Family::of(own.addr()) == family) {
        let wrong = word.wrong(format!(
            "the link has no {family} address to use this gateway"
        ));
        return word.refuse(wrong.help(format!("add an {family} address to `ip`")));
    }
    Some(ip)
}
