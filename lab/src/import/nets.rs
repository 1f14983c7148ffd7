//! The nets that the links of a host are in: each is a subnet that it has an address of, or one that
//! is made up.

use std::collections::HashMap;

use fps_netlink::LinkName;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::draft::NetDraft;
use crate::dump::{Dump, HostLink};

/// The nets, and which of them each link is in.
pub(super) struct Nets {
    pub(super) all: Vec<NetDraft>,
    of: HashMap<LinkName, usize>,
    /// What nothing that is made up may be in.
    taken: Vec<IpNet>,
}

impl Nets {
    pub(super) fn infer(dump: &Dump) -> Self {
        let mut nets = Self {
            all: Vec::new(),
            of: HashMap::new(),
            taken: taken(dump),
        };
        for link in dump.links.iter().filter(|link| !link.loopback) {
            nets.plug(link);
        }
        nets
    }

    /// The net of a link.
    pub(super) fn of(&self, link: &LinkName) -> Option<&NetDraft> {
        self.of.get(link).map(|place| &self.all[*place])
    }

    fn plug(&mut self, link: &HostLink) {
        let subnets = || {
            let addresses = link.addresses.iter();
            addresses
                .filter(|it| it.peer.is_none())
                .map(|it| it.address.net)
        };
        let v4 = subnets().find_map(|net| match net.trunc() {
            IpNet::V4(net) if is_subnet(IpNet::V4(net)) => Some(net),
            _ => None,
        });
        let v6 = subnets().find_map(|net| match net.trunc() {
            IpNet::V6(net) if is_subnet(IpNet::V6(net)) => Some(net),
            _ => None,
        });
        let mut before = self.all.iter();
        let same = before.position(|net| v4.is_some() && net.v4 == v4 && !link.is_tunnel());
        if let Some(place) = same {
            let v6_fits = v6.is_none() || self.all[place].v6.is_none_or(|it| Some(it) == v6);
            if v6_fits {
                self.all[place].v6 = self.all[place].v6.or(v6);
                self.of.insert(link.name(), place);
                return;
            }
        }
        let (v6, comment) = match (v4, v6) {
            (None, None) => (
                Some(self.made_up_v6()),
                Some(format!(
                    "{} has no subnet: this one is made up.",
                    link.name()
                )),
            ),
            (_, v6) => (v6, None),
        };
        let name = self.free_name(link.name().as_str());
        let own: Vec<IpNet> = v4
            .map(IpNet::V4)
            .into_iter()
            .chain(v6.map(IpNet::V6))
            .collect();
        let overlaps = |net: &NetDraft| {
            let theirs = net
                .v4
                .map(IpNet::V4)
                .into_iter()
                .chain(net.v6.map(IpNet::V6));
            let mut pairs = theirs.flat_map(|it| own.iter().map(move |other| (it, *other)));
            pairs.any(|(one, other)| one.contains(&other) || other.contains(&one))
        };
        let may_overlap = self.all.iter().any(overlaps);
        self.of.insert(link.name(), self.all.len());
        self.all.push(NetDraft {
            name,
            comment,
            v4,
            v6,
            may_overlap,
        });
    }

    /// The net behind the gateways.
    pub(super) fn internet(&mut self) -> NetDraft {
        let documentation = ["203.0.113.0/24", "198.51.100.0/24", "192.0.2.0/24"];
        let more = (0..=255).map(|number| format!("198.19.{number}.0/24"));
        let candidates = documentation.into_iter().map(str::to_owned).chain(more);
        let nets = candidates.filter_map(|text| text.parse::<Ipv4Net>().ok());
        let v4 = nets.into_iter().find(|net| self.is_free(IpNet::V4(*net)));
        let v6 = self.made_up_v6();
        NetDraft {
            name: self.free_name("internet"),
            comment: Some("What is behind the gateways.".to_owned()),
            may_overlap: v4.is_none(),
            v4: v4.or_else(|| "203.0.113.0/24".parse().ok()),
            v6: Some(v6),
        }
    }

    fn made_up_v6(&mut self) -> Ipv6Net {
        // A prefix by RFC 4193, whose random part is the lab's.
        let mut numbers = 1..=u16::MAX;
        let subnet = |number: u16| {
            let address = [0xfdfb, 0x50ab, 0x1ab0, number, 0, 0, 0, 0];
            Ipv6Net::new(address.into(), 64).expect("64 bits of 128")
        };
        let free = numbers.find(|number| self.is_free(IpNet::V6(subnet(*number))));
        let net = subnet(free.unwrap_or(u16::MAX));
        self.taken.push(IpNet::V6(net));
        net
    }

    fn is_free(&self, net: IpNet) -> bool {
        let mut taken = self.taken.iter();
        !taken.any(|other| other.contains(&net) || net.contains(other))
    }

    fn free_name(&self, wanted: &str) -> String {
        let label = label(wanted, "net");
        let taken = |name: &String| self.all.iter().any(|net| net.name == *name);
        let mut numbered = (2..).map(|number| format!("{label}-{number}"));
        match taken(&label) {
            false => label,
            true => numbered
                .find(|name| !taken(name))
                .expect("there are more numbers than nets"),
        }
    }
}

/// A name as a label: lower-case letters, digits and hyphens.
pub(super) fn label(text: &str, otherwise: &str) -> String {
    let letters = text.chars().map(|c| match c.to_ascii_lowercase() {
        c if c.is_ascii_lowercase() || c.is_ascii_digit() => c,
        _ => '-',
    });
    let label: String = letters.take(40).collect();
    match label.trim_matches('-') {
        "" => otherwise.to_owned(),
        label => label.to_owned(),
    }
}

/// Whether a subnet can be that of a net.
fn is_subnet(net: IpNet) -> bool {
    let address = net.addr();
    let of_link = matches!(net, IpNet::V6(net) if net.addr().is_unicast_link_local());
    net.prefix_len() > 0
        && net.prefix_len() < net.max_prefix_len()
        && !(address.is_loopback() || address.is_multicast() || address.is_unspecified() || of_link)
}

/// Whether a destination is so narrow that made-up nets can keep out of it: fd00::/8, where they come from, is
/// not.
fn is_narrow(net: IpNet) -> bool {
    let least = if net.addr().is_ipv4() { 8 } else { 9 };
    net.prefix_len() >= least
}

/// The addresses and destinations of a host, but for those that are most of all addresses.
fn taken(dump: &Dump) -> Vec<IpNet> {
    let addresses = dump.links.iter().flat_map(|link| &link.addresses);
    let addresses = addresses.map(|it| it.address.net.trunc());
    let routes = dump.routes.iter().map(|it| it.route.to);
    let gateways = dump.routes.iter().filter_map(|it| it.route.gateway);
    let servers = dump.resolver.servers().into_iter();
    let nets = addresses.chain(routes).filter(|net| is_narrow(*net));
    nets.chain(gateways.chain(servers).map(IpNet::from))
        .collect()
}
