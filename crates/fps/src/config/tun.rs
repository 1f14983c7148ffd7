//! `tun`.

use std::net::Ipv4Addr;
use std::path::PathBuf;

use fps_netlink::LinkName;
use ipnet::{Ipv4Net, Ipv6Net};
use serde::{Deserialize, Deserializer, de};

use super::{Problem, Role};
use crate::lease::{InvalidPool, Pool};

/// The TUN device. FPS opens it and sets its MTU; addresses, routes and the link's state are the
/// route engine's, but for a client with `auto_configure`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TunConfig {
    /// Whether there is one.
    pub enabled: bool,
    /// Its name.
    #[serde(deserialize_with = "name")]
    pub name: Option<LinkName>,
    /// Its MTU.
    pub mtu: u16,
    /// Accepted and without effect: a TUN takes a packet at once, so none waits.
    pub max_write_queue_packets: usize,
    /// Whether a client's device gets the address, the MTU and the state that the lease says.
    pub auto_configure: bool,
    /// Whether the server's clients may not reach each other.
    pub client_isolation: bool,
    /// The network that the server leases addresses from.
    pub lease_pool: Option<Ipv4Net>,
    /// The network of IPv6 in which each client has the number that it has in that one. Ours: the C++
    /// build has no such key.
    pub lease_pool_v6: Option<Ipv6Net>,
    /// The server's address in it; its first, if it is not named.
    pub server_address: Option<Ipv4Addr>,
    /// Where leases are kept; relative to the configuration's folder.
    pub lease_file: Option<PathBuf>,
    /// The same as the file says it.
    #[serde(skip)]
    pub lease_file_as_written: Option<PathBuf>,
}

impl Default for TunConfig {
    fn default() -> Self {
        Self {
            enabled: false,
            name: None,
            mtu: 1280,
            max_write_queue_packets: 64,
            auto_configure: false,
            client_isolation: true,
            lease_pool: None,
            lease_pool_v6: None,
            server_address: None,
            lease_file: None,
            lease_file_as_written: None,
        }
    }
}

pub(super) fn name<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<LinkName>, D::Error> {
    let text = String::deserialize(deserializer)?;
    LinkName::new(text).map(Some).map_err(de::Error::custom)
}

impl TunConfig {
    /// The pool that addresses are leased from, and where leases are kept.
    pub fn pool(&self) -> Option<(Pool, PathBuf)> {
        let network = self.lease_pool.filter(|_| self.enabled)?;
        let pool = self.pool_of(network).ok()?;
        Some((pool, self.lease_file.clone()?))
    }

    fn pool_of(&self, network: Ipv4Net) -> Result<Pool, InvalidPool> {
        let pool = Pool::new(network, self.server_address)?;
        match self.lease_pool_v6 {
            Some(v6) => pool.with_v6(v6),
            None => Ok(pool),
        }
    }

    pub(super) fn check(&self, role: Role) -> Result<(), Problem> {
        if !self.enabled {
            return Ok(());
        }
        // 68 bytes is the least that IPv4 allows (RFC 791) and that the kernel takes for a TUN.
        if self.mtu < 68 {
            return Err(("tun.mtu", "must be 68 to 65535".into()));
        }
        if self.name.is_none() {
            return Err(("tun.name", "is missing".into()));
        }
        if self.max_write_queue_packets == 0 {
            return Err(("tun.max_write_queue_packets", "must be positive".into()));
        }
        match role {
            Role::Client if self.auto_configure && self.lease_pool.is_some() => {
                let reason =
                    "is the server's; with tun.auto_configure it leases this client's address";
                Err(("tun.lease_pool", reason.into()))
            }
            Role::Server => self.check_pool(),
            Role::Client => Ok(()),
        }
    }

    fn check_pool(&self) -> Result<(), Problem> {
        let Some(network) = self.lease_pool else {
            return match self.lease_pool_v6 {
                Some(_) => Err(("tun.lease_pool_v6", "needs tun.lease_pool".into())),
                None => Ok(()),
            };
        };
        // RFC 8200, 5: the kernel has no IPv6 on a device with less.
        if self.lease_pool_v6.is_some() && self.mtu < 1280 {
            return Err((
                "tun.mtu",
                "must be at least 1280 with tun.lease_pool_v6".into(),
            ));
        }
        self.pool_of(network).map_err(|invalid| match invalid {
            InvalidPool::V6Prefix => ("tun.lease_pool_v6", invalid.to_string()),
            InvalidPool::Prefix => ("tun.lease_pool", invalid.to_string()),
            InvalidPool::Server => ("tun.server_address", invalid.to_string()),
        })?;
        match &self.lease_file {
            Some(_) => Ok(()),
            None => Err(("tun.lease_file", "is needed with tun.lease_pool".into())),
        }
    }
}
