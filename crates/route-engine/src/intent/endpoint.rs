//! Where the carrier connects to.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use ipnet::IpNet;

use super::text::serialize_as_text;
use crate::Destination;

/// The far end of a carrier, which is reached by the underlay whatever leads into the tunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Endpoint {
    /// Its address.
    pub address: IpAddr,
    /// Its TCP port, where that is known.
    pub port: Option<u16>,
}

serialize_as_text!(Endpoint);

impl Endpoint {
    /// The address as a network of its own.
    pub fn net(self) -> Destination {
        Destination::from(IpNet::from(self.address))
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(port) => SocketAddr::new(self.address, port).fmt(f),
            None => self.address.fmt(f),
        }
    }
}

impl FromStr for Endpoint {
    type Err = InvalidEndpoint;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bare = text.strip_prefix('[').and_then(|t| t.strip_suffix(']'));
        let (address, port) = match bare.unwrap_or(text).parse() {
            Ok(address) => (address, None),
            Err(_) => {
                let both: SocketAddr = text.parse().map_err(|_| InvalidEndpoint::Form)?;
                (both.ip(), Some(both.port()))
            }
        };
        if address.is_unspecified() || address.is_multicast() {
            return Err(InvalidEndpoint::NoHost(address));
        }
        if port == Some(0) {
            return Err(InvalidEndpoint::Form);
        }
        Ok(Self { address, port })
    }
}

/// Why a text is no endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidEndpoint {
    /// A name, or something else.
    #[error(
        "it is no IP address with or without a port, such as 203.0.113.10, 203.0.113.10:443 or \
         [2001:db8::10]:443"
    )]
    Form,
    /// 0.0.0.0, `::` or a group.
    #[error("{0} is no host's address")]
    NoHost(IpAddr),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_an_address_and_perhaps_a_port() {
        for text in [
            "203.0.113.10",
            "203.0.113.10:443",
            "2001:db8::10",
            "[2001:db8::10]:443",
        ] {
            assert_eq!(text.parse::<Endpoint>().unwrap().to_string(), text);
        }
        let brackets: Endpoint = "[2001:db8::10]".parse().unwrap();
        assert_eq!(brackets.to_string(), "2001:db8::10");
        for (text, part) in [
            ("", "no IP address"),
            ("vpn.example", "no IP address"),
            ("203.0.113.10:", "no IP address"),
            ("203.0.113.10:0", "no IP address"),
            ("203.0.113.10:65536", "no IP address"),
            ("203.0.113.0/24", "no IP address"),
            ("0.0.0.0", "no host's address"),
            ("[ff02::1]:443", "no host's address"),
        ] {
            let refused = text.parse::<Endpoint>().unwrap_err().to_string();
            assert!(refused.contains(part), "{text}: {refused}");
        }
    }
}
