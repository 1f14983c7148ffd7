//! Other addresses in place of a host's, so that what had a common prefix has one of that length again.
//!
//! Whether a bit is turned over depends on a secret key and on the bits before it alone. So two addresses
//! that have so many bits in common have as many in common afterwards, and each lookup of the longest
//! prefix finds what it found before.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use ring::digest::{SHA256, digest};

/// Bits from the left.
type Bits = u128;

/// What keeps its meaning: private and shared addresses stay such (RFC 1918, 6598, 4193).
const KEPT: [&str; 7] = [
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "100.64.0.0/10",
    "fc00::/8",
    "fd00::/8",
    "fe80::/64",
];
/// What is left as it is: addresses of no host, or of none in particular, and those of examples.
const FIXED: [&str; 12] = [
    "0.0.0.0/8",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "192.0.2.0/24",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/3",
    "::/8",
    "64:ff9b::/96",
    "2001:db8::/32",
    "ff00::/8",
    "fe80::/10",
];
/// Where the last 32 bits of an address are one of IPv4 (RFC 4291, 2.5.5.2, and RFC 6052).
const EMBEDDING: [&str; 2] = ["::ffff:0:0/96", "64:ff9b::/96"];
/// The last bits of an address stay, so that a gateway is still `.1`, and no host is a subnet's own or
/// broadcast address.
const LAST: u8 = 8;

/// How many places there are at most; more than 511 subnets of IPv4 have no room anyway.
const MOST_BLOCKS: usize = 2000;
/// How many subnets of a firewall are told apart.
const MOST: usize = 20_000;

/// A secret key, and where public subnets go.
#[derive(Clone, Debug)]
pub(super) struct Addresses {
    key: [u8; 16],
    /// Public subnets, and what is in their place.
    blocks: Vec<(IpNet, IpNet)>,
    /// Whether public addresses have such places; if not, other public addresses are in theirs.
    fits: [bool; 2],
    /// Whether those of the firewall have places of their own.
    apart: bool,
}

impl Addresses {
    /// Finds places for the subnets of a host. Public ones go to the ranges for benchmarks and
    /// documentation (RFC 2544, 3849), as long as they have room: not where a public subnet is large.
    /// Those that only its firewall knows have places of their own where there is room for all; if not,
    /// several have one.
    pub(super) fn new(key: [u8; 16], nets: &[IpNet], firewall: &BTreeSet<IpNet>) -> Self {
        let own = Self::of(key, nets);
        if firewall.is_empty() {
            return own;
        }
        let all: Vec<IpNet> = nets.iter().chain(firewall).copied().collect();
        let both = Self::of(key, &all);
        let as_good = [0, 1].iter().all(|at| both.fits[*at] || !own.fits[*at]);
        match as_good && firewall.len() <= MOST {
            true => both,
            false => Self {
                apart: false,
                ..own
            },
        }
    }

    fn of(key: [u8; 16], nets: &[IpNet]) -> Self {
        let mut addresses = Self {
            key,
            blocks: Vec::new(),
            fits: [true, true],
            apart: true,
        };
        for v4 in [true, false] {
            let public: Vec<IpNet> = nets
                .iter()
                .map(IpNet::trunc)
                .filter(|net| net.addr().is_ipv4() == v4 && is_public(*net))
                .collect();
            // Where the host has something of that range itself, others would get in between.
            let range = doc(v4);
            let own = |net: &IpNet| !v4 && range.contains(net);
            match places(&public, v4).filter(|_| !nets.iter().any(own)) {
                Some(blocks) => addresses.blocks.extend(blocks),
                None => addresses.fits[usize::from(v4)] = false,
            }
        }
        addresses
    }

    /// Whether what only the firewall knows is told apart.
    pub(super) fn tells_all_apart(&self) -> bool {
        self.apart
    }

    /// Whether all public addresses are in ranges for documentation now.
    pub(super) fn fits(&self) -> bool {
        self.fits == [true, true]
    }

