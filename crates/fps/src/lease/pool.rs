//! The network that addresses are leased from.

use std::net::{Ipv4Addr, Ipv6Addr};

use fps_wire::PublicKey;
use fps_wire::control::{Lease, LeaseV6};
use ipnet::{Ipv4Net, Ipv6Net};

/// A network, and the address in it that the server has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool {
    network: Ipv4Net,
    server: Ipv4Addr,
    v6: Option<Ipv6Net>,
}

/// Why a pool is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPool {
    /// There must be room for a server and a client, and the lease message has no shorter prefix.
    #[error("the prefix of an IPv4 lease pool must be from 2 to 30")]
    Prefix,
    /// It is the network's own, its broadcast address, or elsewhere.
    #[error("the server's address must be a usable address of the pool")]
    Server,
    /// Each client has the same number in both networks.
    #[error(
        "the IPv6 lease pool must have room for as many addresses as the IPv4 one, and at least 4"
    )]
    V6Prefix,
}

impl Pool {
    /// Of a network; the server has its first address, unless another is named.
    pub fn new(network: Ipv4Net, server: Option<Ipv4Addr>) -> Result<Self, InvalidPool> {
        if !(2..=30).contains(&network.prefix_len()) {
            return Err(InvalidPool::Prefix);
        }
        let network = network.trunc();
        let pool = |server| Self {
            network,
            server,
            v6: None,
        };
        let first = Ipv4Addr::from_bits(network.network().to_bits() + 1);
        let pool = pool(server.unwrap_or(first));
        match pool.is_usable(pool.server) {
            true => Ok(pool),
            false => Err(InvalidPool::Server),
        }
    }

    /// With a network of IPv6 beside it, in which each has the number that it has in this one.
    pub fn with_v6(self, network: Ipv6Net) -> Result<Self, InvalidPool> {
        let bits = 128 - network.prefix_len();
        match bits >= 32 - self.network.prefix_len() && network.prefix_len() > 0 {
            true => Ok(Self {
                v6: Some(network.trunc()),
                ..self
            }),
            false => Err(InvalidPool::V6Prefix),
        }
    }

    /// The network of IPv6.
    pub fn v6(&self) -> Option<Ipv6Net> {
        self.v6
    }

    /// Its address there.
    fn in_v6(&self, network: Ipv6Net, address: Ipv4Addr) -> Ipv6Addr {
        let number = address.to_bits() - self.network.network().to_bits();
        Ipv6Addr::from_bits(network.network().to_bits() + u128::from(number))
    }

    /// What a client is told of its IPv6 address.
    pub fn lease_v6(&self, client: Ipv4Addr) -> Option<LeaseV6> {
        let network = self.v6?;
        Some(LeaseV6 {
            client: self.in_v6(network, client),
            server: self.in_v6(network, self.server),
            prefix_len: network.prefix_len(),
        })
    }

    /// The server's IPv6 address.
    pub fn server_v6(&self) -> Option<Ipv6Addr> {
        Some(self.in_v6(self.v6?, self.server))
    }

    /// The network.
    pub fn network(&self) -> Ipv4Net {
        self.network
    }

    /// The server's address.
    pub fn server(&self) -> Ipv4Addr {
        self.server
    }

    fn is_usable(&self, address: Ipv4Addr) -> bool {
        let net = self.network;
        net.contains(&address) && address != net.network() && address != net.broadcast()
    }

    /// Whether an address is one that a client may have.
    pub fn has(&self, address: Ipv4Addr) -> bool {
        self.is_usable(address) && address != self.server
    }

    /// All of those, the lowest first.
    pub fn clients(&self) -> impl Iterator<Item = Ipv4Addr> + use<> {
        let this = *self;
        let (first, last) = (this.network.network(), this.network.broadcast());
        let all = first.to_bits()..=last.to_bits();
        all.map(Ipv4Addr::from_bits).filter(move |it| this.has(*it))
    }

    /// What a client is told of its address.
    pub fn lease(&self, client: Ipv4Addr, mtu: u16) -> Lease {
        Lease {
            client,
            server: self.server,
            network: self.network.network(),
            prefix_len: self.network.prefix_len(),
            mtu,
        }
    }
}

/// The public key of a text, as the lease file has it.
pub(super) fn key(text: &str) -> Option<PublicKey> {
    let bytes = fps_wire::base64::decode(text).ok()?;
    Some(PublicKey::from_bytes(bytes.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_has_a_server_and_clients() {
        let pool = |net: &str, server: Option<&str>| {
            let server = server.map(|server| server.parse().unwrap());
            Pool::new(net.parse().unwrap(), server)
        };
        let small = pool("10.66.0.0/29", None).unwrap();
        let clients: Vec<_> = small.clients().map(|ip| ip.octets()[3]).collect();
        assert_eq!(
            (small.server().octets()[3], clients),
            (1, vec![2, 3, 4, 5, 6])
        );
        let other = pool("10.66.0.0/29", Some("10.66.0.4")).unwrap();
        let clients: Vec<_> = other.clients().map(|ip| ip.octets()[3]).collect();
        assert_eq!(clients, [1, 2, 3, 5, 6]);
        for (net, server, why) in [
            ("10.66.0.0/31", None, InvalidPool::Prefix),
            ("0.0.0.0/1", None, InvalidPool::Prefix),
            ("10.66.0.0/29", Some("10.66.0.0"), InvalidPool::Server),
            ("10.66.0.0/29", Some("10.66.0.7"), InvalidPool::Server),
            ("10.66.0.0/29", Some("10.67.0.1"), InvalidPool::Server),
        ] {
            assert_eq!(pool(net, server), Err(why), "{net} {server:?}");
        }
        // Of a huge pool the first is found at once.
        assert!(pool("64.0.0.0/2", None).unwrap().clients().next().is_some());
    }

    #[test]
    fn each_has_the_same_number_in_both_networks() {
        let pool = Pool::new("10.66.0.0/24".parse().unwrap(), None).unwrap();
        let with = |net: &str| pool.with_v6(net.parse().unwrap());
        let both = with("fd66::/64").unwrap();
        let lease = both.lease_v6(Ipv4Addr::new(10, 66, 0, 7)).unwrap();
        assert_eq!(lease.client.to_string(), "fd66::7");
        assert_eq!(lease.server.to_string(), "fd66::1");
        assert_eq!(LeaseV6::read(&lease.to_bytes()), Ok(lease));
        assert!(with("fd66::/120").is_ok());
        assert_eq!(with("fd66::/121"), Err(InvalidPool::V6Prefix));
        assert_eq!(with("::/0"), Err(InvalidPool::V6Prefix));
        assert_eq!(pool.lease_v6(Ipv4Addr::new(10, 66, 0, 7)), None);
    }
}
