//! `security.zero_rtt`.

use std::collections::HashSet;
use std::time::Duration;

use serde::Deserialize;

use super::{Problem, Role};
use crate::identity::ClientUuid;

/// How a carrier becomes a tunnel, and for whom. The keys of wire version 5 that this cut has no
/// use for are read, so that one file serves both.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ZeroRtt {
    /// Off, the programs are plain TCP relays.
    pub enabled: bool,
    /// Names the deployment; both ends must agree.
    pub profile_id: Option<String>,
    /// The wire version.
    pub version: u16,
    /// Who this client is.
    pub client_uuid: Option<ClientUuid>,
    /// Whom the server lets in.
    pub allowed_client_uuids: Vec<ClientUuid>,
    /// How long the client leaves a fresh connection alone.
    pub client_upgrade_delay_ms: u64,
    /// Of wire version 5.
    pub capabilities: u16,
    /// Of wire version 5.
    pub max_padding_size: usize,
    /// Of wire version 5; this cut always waits for one record in each direction.
    pub min_records_before_trial: u64,
    /// Of wire version 5; only `client_to_server` exists.
    pub upgrade_direction: UpgradeDirection,
    /// Of wire version 5.
    pub server_public_key_base64: Option<Secret>,
    /// Of wire version 5.
    pub server_private_key_base64: Option<Secret>,
}

/// Who starts the upgrade.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UpgradeDirection {
    /// The client.
    #[default]
    ClientToServer,
}

/// A text that `Debug` does not show.
#[derive(Deserialize)]
#[serde(transparent)]
pub struct Secret(pub String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(hidden)")
    }
}

impl Default for ZeroRtt {
    fn default() -> Self {
        Self {
            enabled: false,
            profile_id: None,
            version: 5,
            client_uuid: None,
            allowed_client_uuids: Vec::new(),
            client_upgrade_delay_ms: 2000,
            capabilities: 1,
            max_padding_size: 512,
            min_records_before_trial: 1,
            upgrade_direction: UpgradeDirection::default(),
            server_public_key_base64: None,
            server_private_key_base64: None,
        }
    }
}

impl ZeroRtt {
    /// `client_upgrade_delay_ms`.
    pub fn upgrade_delay(&self) -> Duration {
        Duration::from_millis(self.client_upgrade_delay_ms)
    }

    /// The allow list, for looking up.
    pub fn allowed(&self) -> HashSet<ClientUuid> {
        self.allowed_client_uuids.iter().copied().collect()
    }

    pub(super) fn check(&self, role: Role) -> Result<(), Problem> {
        if !self.enabled {
            return Ok(());
        }
        if self.profile_id.as_ref().is_none_or(String::is_empty) {
            return Err(("security.zero_rtt.profile_id", "is missing".into()));
        }
        if self.version != 5 {
            return Err(("security.zero_rtt.version", "must be 5".into()));
        }
        match role {
            Role::Client if self.client_uuid.is_none() => {
                Err(("security.zero_rtt.client_uuid", "is missing".into()))
            }
            Role::Server => self.check_allowed(),
            Role::Client => Ok(()),
        }
    }

    fn check_allowed(&self) -> Result<(), Problem> {
        let key = "security.zero_rtt.allowed_client_uuids";
        if self.allowed_client_uuids.is_empty() {
            return Err((key, "is empty, so no client could use the tunnel".into()));
        }
        if self.allowed().len() != self.allowed_client_uuids.len() {
            return Err((key, "holds a UUID twice".into()));
        }
        Ok(())
    }
}