    /// What is in the place of an address.
    pub(super) fn ip(&self, ip: IpAddr) -> IpAddr {
        if let Some(IpNet::V4(inside)) = embedded(ip.into()) {
            let inside = self.ip(inside.addr().into());
            return address((bits(ip) & mask(96)) | (bits(inside) >> 96), false);
        }
        if let Some(class) = parsed(&KEPT).find(|net| net.contains(&ip)) {
            return self.turn(ip, class.prefix_len(), |_| false);
        }
        // Where others are in that range now, it is for what the host has nothing of.
        let taken = self.fits[usize::from(ip.is_ipv4())] && doc(ip.is_ipv4()).contains(&ip);
        if !taken && (parsed(&FIXED).any(|net| net.contains(&ip)) || is_nobodys(ip)) {
            return ip;
        }
        let v4 = ip.is_ipv4();
        if let Some((from, to)) = self.blocks.iter().find(|(from, _)| from.contains(&ip)) {
            let turned = self.turn(ip, from.prefix_len(), |_| false);
            let inside = bits(turned) & !mask(from.prefix_len());
            return address(bits(to.addr()) | inside, v4);
        }
        if self.fits[usize::from(v4)] {
            // One that the host has nothing of: all of them have one place.
            let rest = last_of(v4);
            let low = bits(ip) & !mask(width(v4) - LAST);
            return address(bits(rest.addr()) | low, v4);
        }
        let special = |length: u8| {
            let mut all = parsed(&KEPT).chain(parsed(&FIXED)).chain([doc(v4)]);
            all.any(|net| {
                let inside = net.addr().is_ipv4() == v4 && net.prefix_len() > length;
                inside && bits(net.addr()) & mask(length) == bits(ip) & mask(length)
            })
        };
        self.turn(ip, 0, special)
    }

    /// What is in the place of a subnet, or of an address with its prefix length.
    pub(super) fn net(&self, net: IpNet) -> IpNet {
        let mapped = match net.prefix_len() {
            0 => net.addr(),
            // Too large to be anybody's, and nothing in them is elsewhere.
            1..=7 if self.fits[usize::from(net.addr().is_ipv4())] => net.addr(),
            _ => self.ip(net.addr()),
        };
        let new = IpNet::new(mapped, net.prefix_len()).unwrap_or(net);
        if net == net.trunc() { new.trunc() } else { new }
    }

    /// Turns the bits of an address from one on; not those behind a prefix that is to stay.
    fn turn(&self, ip: IpAddr, from: u8, stays: impl Fn(u8) -> bool) -> IpAddr {
        let (old, v4) = (bits(ip), ip.is_ipv4());
        let mut new = old;
        for place in from..width(v4) - LAST {
            // An interface identifier such as `::1` has nothing of anybody.
            let plain = !v4 && place >= 64 && old & mask(place) & !mask(64) == 0;
            if !plain && !stays(place) && self.turns(old & mask(place), place, v4) {
                new ^= 1 << (127 - place);
            }
        }
        address(new, v4)
    }

    fn turns(&self, before: Bits, length: u8, v4: bool) -> bool {
        let mut text = self.key.to_vec();
        text.extend(before.to_be_bytes());
        text.extend([length, u8::from(v4)]);
        digest(&SHA256, &text).as_ref()[0] & 1 == 1
    }
}

/// The subnet of IPv4 that one of IPv6 is made of.
pub(super) fn embedded(net: IpNet) -> Option<IpNet> {
    let length = net
        .prefix_len()
        .checked_sub(96)
        .filter(|_| !net.addr().is_ipv4())?;
    parsed(&EMBEDDING).find(|it| it.contains(&net))?;
    IpNet::new(address(bits(net.addr()) << 96, true), length).ok()
}

