//! What is wanted, validated whole before anything changes.

mod bypass;
mod cidr;
mod dns;
mod endpoint;
mod full_tunnel;
mod invalid;
mod leak_guard;
mod mtu;
mod resolver;
mod text;

pub use bypass::{Bypass, InvalidBypass};
pub use cidr::{Destination, InvalidDestination, InvalidTunAddress, TunAddress};
pub use dns::{Dns, DnsDomain, DnsServer, InvalidDnsDomain, InvalidDnsServer};
pub use endpoint::{Endpoint, InvalidEndpoint};
pub(crate) use full_tunnel::everything;
pub use full_tunnel::{FullTunnel, KeepLan, Layer, Selector};
pub use invalid::InvalidIntent;
pub(crate) use leak_guard::{is_end, is_leak_guard, is_near};
pub use mtu::{InvalidMtu, Mtu};
pub use resolver::ResolverKind;

use std::hash::Hash;

use fps_netlink::{Family, Fwmark, LinkName, TableId};
use rustc_hash::FxHashSet;
use serde::{Deserialize, Serialize};

/// What the host's routes around a TUN device shall be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Intent {
    tun: LinkName,
    addresses: Vec<TunAddress>,
    mtu: Option<Mtu>,
    #[serde(with = "text::joined")]
    routes: Vec<Destination>,
    full_tunnel: Option<FullTunnel>,
    endpoints: Vec<Endpoint>,
    dns: Option<Dns>,
    /// Which resolver is told.
    #[serde(default, skip_serializing_if = "ResolverKind::is_default")]
    resolver: ResolverKind,
    /// Whether what is for a bypass goes by the rules behind where its gateway is not to be had.
    #[serde(default)]
    fallbacks: bool,
}

impl Intent {
    /// Checks the parts against each other. What is said twice counts once.
    pub fn new(
        tun: LinkName,
        addresses: Vec<TunAddress>,
        mtu: Option<Mtu>,
        routes: Vec<Destination>,
    ) -> Result<Self, InvalidIntent> {
        let mut nets = addresses
            .iter()
            .map(|address| address.net())
            .chain(routes.iter().map(|r| r.net()));
        let v6 = nets.find(|net| net.addr().is_ipv6());
        if let (Some(mtu), Some(net)) = (mtu, v6)
            && mtu < Mtu::LEAST_V6
        {
            return Err(InvalidIntent::MtuBelowV6 { mtu, net });
        }
        Ok(Self {
            tun,
            addresses: once(addresses),
            mtu,
            routes: once(routes),
            full_tunnel: None,
            endpoints: Vec::new(),
            dns: None,
            resolver: ResolverKind::default(),
            fallbacks: false,
        })
    }

    /// Leads what the selectors choose into the tunnel.
    pub fn with_full_tunnel(mut self, mut full: FullTunnel) -> Result<Self, InvalidIntent> {
        if full.selectors.is_empty() {
            return Err(InvalidIntent::NoSelector);
        }
        let own = |table: TableId| (253..=255).contains(&table.0);
        if !full.fits()
            || full.tables().any(own)
            || full.priorities().any(|priority| priority.0 > 32765)
        {
            let (tables, priorities) = full.counts();
            return Err(InvalidIntent::NoRoom {
                table: full.table.0,
                priority: full.priority.0,
                tables,
                priorities,
            });
        }
        full.bypasses = once(full.bypasses);
        let families = full.families(self.has_v6_address());
        for (at, bypass) in full.bypasses.iter().enumerate() {
            if bypass.to.net().prefix_len() == 0 {
                return Err(InvalidIntent::BypassOfAll(bypass.clone()));
            }
            if full.bypasses[..at]
                .iter()
                .any(|other| other.to == bypass.to)
            {
                return Err(InvalidIntent::TwoBypasses(bypass.to));
            }
            if bypass.device == self.tun {
                return Err(InvalidIntent::BypassIntoTunnel(bypass.clone()));
            }
            if !families.contains(&Family::of(bypass.via)) {
                return Err(InvalidIntent::BypassFamily(bypass.clone()));
            }
            if full.lan.is_some() && self.routes.contains(&bypass.to) {
                let other = format!("--bypass {bypass}");
                let route = bypass.to;
                return Err(InvalidIntent::TwoWays { route, other });
            }
        }
        if let Some(mtu) = self.mtu
            && mtu < Mtu::LEAST_V6
            && families.contains(&Family::V6)
        {
            let net = everything(Family::V6);
            return Err(InvalidIntent::MtuBelowV6 { mtu, net });
        }
        self.full_tunnel = Some(full);
        Ok(self)
    }

