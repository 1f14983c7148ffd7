//! A server that questions are forwarded to.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use fps_netlink::LinkName;
use serde::{Deserialize, Serialize};

/// The port of DNS.
const PORT: u16 = 53;

/// `10.66.0.1`, `10.66.0.1:5353`, `fd66::1` or `[fd66::1]:5353`, and behind it perhaps the link by which
/// alone it is asked: `10.66.0.1%fpsc0`. An IPv4 address in IPv6 is IPv4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Server {
    address: SocketAddr,
    link: Option<LinkName>,
}

impl Server {
    /// Its address and port.
    pub fn address(self) -> SocketAddr {
        self.address
    }

    /// The link that it is asked by, whatever the routes say: without that link it is not asked at all.
    pub fn link(self) -> Option<LinkName> {
        self.link
    }

    /// The same by a link, if it has none yet.
    #[must_use]
    pub fn by(self, link: LinkName) -> Self {
        let link = self.link.or(Some(link));
        Self { link, ..self }
    }

    /// Whether what is sent to it comes to a listener at this address. A wildcard listens at every
    /// address of this machine, of which only those of the loopback are known here.
    pub fn is_at(self, listener: SocketAddr) -> bool {
        let (to, at) = (self.address.ip(), listener.ip().to_canonical());
        let reaches = match at.is_unspecified() {
            true => to.is_ipv4() == at.is_ipv4() && (to.is_loopback() || to.is_unspecified()),
            // Linux takes the unspecified address for that of the loopback.
            false => to == at || (to.is_unspecified() && at.is_loopback()),
        };
        self.address.port() == listener.port() && reaches
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.link {
            Some(link) => write!(f, "{}%{link}", self.address),
            None => self.address.fmt(f),
        }
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
        let invalid = || InvalidServer(text.to_owned());
        let (place, link) = match text.split_once('%') {
            Some((place, link)) => (place, Some(link.parse().map_err(|_| invalid())?)),
            None => (text, None),
        };
        let address = place
            .parse()
            .or_else(|_| place.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, PORT)))
            .ok()
            .filter(|address| address.port() != 0)
            .ok_or_else(invalid)?;
        let address = match address.ip().to_canonical() {
            IpAddr::V4(ip) => SocketAddr::new(ip.into(), address.port()),
            IpAddr::V6(_) => address,
        };
        Ok(Self { address, link })
    }
}

/// A text is no server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no server: write its IP address, such as 10.66.0.1, 10.66.0.1:5353%fpsc0 or [fd66::1]:53"
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
            ("10.66.0.1%fpsc0", "10.66.0.1:53%fpsc0"),
            ("10.66.0.1:5353%fpsc0", "10.66.0.1:5353%fpsc0"),
            ("fe80::1%wlan0", "[fe80::1]:53%wlan0"),
        ] {
            assert_eq!(text.parse::<Server>().unwrap().to_string(), expected);
        }
        for text in [
            "",
            "dns.fps.test",
            "10.66.0.1:0",
            "10.66.0.1:",
            "10.66.0.1/32",
            "10.66.0.1%",
            "10.66.0.1%a/b",
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
