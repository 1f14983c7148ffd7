//! An address without what its net says already.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// What of an address differs within its net: `.112` of 192.168.188.112/24, `::a` of fd66:1::a/64.
pub(super) fn tail(address: &IpNet) -> String {
    match address {
        IpNet::V4(address) => tail_v4(address),
        IpNet::V6(address) => tail_v6(address),
    }
}

fn tail_v4(address: &Ipv4Net) -> String {
    let whole = usize::from(address.prefix_len() / 8).min(3);
    let octets = address.addr().octets();
    octets[whole..].iter().map(|it| format!(".{it}")).collect()
}

fn tail_v6(address: &Ipv6Net) -> String {
    let host = u128::from(address.addr()) & u128::from(address.hostmask());
    std::net::Ipv6Addr::from(host).to_string()
}

/// The tails of a link's addresses. Where IPv6 says the same as IPv4, as `::112` beside `.112` does, once.
pub(super) fn tails(addresses: &[IpNet]) -> String {
    let v4 = |it: &&IpNet| matches!(it.addr(), IpAddr::V4(_));
    let mut tails: Vec<String> = addresses.iter().filter(v4).map(tail).collect();
    for address in addresses.iter().filter(|it| !v4(it)) {
        let tail = tail(address);
        let same = |known: &String| known.replacen('.', "::", 1) == tail;
        if !tails.iter().any(same) {
            tails.push(tail);
        }
    }
    tails.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(addresses: &[&str]) -> String {
        let parse = |text: &&str| text.parse().unwrap();
        tails(&addresses.iter().map(parse).collect::<Vec<_>>())
    }

    #[test]
    fn only_what_differs_within_the_net_is_told() {
        assert_eq!(of(&["192.168.188.112/24"]), ".112");
        assert_eq!(of(&["10.66.1.20/16"]), ".1.20");
        assert_eq!(of(&["10.0.0.2/30"]), ".2");
        assert_eq!(of(&["fd66:1::a/64"]), "::a");
    }

    #[test]
    fn the_same_number_of_both_families_is_told_once() {
        assert_eq!(of(&["192.168.188.112/24", "fd00:188::112/64"]), ".112");
        assert_eq!(of(&["192.168.188.112/24", "fd00:188::70/64"]), ".112 ::70");
    }
}