/// Places for subnets in the range for documentation: the largest first, so that each is aligned.
fn places(public: &[IpNet], v4: bool) -> Option<Vec<(IpNet, IpNet)>> {
    let unit = if v4 { 24 } else { 48 };
    let mut wide: Vec<IpNet> = public
        .iter()
        .filter(|net| net.prefix_len() > 7)
        .map(|net| IpNet::new(net.addr(), net.prefix_len().min(unit)).map(|net| net.trunc()))
        .collect::<Result<_, _>>()
        .ok()?;
    wide.sort_by_key(|net| (net.prefix_len(), net.addr()));
    wide.dedup();
    // Of a large subnet, and of one around addresses that keep their place, not all can go elsewhere.
    let special = || parsed(&KEPT).chain(parsed(&FIXED));
    let around = |net: &IpNet| special().any(|it| net.contains(&it));
    if public.iter().any(|net| net.prefix_len() < 8 || around(net)) {
        return None;
    }
    let mut top: Vec<IpNet> = Vec::new();
    for net in wide {
        // Sorted, so that the one that may hold it is of the larger ones; more than that have no room.
        if !top.iter().any(|other| other.contains(&net)) {
            top.push(net);
        }
        if top.len() > MOST_BLOCKS {
            return None;
        }
    }
    let range = doc(v4);
    let mut next = bits(range.addr());
    let mut blocks = Vec::new();
    for net in top {
        let length = net.prefix_len();
        if length <= range.prefix_len() {
            return None;
        }
        let end = next.checked_add(1 << (128 - u32::from(length)))?;
        let place = IpNet::new(address(next, v4), length).ok()?;
        // The last place is for what the host has nothing of.
        if !range.contains(&place) || place.contains(&last_of(v4)) {
            return None;
        }
        blocks.push((net, place));
        next = end;
    }
    Some(blocks)
}

/// Whether a subnet holds others that keep their meaning or their place.
pub(super) fn is_around_others(net: IpNet) -> bool {
    let mut special = parsed(&KEPT).chain(parsed(&FIXED));
    special.any(|it| net.contains(&it))
}

/// Whether a subnet is of public addresses, or holds some and not all.
fn is_public(net: IpNet) -> bool {
    let mut special = parsed(&KEPT).chain(parsed(&FIXED));
    let all = parsed(&["2000::/3"]).any(|all| net.contains(&all));
    net.prefix_len() > 0 && !all && !special.any(|it| it.contains(&net)) && !is_nobodys(net.addr())
}

/// An address of IPv6 that nobody is given (RFC 4291, 2.4).
fn is_nobodys(ip: IpAddr) -> bool {
    ip.is_ipv6() && !parsed(&["2000::/3"]).any(|net| net.contains(&ip))
}

fn doc(v4: bool) -> IpNet {
    let text = if v4 { "198.18.0.0/15" } else { "2001:db8::/32" };
    text.parse().expect("a subnet")
}

fn last_of(v4: bool) -> IpNet {
    let text = if v4 {
        "198.19.255.0/24"
    } else {
        "2001:db8:ffff::/48"
    };
    text.parse().expect("a subnet")
}

fn parsed<'a>(texts: &'a [&'a str]) -> impl Iterator<Item = IpNet> + 'a {
    texts.iter().filter_map(|text| text.parse().ok())
}

fn width(v4: bool) -> u8 {
    if v4 { 32 } else { 128 }
}

fn mask(length: u8) -> Bits {
    Bits::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0)
}

fn bits(ip: IpAddr) -> Bits {
    match ip {
        IpAddr::V4(ip) => Bits::from(u32::from(ip)) << 96,
        IpAddr::V6(ip) => ip.into(),
    }
}

fn address(bits: Bits, v4: bool) -> IpAddr {
    match v4 {
        true => Ipv4Addr::from(u32::try_from(bits >> 96).expect("32 bits are left")).into(),
        false => Ipv6Addr::from(bits).into(),
    }
}
