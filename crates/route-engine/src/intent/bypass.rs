//! What stays out of the tunnel.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use fps_netlink::LinkName;

use super::text::serialize_as_text;
use crate::Destination;

/// A network that is reached by a gateway of the underlay although the default leads into the
/// tunnel, such as the far end of the carrier.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Bypass {
    /// The network.
    pub to: Destination,
    /// The gateway, of the network's family.
    pub via: IpAddr,
    /// The interface by which the gateway is reached.
    pub device: LinkName,
}

serialize_as_text!(Bypass);

impl fmt::Display for Bypass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{},{},{}", self.to, self.via, self.device)
    }
}

impl FromStr for Bypass {
    type Err = InvalidBypass;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts: Vec<_> = text.splitn(3, ',').collect();
        let [to, via, device] = parts[..] else {
            return Err(InvalidBypass::Parts);
        };
        let to: Destination = to
            .parse()
            .map_err(|error| InvalidBypass::Part(format!("`{to}`: {error}")))?;
        let address: IpAddr = via
            .parse()
            .map_err(|_| InvalidBypass::Part(format!("`{via}` is no gateway's IP address")))?;
        let device = LinkName::new(device).map_err(|e| InvalidBypass::Part(e.to_string()))?;
        if to.net().addr().is_ipv4() != address.is_ipv4() {
            return Err(InvalidBypass::Families {
                to,
                gateway: address,
            });
        }
        Ok(Self {
            to,
            via: address,
            device,
        })
    }
}

/// Why a text is no bypass.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidBypass {
    /// Not three values.
    #[error(
        "it is no CIDR,VIA,DEV: a network, a gateway and an interface, such as \
         203.0.113.10/32,192.0.2.1,eth0"
    )]
    Parts,
    /// One of the three is wrong.
    #[error("{0}")]
    Part(String),
    /// The kernel takes a gateway of the route's own family alone (RTA_GATEWAY).
    #[error("the gateway {gateway} is not of the family of {to}")]
    Families {
        /// The network.
        to: Destination,
        /// The gateway.
        gateway: IpAddr,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bypass_is_a_network_a_gateway_and_a_device() {
        for text in [
            "203.0.113.10/32,192.0.2.1,eth0",
            "2001:db8::1/128,fe80::1,eth0",
        ] {
            assert_eq!(text.parse::<Bypass>().unwrap().to_string(), text);
        }
        for (text, part) in [
            ("203.0.113.10/32", "CIDR,VIA,DEV"),
            ("203.0.113.10/32,192.0.2.1", "CIDR,VIA,DEV"),
            ("203.0.113.10/32,192.0.2.1,", "interface name"),
            (
                "203.0.113.10,192.0.2.1,eth0",
                "the prefix length is missing",
            ),
            ("203.0.113.10/32,eth0,eth0", "no gateway's IP address"),
            ("203.0.113.10/32,fe80::1,eth0", "not of the family"),
        ] {
            let refused = text.parse::<Bypass>().unwrap_err().to_string();
            assert!(refused.contains(part), "{text}: {refused}");
        }
    }
}
