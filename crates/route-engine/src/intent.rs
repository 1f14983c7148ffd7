//! What is wanted, validated whole before anything changes.

use fps_netlink::LinkName;
use ipnet::IpNet;

use crate::{Destination, Mtu, TunAddress};

/// What the host's routes around a TUN device shall be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    tun: LinkName,
    addresses: Vec<TunAddress>,
    mtu: Option<Mtu>,
    routes: Vec<Destination>,
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
        })
    }

    /// The TUN device.
    pub fn tun(&self) -> &LinkName {
        &self.tun
    }

    /// Its addresses.
    pub fn addresses(&self) -> &[TunAddress] {
        &self.addresses
    }

    /// Its MTU; as it is, where there is none.
    pub fn mtu(&self) -> Option<Mtu> {
        self.mtu
    }

    /// What goes into the tunnel.
    pub fn routes(&self) -> &[Destination] {
        &self.routes
    }
}

/// Keeps the first of equal values.
fn once<T: PartialEq>(values: Vec<T>) -> Vec<T> {
    values.into_iter().fold(Vec::new(), |mut kept, value| {
        if !kept.contains(&value) {
            kept.push(value);
        }
        kept
    })
}

/// Why values that are right each by itself do not go together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidIntent {
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
