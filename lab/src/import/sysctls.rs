//! Sysctls that differ from those of a host of the lab, as acts.
//!
//! Only those are looked at that choose where packets go and whether they pass. Left as the lab has
//! them are, on purpose: redirects and the limits of ICMP errors, which would make a path depend on
//! timing; router advertisements, duplicate address detection and how IPv6 addresses are made, since
//! the customer's addresses are set by acts; sizes, times and TCP's congestion control.

use fps_netlink::LinkName;

use super::draft::Inline;
use crate::dump::{Dump, HostLink, Remarks};

/// What a host of the lab has (`BASELINE` of `fps-netns`, or the kernel's default).
const WHOLE: [(&str, &str); 18] = [
    ("net.ipv4.ip_forward", "0"),
    ("net.ipv4.fib_multipath_hash_policy", "0"),
    ("net.ipv4.fib_multipath_use_neigh", "0"),
    ("net.ipv4.fwmark_reflect", "0"),
    ("net.ipv4.icmp_echo_ignore_all", "0"),
    ("net.ipv4.icmp_errors_use_inbound_ifaddr", "0"),
    ("net.ipv4.ip_default_ttl", "64"),
    ("net.ipv4.ip_forward_use_pmtu", "0"),
    ("net.ipv4.ip_no_pmtu_disc", "0"),
    ("net.ipv4.ip_nonlocal_bind", "0"),
    ("net.ipv4.tcp_fwmark_accept", "0"),
    ("net.ipv4.tcp_mtu_probing", "0"),
    ("net.ipv6.bindv6only", "0"),
    ("net.ipv6.fib_multipath_hash_policy", "0"),
    ("net.ipv6.flowlabel_consistency", "1"),
    ("net.ipv6.fwmark_reflect", "0"),
    ("net.ipv6.icmp.echo_ignore_all", "0"),
    ("net.ipv6.ip_nonlocal_bind", "0"),
];

/// The same of `all`, of `default` and of each link.
const OF_LINKS: [(&str, &str, &str); 21] = [
    ("net.ipv4.conf", "accept_local", "0"),
    ("net.ipv4.conf", "arp_accept", "0"),
    ("net.ipv4.conf", "arp_announce", "0"),
    ("net.ipv4.conf", "arp_filter", "0"),
    ("net.ipv4.conf", "arp_ignore", "0"),
    ("net.ipv4.conf", "bc_forwarding", "0"),
    ("net.ipv4.conf", "forwarding", "0"),
    ("net.ipv4.conf", "ignore_routes_with_linkdown", "0"),
    ("net.ipv4.conf", "log_martians", "0"),
    ("net.ipv4.conf", "promote_secondaries", "0"),
    ("net.ipv4.conf", "proxy_arp", "0"),
    ("net.ipv4.conf", "proxy_arp_pvlan", "0"),
    ("net.ipv4.conf", "route_localnet", "0"),
    ("net.ipv4.conf", "rp_filter", "0"),
    ("net.ipv4.conf", "src_valid_mark", "0"),
    ("net.ipv6.conf", "disable_ipv6", "0"),
    ("net.ipv6.conf", "forwarding", "0"),
    ("net.ipv6.conf", "hop_limit", "64"),
    ("net.ipv6.conf", "ignore_routes_with_linkdown", "0"),
    ("net.ipv6.conf", "proxy_ndp", "0"),
    ("net.ipv6.conf", "use_oif_addrs_only", "0"),
];

/// To write these of `all` writes them of every link (`devinet_sysctl_forward` in net/ipv4/devinet.c,
/// `addrconf_disable_ipv6`, `addrconf_fixup_forwarding` and `addrconf_fixup_linkdown` in
/// net/ipv6/addrconf.c).
const SPREADS: [(&str, &str); 4] = [
    ("net.ipv4.conf", "forwarding"),
    ("net.ipv6.conf", "disable_ipv6"),
    ("net.ipv6.conf", "forwarding"),
    ("net.ipv6.conf", "ignore_routes_with_linkdown"),
];

/// The acts, in the order in which one does not undo another.
pub(super) fn acts(host: &str, dump: &Dump, remarks: &mut Remarks) -> Vec<String> {
    let mut acts = Vec::new();
    let (links, unnamed): (Vec<LinkName>, Vec<LinkName>) = dump
        .links
        .iter()
        .filter(|link| !link.loopback)
        .map(HostLink::name)
        .partition(is_path);
    for name in unnamed {
        remarks.add(format!(
            "sysctls of link {name} are left out: its name is none of a file here"
        ));
    }
    let mut write = |key: String, value: &str, wanted: Option<&String>| {
        if let Some(wanted) = wanted.filter(|it| *it != value) {
            match is_value(wanted) {
                true => acts.push(act(host, &key, wanted)),
                false => remarks.add(format!("{key} = {wanted} is left out: it is no value")),
            }
        }
    };
    for (key, value) in WHOLE {
        write(key.to_owned(), value, dump.sysctls.get(key));
    }
    let of = |part: &str, of: &str, name: &str| dump.sysctls.get(&format!("{part}.{of}.{name}"));
    for part_of in ["all", "default"] {
        for (part, name, value) in OF_LINKS {
            // What ip_forward says of all it has said already.
            if (part, part_of, name) == ("net.ipv4.conf", "all", "forwarding") {
                continue;
            }
            let value = spread(dump, part, name)
                .filter(|_| part_of == "default")
                .unwrap_or(value);
            write(
                format!("{part}.{part_of}.{name}"),
                value,
                of(part, part_of, name),
            );
        }
    }
    for name in links {
        for (part, key, value) in OF_LINKS {
            let wanted = of(part, &name.as_str().replace('.', "/"), key);
            let value = spread(dump, part, key).unwrap_or(value);
            // A link without an IPv4 address follows the default until it is told its own
            // (`devinet_copy_dflt_conf` in net/ipv4/devinet.c).
            let default = of(part, "default", key).filter(|it| *it != value);
            let value = default.map_or(value, |_| "");
            let path = match name.as_str().contains('.') {
                true => format!("{}/{name}/{key}", part.replace('.', "/")),
                false => format!("{part}.{name}.{key}"),
            };
            write(path, value, wanted);
        }
    }
    acts
}

/// What a link has once `all` is written.
fn spread<'a>(dump: &'a Dump, part: &str, name: &str) -> Option<&'a str> {
    let spreads = SPREADS.contains(&(part, name));
    let all = spreads.then(|| dump.sysctls.get(&format!("{part}.all.{name}")));
    all.flatten().map(String::as_str)
}

fn is_path(name: &LinkName) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let name = name.as_str();
    // The act takes a key apart at its dots and slashes.
    name.chars().all(plain) && !name.split('.').any(str::is_empty)
}

fn is_value(text: &str) -> bool {
    !text.is_empty() && text.len() < 20 && text.bytes().all(|c| c.is_ascii_digit() || c == b'-')
}

fn act(host: &str, key: &str, value: &str) -> String {
    let act = Inline::default().text("on", host).text("key", key);
    act.text("value", value).of("sysctl")
}

/// Whether a sysctl is one of those that are looked at.
pub fn is_imported(key: &str) -> bool {
    let of_links = |(part, name, _): &(&str, &str, &str)| {
        let link = key
            .strip_prefix(part)
            .and_then(|rest| rest.strip_prefix('.'));
        let link = link.and_then(|rest| rest.strip_suffix(name)?.strip_suffix('.'));
        link.is_some_and(|link| !link.is_empty() && !link.contains('.'))
    };
    WHOLE.iter().any(|(name, _)| *name == key) || OF_LINKS.iter().any(of_links)
}
