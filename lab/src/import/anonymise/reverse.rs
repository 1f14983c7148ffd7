//! Names of the reverse tree of DNS (RFC 1035, 3.5, and RFC 3596, 2.5), and the subnets that they are of.

use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

/// The subnet of a name below `in-addr.arpa` or `ip6.arpa`; none where a label is no number.
pub(super) fn net(name: &str) -> Option<IpNet> {
    if let Some(labels) = name.strip_suffix(".in-addr.arpa") {
        let mut bytes = [0; 4];
        let count = fill(labels, &mut bytes, |label| label.parse().ok())?;
        return IpNet::new(Ipv4Addr::from(bytes).into(), u8::try_from(count * 8).ok()?).ok();
    }
    let mut digits = [0; 32];
    let digit = |label: &str| {
        let digit = u8::from_str_radix(label, 16).ok();
        digit.filter(|_| label.len() == 1)
    };
    let count = fill(name.strip_suffix(".ip6.arpa")?, &mut digits, digit)?;
    let bits = digits
        .iter()
        .fold(0, |bits: u128, digit| (bits << 4) | u128::from(*digit));
    IpNet::new(Ipv6Addr::from(bits).into(), u8::try_from(count * 4).ok()?).ok()
}

/// The zone of a subnet in a name, and the labels before it that are no numbers, as of services (RFC 6763,
/// 11) and of parts of a subnet (RFC 2317).
pub(super) fn split(name: &str) -> (impl Iterator<Item = &str>, &str) {
    let mut zone = name;
    let mut before = Vec::new();
    while net(zone).is_none() {
        let Some((label, rest)) = zone.split_once('.') else {
            break;
        };
        if !rest.contains('.') {
            break;
        }
        before.push(label);
        zone = rest;
    }
    (before.into_iter(), zone)
}

/// Fills places from the first on with labels from the last on; gives how many there were.
fn fill(labels: &str, places: &mut [u8], read: impl Fn(&str) -> Option<u8>) -> Option<usize> {
    let mut count = 0;
    for label in labels.rsplit('.') {
        *places.get_mut(count)? = read(label)?;
        count += 1;
    }
    Some(count)
}

/// The name of a subnet: down to the last whole label of its prefix.
pub(super) fn name(net: IpNet) -> String {
    let mut name = String::new();
    let length = usize::from(net.prefix_len());
    let mut add = |label: String| write!(name, "{label}.").expect("a string takes all");
    match net.addr() {
        IpAddr::V4(ip) => {
            let bytes = ip.octets();
            let labels = bytes[..length / 8].iter().rev();
            labels.for_each(|byte| add(byte.to_string()));
            name + "in-addr.arpa"
        }
        IpAddr::V6(ip) => {
            let digits = ip
                .octets()
                .into_iter()
                .flat_map(|byte| [byte >> 4, byte & 15]);
            let digits: Vec<u8> = digits.take(length / 4).collect();
            digits
                .iter()
                .rev()
                .for_each(|digit| add(format!("{digit:x}")));
            name + "ip6.arpa"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_of_the_subnet_that_it_is_made_of() {
        for (text, subnet) in [
            ("10.in-addr.arpa", "10.0.0.0/8"),
            ("188.168.192.in-addr.arpa", "192.168.188.0/24"),
            ("7.2.0.192.in-addr.arpa", "192.0.2.7/32"),
            ("6.6.d.f.ip6.arpa", "fd66::/16"),
            ("8.b.d.0.1.0.0.2.ip6.arpa", "2001:db8::/32"),
        ] {
            let subnet: IpNet = subnet.parse().expect("a subnet");
            assert_eq!(net(text), Some(subnet), "{text}");
            assert_eq!(name(subnet), text);
        }
        for text in [
            "in-addr.arpa",
            "x.in-addr.arpa",
            "256.in-addr.arpa",
            "1.2.3.4.5.in-addr.arpa",
            "10.ip6.arpa",
            "home.arpa",
        ] {
            assert_eq!(net(text), None, "{text}");
        }
    }
}