    /// Keeps the way to where the carrier connects to out of the tunnel. To be called last.
    pub fn with_endpoints(mut self, endpoints: Vec<Endpoint>) -> Result<Self, InvalidIntent> {
        for &endpoint in &endpoints {
            // The kernel's route of that subnet, in table main.
            let covers = |address: &&TunAddress| address.net().contains(&endpoint.address);
            if let Some(&address) = self.addresses.iter().find(covers) {
                return Err(InvalidIntent::EndpointInSubnet { endpoint, address });
            }
            match &self.full_tunnel {
                None => {
                    let covers = |route: &&Destination| route.net().contains(&endpoint.address);
                    if let Some(&route) = self.routes.iter().find(covers) {
                        return Err(InvalidIntent::EndpointInRoute { endpoint, route });
                    }
                }
                Some(full) if full.lan.is_some() && self.routes.contains(&endpoint.net()) => {
                    let other = format!("--endpoint {endpoint}");
                    let route = endpoint.net();
                    return Err(InvalidIntent::TwoWays { route, other });
                }
                Some(_) => {}
            }
        }
        self.endpoints = once(endpoints);
        match self.swallowed() {
            Some(family) => Err(InvalidIntent::NothingStaysOut(everything(family))),
            None => Ok(self),
        }
    }

    /// A family of which all packets go into the tunnel, the carrier's with them.
    fn swallowed(&self) -> Option<Family> {
        let full = self.full_tunnel.as_ref()?;
        let all = full.selectors.iter().find_map(|selector| match selector {
            Selector::From(net) if net.net().prefix_len() == 0 => Some(net.net()),
            _ => None,
        });
        let family = Family::of(all?.addr());
        let of_family = |net: Destination| Family::of(net.net().addr()) == family;
        let out = self
            .endpoints
            .iter()
            .any(|endpoint| of_family(endpoint.net()))
            || full.bypasses.iter().any(|bypass| of_family(bypass.to));
        (!out).then_some(family)
    }

    /// Puts behind each bypass what takes over where its link goes, so that the carrier does not go
    /// into the tunnel then.
    #[must_use]
    pub fn with_fallbacks(mut self) -> Self {
        self.fallbacks = true;
        self
    }

    /// Whether there is something behind each bypass.
    pub fn has_fallbacks(&self) -> bool {
        self.fallbacks
    }

    /// Has names looked up through the tunnel. None leaves DNS alone, also when cleaning up.
    #[must_use]
    pub fn with_dns(mut self, dns: Option<Dns>) -> Self {
        let tun = self.tun;
        let implied = |servers: Vec<DnsServer>| servers.into_iter().map(|it| it.of_link(tun));
        self.dns = dns.map(|dns| Dns {
            servers: once(implied(dns.servers).collect()),
            domains: once(dns.domains),
            ..dns
        });
        self
    }

    /// The same with other numbers.
    #[must_use]
    pub(crate) fn placed_at(mut self, table: TableId, priority: fps_netlink::RulePriority) -> Self {
        if let Some(full) = &mut self.full_tunnel {
            (full.table, full.priority) = (table, priority);
        }
        self
    }

    /// The same with other addresses.
    #[must_use]
    pub(crate) fn with_addresses(mut self, addresses: Vec<TunAddress>) -> Self {
        self.addresses = addresses;
        self
    }

    /// The same for another device, or for one that has another name now.
    #[must_use]
    pub(crate) fn on(mut self, tun: LinkName) -> Self {
        self.tun = tun;
        self
    }

    /// The TUN device.
    pub fn tun(&self) -> LinkName {
        self.tun
    }

    /// Its addresses.
    pub fn addresses(&self) -> &[TunAddress] {
        &self.addresses
    }

    /// Whether one of them is of IPv6.
    pub(crate) fn has_v6_address(&self) -> bool {
        let v6 = |address: &TunAddress| address.net().addr().is_ipv6();
        self.addresses.iter().any(v6)
    }

    /// Whether anything is named of IPv6.
    pub(crate) fn names_ipv6(&self) -> bool {
        let full = self.full_tunnel.iter();
        let bypasses = full.clone().flat_map(|full| &full.bypasses);
        let from = full.flat_map(|full| &full.selectors);
        let from = from.filter_map(|selector| match selector {
            Selector::From(net) => Some(net.net()),
            Selector::Marked(_) | Selector::Unmarked(_) => None,
        });
        let routes = self.routes.iter().map(|route| route.net());
        let endpoints = self.endpoints.iter().map(|it| it.net().net());
        let bypasses = bypasses.map(|bypass| bypass.to.net());
        let mut nets = routes.chain(endpoints).chain(bypasses).chain(from);
        self.has_v6_address() || nets.any(|net| net.addr().is_ipv6())
    }

