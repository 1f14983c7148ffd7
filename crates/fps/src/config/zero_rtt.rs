//! `security.zero_rtt`.

use std::time::Duration;

use fps_wire::auth::AllowList;
use fps_wire::extension;
use fps_wire::{ClientUuid, PrivateKey, ProfileId, PublicKey};
use serde::{Deserialize, Deserializer, de};

use super::{Problem, Role};

/// How a carrier becomes a tunnel, and for whom.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ZeroRtt {
    /// Off, the programs are plain TCP relays.
    pub enabled: bool,
    /// Names the deployment; both ends must agree.
    pub profile_id: Option<String>,
    /// The wire version.
    pub version: u16,
    /// Who this client is.
    #[serde(deserialize_with = "uuid")]
    pub client_uuid: Option<ClientUuid>,
    /// Whom the server lets in.
    #[serde(deserialize_with = "uuids")]
    pub allowed_client_uuids: Vec<ClientUuid>,
    /// How long the client leaves a fresh connection alone.
    pub client_upgrade_delay_ms: u64,
    /// How much longer or shorter that is from one to the next: the standard deviation, a third of it
    /// if it is not said.
    pub client_upgrade_delay_sigma_ms: Option<u64>,
    /// What this side can do beyond the wire, as it tells the other.
    pub capabilities: u16,
    /// Whether to use what two of ours can do beyond version 5. Ours: the C++ build has no such key.
    pub extensions: bool,
    /// How long the payload of an auth or an accept may be.
    pub max_padding_size: usize,
    /// So many records there have to be each way before the upgrade.
    pub min_records_before_trial: u64,
    /// Who starts the upgrade.
    pub upgrade_direction: UpgradeDirection,
    /// The server's public key.
    #[serde(deserialize_with = "public_key")]
    pub server_public_key_base64: Option<PublicKey>,
    /// The server's private key.
    #[serde(deserialize_with = "private_key")]
    pub server_private_key_base64: Option<PrivateKey>,
}

/// Who starts the upgrade.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UpgradeDirection {
    /// The client.
    #[default]
    ClientToServer,
}

fn uuid<'de, D: Deserializer<'de>>(from: D) -> Result<Option<ClientUuid>, D::Error> {
    let text = zeroize::Zeroizing::new(String::deserialize(from)?);
    text.parse().map(Some).map_err(de::Error::custom)
}

fn uuids<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<ClientUuid>, D::Error> {
    let texts = zeroize::Zeroizing::new(Vec::<String>::deserialize(from)?);
    let uuids = texts.iter().map(|text| text.parse());
    uuids.collect::<Result<_, _>>().map_err(de::Error::custom)
}

fn key<'de, D: Deserializer<'de>>(from: D) -> Result<zeroize::Zeroizing<[u8; 32]>, D::Error> {
    let text = zeroize::Zeroizing::new(String::deserialize(from)?);
    let bytes = fps_wire::base64::decode(&text).map_err(de::Error::custom)?;
    let bytes = zeroize::Zeroizing::new(bytes);
    let key: Result<[u8; 32], _> = bytes.as_slice().try_into();
    let key = key.map_err(|_| de::Error::custom("must contain exactly 32 bytes"))?;
    Ok(zeroize::Zeroizing::new(key))
}

fn public_key<'de, D: Deserializer<'de>>(from: D) -> Result<Option<PublicKey>, D::Error> {
    key(from).map(|key| Some(PublicKey::from_bytes(*key)))
}

fn private_key<'de, D: Deserializer<'de>>(from: D) -> Result<Option<PrivateKey>, D::Error> {
    key(from).map(|key| Some(PrivateKey::from_bytes(*key)))
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
            client_upgrade_delay_sigma_ms: None,
            capabilities: 1,
            extensions: true,
            max_padding_size: 512,
            min_records_before_trial: 1,
            upgrade_direction: UpgradeDirection::default(),
            server_public_key_base64: None,
            server_private_key_base64: None,
        }
    }
}

/// Whether AES-GCM has instructions of its own.
fn has_aes() -> bool {
    #[cfg(any(target_arch = "x86_64", target_arch = "x86"))]
    let has = is_x86_feature_detected!("aes") && is_x86_feature_detected!("pclmulqdq");
    #[cfg(target_arch = "aarch64")]
    let has = std::arch::is_aarch64_feature_detected!("aes");
    #[cfg(not(any(target_arch = "x86_64", target_arch = "x86", target_arch = "aarch64")))]
    let has = false;
    has
}

