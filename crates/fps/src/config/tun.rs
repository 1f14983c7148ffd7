//! `tun`.

use std::path::PathBuf;

use fps_netlink::LinkName;
use serde::{Deserialize, Deserializer, de};

use super::Problem;
use crate::clear::MAX_PACKET;

/// The TUN device. FPS opens it and sets its MTU; addresses, routes and the link's state are the
/// route engine's.
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
    /// Not supported: addresses are the route engine's.
    pub auto_configure: bool,
    /// Not enforced before leases exist.
    pub client_isolation: Option<bool>,
    /// Not supported before wire version 5.
    pub lease_pool: Option<String>,
    /// Not supported before wire version 5.
    pub server_address: Option<String>,
    /// Not supported before wire version 5.
    pub lease_file: Option<PathBuf>,
}

impl Default for TunConfig {
    fn default() -> Self {
        Self {
            enabled: false,
            name: None,
            mtu: 1280,
            max_write_queue_packets: 64,
            auto_configure: false,
            client_isolation: None,
            lease_pool: None,
            server_address: None,
            lease_file: None,
        }
    }
}

fn name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<LinkName>, D::Error> {
    let text = String::deserialize(deserializer)?;
    LinkName::new(text).map(Some).map_err(de::Error::custom)
}

impl TunConfig {
    pub(super) fn check(&self) -> Result<(), Problem> {
        // 68 bytes is the least that IPv4 allows (RFC 791) and that the kernel takes for a TUN.
        if !(68..=MAX_PACKET).contains(&usize::from(self.mtu)) {
            return Err(("tun.mtu", format!("must be 68 to {MAX_PACKET}")));
        }
        if self.enabled && self.name.is_none() {
            return Err(("tun.name", "is missing".into()));
        }
        Ok(())
    }
}
