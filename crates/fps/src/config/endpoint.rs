//! A host and a port, as `host:port`.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, de};

/// `127.0.0.1:7443`, `[2001:db8::1]:443` or `vpn.example.net:443`. A name is looked up when it is
/// needed, and again after the network has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint(Place);

/// An address with its port, and of IPv6 with its scope: `[fe80::1%3]:443` is on one link alone.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Address(SocketAddr),
    Name(String, u16),
}

/// The text is no `host:port`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not host:port, with an IPv6 address in brackets")]
pub struct InvalidEndpoint(String);

impl Endpoint {
    /// The address, if it is one.
    pub fn address(&self) -> Option<SocketAddr> {
        match self.0 {
            Place::Address(address) => Some(address),
            Place::Name(..) => None,
        }
    }

    /// The name that has to be looked up, if it is one; and the port.
    pub fn name(&self) -> Option<(&str, u16)> {
        match &self.0 {
            Place::Address(_) => None,
            Place::Name(name, port) => Some((name, *port)),
        }
    }
}

impl From<SocketAddr> for Endpoint {
    fn from(address: SocketAddr) -> Self {
        Self(Place::Address(address))
    }
}

/// Whether it may be a name of DNS: letters, digits, hyphens and dots, each label of 1 to 63.
fn is_name(text: &str) -> bool {
    let label = |label: &str| {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        (1..=63).contains(&label.len()) && label.chars().all(plain)
    };
    let labels = text.strip_suffix('.').unwrap_or(text);
    text.len() <= 253 && labels.split('.').all(label)
}

impl FromStr for Endpoint {
    type Err = InvalidEndpoint;

    fn from_str(text: &str) -> Result<Self, InvalidEndpoint> {
        if let Ok(address) = text.parse::<SocketAddr>() {
            return Ok(address.into());
        }
        let invalid = || InvalidEndpoint(text.to_owned());
        let (name, port) = text.rsplit_once(':').ok_or_else(invalid)?;
        // What has digits and dots alone is meant as an address.
        let number = name.chars().all(|c| c.is_ascii_digit() || c == '.');
        if number || !is_name(name) || !port.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(invalid());
        }
        let port = port.parse().map_err(|_| invalid())?;
        Ok(Self(Place::Name(name.to_owned(), port)))
    }
}

impl<'de> Deserialize<'de> for Endpoint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Place::Address(address) => address.fmt(f),
            Place::Name(name, port) => write!(f, "{name}:{port}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_names_are_told_apart() {
        for text in [
            "127.0.0.1:0",
            "[2001:db8::1]:443",
            "[fe80::1%3]:443",
            "vpn.example.net:443",
            "a-b:65535",
        ] {
            let endpoint: Endpoint = text.parse().unwrap();
            assert_eq!(endpoint.to_string(), text);
            assert_ne!(endpoint.address().is_some(), endpoint.name().is_some());
        }
        for text in [
            "",
            ":443",
            "host",
            "host:",
            "host:x",
            "host:65536",
            "host:+1",
            "1.2.3:4",
            "1.2.3.256:4",
            "2001:db8::1:443",
            "[host]:1",
            "a..b:1",
            "a b:1",
            "10.0.0.1:-1",
        ] {
            assert!(text.parse::<Endpoint>().is_err(), "{text}");
        }
    }
}