    /// Its MTU; as it is, where there is none.
    pub fn mtu(&self) -> Option<Mtu> {
        self.mtu
    }

    /// What goes into the tunnel: by the main table or, where a full tunnel keeps the LAN, by the
    /// first of its own.
    pub fn routes(&self) -> &[Destination] {
        &self.routes
    }

    /// What goes into the tunnel by tables of its own.
    pub fn full_tunnel(&self) -> Option<&FullTunnel> {
        self.full_tunnel.as_ref()
    }

    /// Where the carrier connects to.
    pub fn endpoints(&self) -> &[Endpoint] {
        &self.endpoints
    }

    /// Has another resolver told.
    #[must_use]
    pub fn with_resolver(self, resolver: ResolverKind) -> Self {
        Self { resolver, ..self }
    }

    /// Which resolver is told.
    pub fn resolver(&self) -> ResolverKind {
        self.resolver
    }

    /// What is looked up through the tunnel; none where DNS is left alone.
    pub fn dns(&self) -> Option<&Dns> {
        self.dns.as_ref()
    }

    /// Whether it asks for nothing but the device.
    pub fn is_empty(&self) -> bool {
        let dns = self.dns.as_ref().is_none_or(Dns::is_empty);
        let bare = self.addresses.is_empty() && self.mtu.is_none() && self.routes.is_empty();
        bare && dns && self.full_tunnel.is_none() && self.endpoints.is_empty()
    }

    /// The tables of the full tunnel.
    pub fn tables(&self) -> impl Iterator<Item = TableId> + use<'_> {
        self.full_tunnel.iter().flat_map(FullTunnel::tables)
    }

    /// Whether the routes of the LAN are copied, so that the plan depends on what they are.
    pub fn keeps_lan(&self) -> bool {
        let full = self.full_tunnel.as_ref();
        full.is_some_and(|full| full.lan.is_some())
    }

    /// Whether queries of DNS are kept off the underlay.
    pub fn guards_dns(&self) -> bool {
        let full = self.full_tunnel.as_ref();
        full.is_some_and(|full| full.leak_guard)
    }

    /// Whether the plan depends on what the underlay is.
    pub(crate) fn asks_underlay(&self) -> bool {
        self.keeps_lan() || self.guards_dns()
    }

    /// The mark on the carrier's sockets.
    pub fn carrier_mark(&self) -> Fwmark {
        let full = self.full_tunnel.as_ref();
        full.map_or(Fwmark(0), FullTunnel::carrier_mark)
    }
}

/// Keeps the first of equal values.
fn once<T: Clone + Eq + Hash>(mut values: Vec<T>) -> Vec<T> {
    let mut seen = FxHashSet::with_capacity_and_hasher(values.len(), Default::default());
    values.retain(|value| seen.insert(value.clone()));
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    fn intent(mtu: &str, address: &str, route: &str) -> Result<Intent, InvalidIntent> {
        let (address, route) = (address.parse().unwrap(), route.parse().unwrap());
        let tun = LinkName::new("fpsc0").unwrap();
        Intent::new(tun, vec![address], Some(mtu.parse().unwrap()), vec![route])
    }

    #[test]
    fn an_mtu_must_leave_room_for_ipv6_where_there_is_any() {
        assert!(intent("1000", "10.66.0.2/30", "10.66.1.0/24").is_ok());
        assert!(intent("1280", "fd66::2/64", "fd66:1::/64").is_ok());
        for (address, route, net) in [
            ("fd66::2/64", "10.66.1.0/24", "fd66::2/64"),
            ("10.66.0.2/30", "fd66:1::/64", "fd66:1::/64"),
        ] {
            let text = intent("1279", address, route).unwrap_err().to_string();
            let expected = "--mtu 1279 is below 1280, the least for IPv6 (RFC 8200, 5), which";
            assert_eq!(text, format!("{expected} {net} needs"));
        }
    }

    #[test]
    fn what_is_said_twice_counts_once() {
        let net: Destination = "10.66.1.0/24".parse().unwrap();
        let other: Destination = "10.66.2.0/24".parse().unwrap();
        let tun = LinkName::new("fpsc0").unwrap();
        let intent = Intent::new(tun, vec![], None, vec![net, other, net]).unwrap();
        assert_eq!(intent.routes(), [net, other]);
    }
}
