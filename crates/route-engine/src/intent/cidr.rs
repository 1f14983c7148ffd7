//! Addresses and networks with the length of their prefix.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::{IpNet, Ipv4Net};

use super::text::serialize_as_text;

/// An address of the TUN device, with the length of its subnet's prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TunAddress(IpNet);

impl TunAddress {
    /// The address and its prefix length.
    pub fn net(self) -> IpNet {
        self.0
    }
}

serialize_as_text!(TunAddress, Destination);

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

/// A network to route, or to choose packets by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Destination(IpNet);

impl Destination {
    /// Everything of a family.
    pub(crate) fn everything(family: fps_netlink::Family) -> Self {
        Self(crate::intent::everything(family))
    }

    /// The network: no bit is set behind its prefix.
    pub fn net(self) -> IpNet {
        self.0
    }
}

impl From<IpNet> for Destination {
    fn from(net: IpNet) -> Self {
        Self(net.trunc())
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            IpNet::V4(net) => write_v4(net, f),
            IpNet::V6(net) => net.fmt(f),
        }
    }
}

/// The text of a network, written at once: a plan and a record may have 100 000, and number by number
/// each takes four times as long.
fn write_v4(net: Ipv4Net, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut text = [0; "255.255.255.255/32".len()];
    let mut length = 0;
    let [a, b, c, d] = net.addr().octets();
    for (number, behind) in [
        (a, b'.'),
        (b, b'.'),
        (c, b'.'),
        (d, b'/'),
        (net.prefix_len(), 0),
    ] {
        for (least, unit) in [(100, 100), (10, 10), (0, 1)] {
            if number >= least {
                text[length] = b'0' + number / unit % 10;
                length += 1;
            }
        }
        if behind != 0 {
            text[length] = behind;
            length += 1;
        }
    }
    f.write_str(str::from_utf8(&text[..length]).expect("digits"))
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
    fn a_network_is_written_as_others_write_it() {
        for number in 0..=255_u8 {
            let ip = std::net::Ipv4Addr::new(number, 255 - number, number / 2, number ^ 0x55);
            for length in 0..=32 {
                let net = IpNet::V4(Ipv4Net::new(ip, length).unwrap()).trunc();
                assert_eq!(Destination(net).to_string(), net.to_string());
            }
        }
    }
}
