//! `[net.NAME]`

use std::net::IpAddr;

use ipnet::IpNet;

use super::{Family, Lab};
use crate::scenario::diagnostic::{Diagnostic, Span};
use crate::scenario::model::{Net, NetName};
use crate::scenario::syntax::{Node, Table, Word};

/// A subnet that others may not overlap.
struct Claim {
    net: NetName,
    subnet: IpNet,
    span: Span,
    may_overlap: bool,
}

/// Reads all nets.
pub(crate) fn nets(node: Node<'_>, lab: &mut Lab) {
    let mut claims = Vec::new();
    for (name, node) in node.entries() {
        let before = name.problems.count();
        name.check_label("net");
        let net = NetName::new(name.text);
        let read = read(name, node, &mut claims).unwrap_or_default();
        if name.problems.count() > before {
            lab.doubtful_nets.insert(net.clone());
        }
        lab.nets.insert(net, read);
    }
    for (index, claim) in claims.iter().enumerate() {
        for earlier in &claims[..index] {
            check_overlap(node, claim, earlier);
        }
    }
}

fn read(name: Word<'_>, node: Node<'_>, claims: &mut Vec<Claim>) -> Option<Net> {
    let table = node.table(
        format!("net `{}`", name.text),
        &["v4", "v6", "name-servers", "may-overlap"],
    )?;
    let may_overlap = table
        .get("may-overlap")
        .and_then(Node::flag)
        .unwrap_or(false);
    if table.get("v4").is_none() && table.get("v6").is_none() {
        let wrong = table.wrong(format!("net `{}` has no subnet", name.text));
        return table.refuse(
            wrong.help("add `v4 = \"192.168.188.0/24\"`, `v6 = \"fd00:188::/64\"` or both"),
        );
    }
    let mut subnet = |family: Family| {
        let node = table.get(family.key())?;
        let subnet = subnet(node, family)?;
        let net = NetName::new(name.text);
        claims.push(Claim {
            net,
            subnet,
            span: node.span,
            may_overlap,
        });
        Some(subnet)
    };
    let v4 = subnet(Family::V4);
    let v6 = subnet(Family::V6);
    Some(Net {
        v4: v4.and_then(|net| {
            if let IpNet::V4(net) = net {
                Some(net)
            } else {
                None
            }
        }),
        v6: v6.and_then(|net| {
            if let IpNet::V6(net) = net {
                Some(net)
            } else {
                None
            }
        }),
        name_servers: name_servers(&table),
    })
}

/// One or many addresses.
pub(super) fn name_servers(table: &Table<'_>) -> Vec<IpAddr> {
    let servers = table.get("name-servers").map(Node::one_or_many);
    let servers = servers.unwrap_or_default().into_iter();
    servers.filter_map(Node::address).collect()
}

fn subnet(node: Node<'_>, family: Family) -> Option<IpNet> {
    let subnet = node.subnet()?;
    let found = Family::of(subnet.addr());
    if found != family {
        let wrong = node.wrong(format!("`{}` is no {family} subnet", subnet));
        return node.refuse(wrong.label(format!("{found} goes to the key `{}`", found.key())));
    }
    let room = subnet.max_prefix_len() - subnet.prefix_len();
    if room == 0 {
        let wrong = node.wrong(format!("`{subnet}` is a single address"));
        return node.refuse(wrong.label("a net has room for two hosts"));
    }
    match unusable(subnet.addr()) {
        Some(reason) => {
            let wrong = node.wrong(format!("`{subnet}` cannot be a net's subnet"));
            node.refuse(wrong.label(reason))
        }
        None => Some(subnet),
    }
}

/// Why the kernel would not route a subnet over a link.
fn unusable(address: IpAddr) -> Option<&'static str> {
    let link_local = matches!(address, IpAddr::V6(v6) if v6.is_unicast_link_local());
    if address.is_loopback() {
        Some("loopback addresses never leave a host")
    } else if address.is_multicast() {
        Some("multicast addresses belong to no host")
    } else if address.is_unspecified() {
        Some("it begins with the unspecified address")
    } else if link_local {
        Some("every link has its own link-local addresses already")
    } else {
        None
    }
}

fn check_overlap(node: Node<'_>, claim: &Claim, earlier: &Claim) {
    let overlaps = claim.subnet.contains(&earlier.subnet) || earlier.subnet.contains(&claim.subnet);
    let allowed = claim.may_overlap || earlier.may_overlap;
    if claim.net == earlier.net || !overlaps || allowed {
        return;
    }
    let title = format!("nets `{}` and `{}` overlap", earlier.net, claim.net);
    let wrong = Diagnostic::new(claim.span, title);
    node.problems.add(
        wrong
            .label(format!("`{}` is {}", claim.net, claim.subnet))
            .other(
                earlier.span,
                format!("`{}` is {}", earlier.net, earlier.subnet),
            )
            .help(format!(
                "if that is what the scenario is about, add `may-overlap = true` to [net.{}]",
                claim.net
            )),
    );
}

/// The subnet of a net for an address, or a mistake at the address.
pub(crate) fn place(lab: &Lab, net: &NetName, ip: IpAddr, word: Word<'_>) -> Option<IpNet> {
    let subnets = lab.nets.get(net)?;
    let family = Family::of(ip);
    let subnet = match family {
        Family::V4 => subnets.v4.map(IpNet::V4),
        Family::V6 => subnets.v6.map(IpNet::V6),
    };
    let Some(subnet) = subnet else {
        if lab.doubtful_nets.contains(net) {
            return None;
        }
        let wrong = word.wrong(format!("net `{net}` has no {family} subnet"));
        return word.refuse(
            wrong
                .label(format!("this is {family}"))
                .help(format!("add `{} = …` to [net.{net}]", family.key())),
        );
    };
    if !subnet.contains(&ip) {
        let wrong = word.wrong(format!("{ip} is outside net `{net}`"));
        return word.refuse(wrong.label(format!("`{net}` is {subnet}")));
    }
    check_host_part(subnet, ip, word)?;
    IpNet::new(ip, subnet.prefix_len()).ok()
}

/// Refuses the addresses of a subnet that no host may have.
fn check_host_part(subnet: IpNet, ip: IpAddr, word: Word<'_>) -> Option<()> {
    // RFC 3021 and RFC 6164: a subnet of two has only hosts.
    if subnet.max_prefix_len() - subnet.prefix_len() < 2 {
        return Some(());
    }
    let role = if ip == subnet.network() && ip.is_ipv4() {
        "the network's own address"
    } else if ip == subnet.network() {
        "the anycast address of the subnet's routers"
    } else if ip == subnet.broadcast() && ip.is_ipv4() {
        "the broadcast address"
    } else {
        return Some(());
    };
    let wrong = word.wrong(format!("{ip} is no address for a host"));
    word.refuse(wrong.label(format!("it is {role} of {subnet}")))
}

/// The keys of a table that puts a link into a net.
pub(crate) fn named(table: &Table<'_>, key: &str, lab: &Lab) -> Option<NetName> {
    let word = table.need(key, "\"home\"")?.word()?;
    lab.net(word)
}
