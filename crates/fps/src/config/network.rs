//! `network`.

use fps_netlink::{Fwmark, LinkName};
use serde::Deserialize;

use super::{Endpoint, Problem, Role};

const BUFFER_SIZES: std::ops::RangeInclusive<usize> = 1..=(16 << 20);

/// Where to listen, whom to dial, and how.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Network {
    /// Where applications (on the client) or clients (on the server) connect to.
    pub listen: Endpoint,
    /// Whom `fps_client` dials.
    pub server: Option<Endpoint>,
    /// Whom `fps_server` dials.
    #[serde(alias = "target")]
    pub origin: Option<Endpoint>,
    /// How much one read of a socket may bring.
    #[serde(default = "default_read_buffer_size")]
    pub read_buffer_size: usize,
    /// `TCP_NODELAY` on every connection.
    #[serde(default = "default_tcp_no_delay")]
    pub tcp_no_delay: bool,
    /// Whether changes of the network below are looked at: it is on, but for a comparison.
    #[serde(skip, default = "default_follow")]
    pub follow: bool,
    /// `SO_MARK` on every dialled connection, so that a routing rule can keep it out of the
    /// tunnel. Ours: the C++ build has no such key.
    #[serde(default, deserialize_with = "super::fwmark::deserialize")]
    pub fwmark: Option<Fwmark>,
    /// `SO_BINDTODEVICE` on every dialled connection: the underlay's device. Ours, too.
    #[serde(default, deserialize_with = "super::tun::name")]
    pub bind_device: Option<LinkName>,
}

fn default_read_buffer_size() -> usize {
    65536
}

fn default_follow() -> bool {
    true
}

fn default_tcp_no_delay() -> bool {
    true
}

impl Network {
    /// With nobody to dial as yet.
    pub fn bare(listen: Endpoint) -> Self {
        Self {
            listen,
            server: None,
            origin: None,
            read_buffer_size: default_read_buffer_size(),
            tcp_no_delay: default_tcp_no_delay(),
            follow: true,
            fwmark: None,
            bind_device: None,
        }
    }

    pub(super) fn check(&self, role: Role) -> Result<(), Problem> {
        match (role, &self.server, &self.origin) {
            (Role::Client, _, Some(_)) => {
                return Err((
                    "network.origin",
                    "is the server's; fps_client dials network.server".into(),
                ));
            }
            (Role::Server, Some(_), _) => {
                return Err((
                    "network.server",
                    "is the client's; fps_server dials network.origin".into(),
                ));
            }
            (Role::Client, None, _) => return Err(("network.server", "is missing".into())),
            (Role::Server, _, None) => return Err(("network.origin", "is missing".into())),
            _ => {}
        }
        if !BUFFER_SIZES.contains(&self.read_buffer_size) {
            let reason = format!("must be {} to {}", BUFFER_SIZES.start(), BUFFER_SIZES.end());
            return Err(("network.read_buffer_size", reason));
        }
        Ok(())
    }
}
