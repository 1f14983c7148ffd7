//! Ranges of addresses, as nft(8) prints them.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Subnets, Ipv6Subnets};

use super::bits::Addresses;

/// From one address to another of its family, which is not before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    first: IpAddr,
    last: IpAddr,
}

/// Where a range stands, which says how it may be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In a list, alone between two commas: others may stand beside it.
    Listed,
    /// What an address is compared with: a list may stand there.
    Compared,
    /// Elsewhere, as in a target of NAT: a range alone.
    Single,
    /// The same, of which each end is in brackets.
    Bracketed,
}

/// `FIRST-LAST`, and the ports behind an address of IPv4, with their colon.
pub(super) fn parse(word: &str) -> Option<(Range, &str)> {
    let (first, last) = word.split_once('-')?;
    let first: IpAddr = first.parse().ok()?;
    let end = match first {
        IpAddr::V4(_) => last.find(':').unwrap_or(last.len()),
        IpAddr::V6(_) => last.len(),
    };
    let (last, port) = last.split_at(end);
    let last: IpAddr = last.parse().ok()?;
    let is_range = first.is_ipv4() == last.is_ipv4() && first <= last;
    is_range.then_some((Range { first, last }, port))
}

/// More subnets than any range of IPv4 consists of are not listed.
const MOST: usize = 64;

impl Range {
    /// The fewest subnets that it consists of.
    pub(super) fn subnets(self) -> Vec<IpNet> {
        match (self.first, self.last) {
            (IpAddr::V4(first), IpAddr::V4(last)) => {
                Ipv4Subnets::new(first, last, 0).map(IpNet::V4).collect()
            }
            (IpAddr::V6(first), IpAddr::V6(last)) => {
                Ipv6Subnets::new(first, last, 0).map(IpNet::V6).collect()
            }
            _ => Vec::new(),
        }
    }

    /// What is in its place, and whether that has just what is in the place of each of its addresses.
    pub(super) fn replaced(self, addresses: &Addresses, place: Place) -> (String, bool) {
        let ends = [self.first, self.last].map(|ip| addresses.ip(ip));
        let (first, last) = (ends[0].min(ends[1]), ends[0].max(ends[1]));
        let new = Self { first, last };
        let alone = match place {
            Place::Bracketed => format!("{first}]-[{last}"),
            _ => format!("{first}-{last}"),
        };
        let subnets = || self.subnets().into_iter().map(|net| addresses.net(net));
        let mut there = new.subnets();
        let mut wanted: Vec<IpNet> = subnets().collect();
        there.sort();
        wanted.sort();
        if there == wanted {
            return (alone, true);
        }
        if wanted.len() > MOST {
            return (alone, false);
        }
        let list: Vec<String> = subnets().map(shown).collect();
        match place {
            Place::Listed => (list.join(", "), true),
            Place::Compared => (format!("{{ {} }}", list.join(", ")), true),
            Place::Single | Place::Bracketed => (alone, false),
        }
    }
}

/// An address without the length of its prefix.
fn shown(net: IpNet) -> String {
    match net.prefix_len() == net.max_prefix_len() {
        true => net.addr().to_string(),
        false => net.to_string(),
    }
}
