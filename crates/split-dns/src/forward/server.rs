//! A server that questions are forwarded to.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The port of DNS.
const PORT: u16 = 53;

/// `10.66.0.1`, `10.66.0.1:5353`, `fd66::1` or `[fd66::1]:5353`. An IPv4 address in IPv6 is IPv4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Server(SocketAddr);

impl Server {
    /// Its address and port.
    pub fn address(self) -> SocketAddr {
        self.0
    }

    /// Whether what is sent to it comes to a listener at this address. A wildcard listens at every
    /// address of this machine, of which only those of the loopback are known here.
    pub fn is_at(self, listener: SocketAddr) -> bool {
        let (to, at) = (self.0.ip(), listener.ip().to_canonical());
        let reaches = match at.is_unspecified() {
            true => to.is_ipv4() == at.is_ipv4() && (to.is_loopback() || to.is_unspecified()),
            // Linux takes the unspecified address for that of the loopback.
            false => to == at || (to.is_unspecified() && at.is_loopback()),
        };
        self.0.port() == listener.port() && reaches
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<Server> for String {
    fn from(server: Server) -> Self {
        server.to_string()
    }
}

impl TryFrom<String> for Server {
    type Error = InvalidServer;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl FromStr for Server {
    type Err = InvalidServer;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let address = text
            .parse()
            .or_else(|_| text.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, PORT)))
            .ok()
            .filter(|address| address.port() != 0)
            .ok_or_else(|| InvalidServer(text.to_owned()))?;
        // Only IPv6 has a scope, which is kept.
        Ok(Self(match address.ip().to_canonical() {
            IpAddr::V4(ip) => SocketAddr::new(ip.into(), address.port()),
            IpAddr::V6(_) => address,
        }))
    }
}

/// A text is no server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no server: write its IP address, such as 10.66.0.1, 10.66.0.1:5353 or [fd66::1]:53"
)]
pub struct InvalidServer(String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_an_address_with_or_without_a_port() {
        for (text, expected) in [
            ("10.66.0.1", "10.66.0.1:53"),
            ("10.66.0.1:5353", "10.66.0.1:5353"),
            ("fd66::1", "[fd66::1]:53"),
            ("[fd66::1]:5353", "[fd66::1]:5353"),
            ("::ffff:10.66.0.1", "10.66.0.1:53"),
        ] {
            assert_eq!(text.parse::<Server>().unwrap().to_string(), expected);
        }
        for text in [
            "",
            "dns.fps.test",
            "10.66.0.1:0",
            "10.66.0.1:",
            "10.66.0.1/32",
        ] {
            assert!(text.parse::<Server>().is_err(), "{text}");
        }
    }

    #[test]
    fn knows_who_listens_where_it_is() {
        for (server, listener, expected) in [
            ("127.0.0.53", "127.0.0.53:53", true),
            ("127.0.0.53", "127.0.0.54:53", false),
            ("127.0.0.53:54", "127.0.0.53:53", false),
            ("127.0.0.9", "0.0.0.0:53", true),
            ("10.66.0.1", "0.0.0.0:53", false),
            ("0.0.0.0", "127.0.0.1:53", true),
            ("::1", "[::]:53", true),
            ("::1", "0.0.0.0:53", false),
            ("127.0.0.1", "[::]:53", false),
            ("::ffff:127.0.0.1", "127.0.0.1:53", true),
        ] {
            let is_at = server
                .parse::<Server>()
                .unwrap()
                .is_at(listener.parse().unwrap());
            assert_eq!(is_at, expected, "{server} {listener}");
        }
    }
}
