//! What is wanted, validated whole before anything changes.

use std::collections::HashSet;
use std::hash::Hash;

use fps_netlink::{Family, LinkName};
use ipnet::IpNet;

use crate::{Bypass, Destination, Dns, FullTunnel, Mtu, TunAddress};

/// What the host's routes around a TUN device shall be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    tun: LinkName,
    addresses: Vec<TunAddress>,
    mtu: Option<Mtu>,
    routes: Vec<Destination>,
    full_tunnel: Option<FullTunnel>,
    dns: Option<Dns>,
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
            dns: None,
        })
    }

    /// Leads what the selectors choose into the tunnel.
    pub fn with_full_tunnel(mut self, mut full: FullTunnel) -> Result<Self, InvalidIntent> {
        if full.selectors.is_empty() {
            return Err(InvalidIntent::NoSelector);
        }
        full.bypasses = once(full.bypasses);
        let families = full.families(self.has_v6_address());
        for bypass in &full.bypasses {
            if bypass.device == self.tun {
                return Err(InvalidIntent::BypassIntoTunnel(bypass.clone()));
            }
            if !families.contains(&Family::of(bypass.via)) {
                return Err(InvalidIntent::BypassFamily(bypass.clone()));
            }
        }
        if let Some(mtu) = self.mtu
            && mtu < Mtu::LEAST_V6
            && families.contains(&Family::V6)
        {
            let net = crate::policy::everything(Family::V6);
            return Err(InvalidIntent::MtuBelowV6 { mtu, net });
        }
        self.full_tunnel = Some(full);
        Ok(self)
    }

    /// Has names looked up through the tunnel. None leaves DNS alone, also when cleaning up.
    #[must_use]
    pub fn with_dns(mut self, dns: Option<Dns>) -> Self {
        self.dns = dns.map(|dns| Dns {
            servers: once(dns.servers),
            domains: once(dns.domains),
        });
        self
    }

    /// The TUN device.
    pub fn tun(&self) -> &LinkName {
        &self.tun
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

    /// Its MTU; as it is, where there is none.
    pub fn mtu(&self) -> Option<Mtu> {
        self.mtu
    }

    /// What goes into the tunnel by the main table.
    pub fn routes(&self) -> &[Destination] {
        &self.routes
    }

    /// What goes into the tunnel by a table of its own.
    pub fn full_tunnel(&self) -> Option<&FullTunnel> {
        self.full_tunnel.as_ref()
    }

    /// What is looked up through the tunnel; none where DNS is left alone.
    pub fn dns(&self) -> Option<&Dns> {
        self.dns.as_ref()
    }
}

/// Keeps the first of equal values.
fn once<T: Clone + Eq + Hash>(mut values: Vec<T>) -> Vec<T> {
    let mut seen = HashSet::with_capacity(values.len());
    values.retain(|value| seen.insert(value.clone()));
    values
}

/// Why values that are right each by itself do not go together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidIntent {
    /// A full tunnel for all packets would be one for the carrier's, too.
    #[error(
        "--full-tunnel needs a selector, --fwmark MARK, --from CIDR or --except-fwmark MARK: \
         without one the carrier itself could be routed into the tunnel"
    )]
    NoSelector,
    /// What is to stay out would go in.
    #[error("--bypass {0} leads into the tunnel that it is to go around")]
    BypassIntoTunnel(Bypass),
    /// No rule would ever look at it.
    #[error("--bypass {0} is of a family of which the selector chooses no packet")]
    BypassFamily(Bypass),
    /// The kernel takes IPv6 off a device with a smaller MTU (`addrconf_notify` in
    /// net/ipv6/addrconf.c).
    #[error(
        "--mtu {mtu} is below {least}, the least for IPv6 (RFC 8200, 5), which {net} needs",
        least = Mtu::LEAST_V6
    )]
    MtuBelowV6 {
        /// The MTU asked for.
        mtu: Mtu,
        /// The first IPv6 address or destination asked for.
        net: IpNet,
    },
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