impl ZeroRtt {
    /// The delay before the upgrade and its standard deviation, in milliseconds.
    pub fn delay_and_sigma(&self) -> (u64, u64) {
        let delay = self.client_upgrade_delay_ms;
        let sigma = self.client_upgrade_delay_sigma_ms.unwrap_or(delay / 3);
        (delay, sigma)
    }

    /// A delay, for random bytes: nearly normal, as the sum of twelve is (the central limit theorem),
    /// and never more than three deviations off.
    pub fn upgrade_delay(&self, random: &[u8; 12]) -> Duration {
        let (delay, sigma) = self.delay_and_sigma();
        // Each is 0 to 255 with a mean of 127.5; twelve have a deviation of 256.
        let sum: i64 = random.iter().map(|byte| i64::from(*byte)).sum();
        let off = (sum - 1530).clamp(-768, 768);
        let sigma = i64::try_from(sigma).unwrap_or(i64::MAX / 1024);
        let off = sigma.saturating_mul(off) / 256;
        Duration::from_millis(delay.saturating_add_signed(off))
    }

    /// What this side tells the other that it can do: beside what is configured, the extensions that
    /// it is fit for.
    pub fn all_capabilities(&self, device_takes_whole: bool, leases_v6: bool) -> u16 {
        let bit = |has: bool, bit: u16| if has { bit } else { 0 };
        let fit = bit(device_takes_whole, extension::WHOLE_PACKETS)
            | bit(has_aes(), extension::AES)
            | bit(leases_v6, extension::IPV6_LEASE);
        self.capabilities & !extension::ALL | bit(self.extensions, fit)
    }

    /// The name of the deployment, as it is bound.
    pub fn profile(&self) -> Option<ProfileId> {
        ProfileId::new(self.profile_id.as_ref()?).ok()
    }

    /// Whom the server lets in, by their keys.
    pub fn clients(&self) -> Vec<PublicKey> {
        let uuids = self.allowed_client_uuids.iter();
        uuids.map(|uuid| uuid.private_key().public()).collect()
    }

    /// The same as a list without anybody twice.
    pub fn allowed(&self) -> Option<AllowList> {
        AllowList::new(self.clients()).ok()
    }

    pub(super) fn check(&self, role: Role) -> Result<(), Problem> {
        if !self.enabled {
            return Ok(());
        }
        let profile = self.profile_id.as_deref().unwrap_or_default();
        if profile.is_empty() {
            return Err(("security.zero_rtt.profile_id", "is missing".into()));
        }
        if self.profile().is_none() {
            let reason = "is longer than 65535 bytes".into();
            return Err(("security.zero_rtt.profile_id", reason));
        }
        if self.version != 5 {
            return Err(("security.zero_rtt.version", "must be 5".into()));
        }
        match role {
            Role::Client => self.check_client(),
            Role::Server => self.check_server(),
        }
    }

    fn check_client(&self) -> Result<(), Problem> {
        if self.client_uuid.is_none() {
            return Err(("security.zero_rtt.client_uuid", "is missing".into()));
        }
        let key = "security.zero_rtt.server_public_key_base64";
        if self.server_public_key_base64.is_none() {
            return Err((key, "is missing".into()));
        }
        if self.server_private_key_base64.is_some() || !self.allowed_client_uuids.is_empty() {
            let reason = "and security.zero_rtt.allowed_client_uuids are the server's alone";
            return Err(("security.zero_rtt.server_private_key_base64", reason.into()));
        }
        Ok(())
    }

    fn check_server(&self) -> Result<(), Problem> {
        let key = "security.zero_rtt.server_private_key_base64";
        let Some(private) = &self.server_private_key_base64 else {
            return Err((key, "is missing".into()));
        };
        let key = "security.zero_rtt.server_public_key_base64";
        let Some(public) = &self.server_public_key_base64 else {
            return Err((key, "is missing".into()));
        };
        if private.public() != *public {
            return Err((key, "does not belong to the private key".into()));
        }
        let key = "security.zero_rtt.allowed_client_uuids";
        if self.allowed_client_uuids.is_empty() {
            return Err((key, "is empty, so no client could use the tunnel".into()));
        }
        if self.allowed().is_none() {
            return Err((key, "holds a UUID twice".into()));
        }
        Ok(())
    }
}
