//! What is wanted, validated whole before anything changes.

use std::fmt;
use std::net::IpAddr;
use std::num::ParseIntError;
use std::str::FromStr;

use fps_netlink::LinkName;
use ipnet::IpNet;

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
            .map(|a| a.0)
            .chain(routes.iter().map(|r| r.0));
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

/// An address of the TUN device, with the length of its subnet's prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TunAddress(IpNet);

impl TunAddress {
    /// The address and its prefix length.
    pub fn net(self) -> IpNet {
        self.0
    }
}

impl fmt::Display for TunAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for TunAddress {
    type Err = InvalidTunAddress;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let net = parse_cidr(text).map_err(InvalidTunAddress::Cidr)?;
        if net.addr().is_unspecified() || net.addr().is_multicast() {
            return Err(InvalidTunAddress::NoHost(net.addr()));
        }
        Ok(Self(net))
    }
}

/// Why a text is no address of a device.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTunAddress {
    /// No address with a prefix length.
    #[error("{0}")]
    Cidr(String),
    /// 0.0.0.0, `::` or a group.
    #[error("{0} is no host's address")]
    NoHost(IpAddr),
}

/// A network that is reached through the tunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Destination(IpNet);

impl Destination {
    /// The network: no bit is set behind its prefix.
    pub fn net(self) -> IpNet {
        self.0
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Destination {
    type Err = InvalidDestination;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let net = parse_cidr(text).map_err(InvalidDestination::Cidr)?;
        if net != net.trunc() {
            return Err(InvalidDestination::HostBits {
                network: net.trunc(),
            });
        }
        Ok(Self(net))
    }
}

/// Why a text is no destination.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDestination {
    /// No address with a prefix length.
    #[error("{0}")]
    Cidr(String),
    /// Bits are set behind the prefix. The kernel refuses that (EINVAL in `fib_valid_key_len`), and
    /// to clear them would hide a typing error.
    #[error("it has host bits set; the network is {network}")]
    HostBits {
        /// The network that it lies in.
        network: IpNet,
    },
}

/// Reads `ADDRESS/LENGTH`, or says what is wrong with it.
fn parse_cidr(text: &str) -> Result<IpNet, String> {
    if let Ok(net) = text.parse() {
        return Ok(net);
    }
    let (address, length) = match text.split_once('/') {
        Some((address, length)) => (address, Some(length)),
        None => (text, None),
    };
    let Ok(address) = address.parse::<IpAddr>() else {
        return Err("it is no IP address with a prefix length, such as 10.66.1.0/24".to_owned());
    };
    let whole = IpNet::from(address);
    match length {
        None => Err(format!(
            "the prefix length is missing; the single host is {whole}"
        )),
        Some(_) => Err(format!(
            "the prefix length is no number from 0 to {}",
            whole.prefix_len()
        )),
    }
}

/// A device's MTU in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mtu(u32);

impl Mtu {
    /// The least that IPv4 takes (RFC 791; `ETH_MIN_MTU`).
    const LEAST: Self = Self(68);
    /// The least that IPv6 takes (RFC 8200, 5).
    const LEAST_V6: Self = Self(1280);
    /// The most that a TUN device takes (`MAX_MTU` in drivers/net/tun.c).
    const MOST: Self = Self(65535);

    /// The number of bytes.
    pub fn get(self) -> u32 {
        self.0
    }
}

impl fmt::Display for Mtu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Mtu {
    type Err = InvalidMtu;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let out_of_range = |_: ParseIntError| InvalidMtu;
        let mtu = Self(text.parse().map_err(out_of_range)?);
        if (Self::LEAST..=Self::MOST).contains(&mtu) {
            Ok(mtu)
        } else {
            Err(InvalidMtu)
        }
    }
}

/// A text is no MTU.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is no number from {} to {}", Mtu::LEAST, Mtu::MOST)]
pub struct InvalidMtu;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_hosts_with_its_prefix() {
        for text in ["10.66.0.2/30", "10.66.0.2/32", "fd66::2/64", "10.66.0.2/0"] {
            assert_eq!(text.parse::<TunAddress>().unwrap().to_string(), text);
        }
        let shape = "it is no IP address with a prefix length, such as 10.66.1.0/24";
        for (text, error) in [
            ("", shape),
            ("fpsc0", shape),
            ("10.66.0/30", shape),
            ("/30", shape),
            (
                "10.66.0.2",
                "the prefix length is missing; the single host is 10.66.0.2/32",
            ),
            (
                "fd66::2",
                "the prefix length is missing; the single host is fd66::2/128",
            ),
            (
                "10.66.0.2/33",
                "the prefix length is no number from 0 to 32",
            ),
            ("10.66.0.2/", "the prefix length is no number from 0 to 32"),
            (
                "fd66::2/129",
                "the prefix length is no number from 0 to 128",
            ),
            ("0.0.0.0/0", "0.0.0.0 is no host's address"),
            ("::/64", ":: is no host's address"),
            ("224.0.0.1/4", "224.0.0.1 is no host's address"),
        ] {
            let refused = text.parse::<TunAddress>().unwrap_err();
            assert_eq!(refused.to_string(), error, "{text}");
        }
    }

    #[test]
    fn a_destination_is_a_network() {
        for text in [
            "10.66.1.0/24",
            "0.0.0.0/0",
            "203.0.113.80/32",
            "fd66:1::/48",
            "::/0",
        ] {
            assert_eq!(text.parse::<Destination>().unwrap().to_string(), text);
        }
        for (text, error) in [
            (
                "10.66.1.5/24",
                "it has host bits set; the network is 10.66.1.0/24",
            ),
            (
                "fd66::1/64",
                "it has host bits set; the network is fd66::/64",
            ),
            (
                "1.2.3.4/0",
                "it has host bits set; the network is 0.0.0.0/0",
            ),
            (
                "default",
                "it is no IP address with a prefix length, such as 10.66.1.0/24",
            ),
            (
                "10.66.1.7",
                "the prefix length is missing; the single host is 10.66.1.7/32",
            ),
        ] {
            let refused = text.parse::<Destination>().unwrap_err();
            assert_eq!(refused.to_string(), error, "{text}");
        }
    }

    #[test]
    fn an_mtu_is_one_that_a_tun_device_takes() {
        for text in ["68", "1280", "65535"] {
            assert_eq!(text.parse::<Mtu>().unwrap().to_string(), text);
        }
        for text in ["", "67", "65536", "-1", "99999999999", "1280b"] {
            let refused = text.parse::<Mtu>().unwrap_err();
            assert_eq!(
                refused.to_string(),
                "it is no number from 68 to 65535",
                "{text}"
            );
        }
    }

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
