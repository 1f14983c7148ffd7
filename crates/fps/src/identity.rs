//! Who a client is, and which process of that client speaks. Neither ever appears in a log.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, de};

/// A client's identity: an RFC 4122 version 4 UUID. It is a secret, so `Debug` does not show it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClientUuid([u8; 16]);

/// The text is no version 4 UUID. The text itself is left out: it may be a secret with one typo.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a version 4 UUID such as xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx")]
pub struct InvalidUuid;

impl ClientUuid {
    /// Wraps the sixteen bytes of a UUID that a peer sent.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The sixteen bytes, for the wire.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl FromStr for ClientUuid {
    type Err = InvalidUuid;

    fn from_str(text: &str) -> Result<Self, InvalidUuid> {
        let groups: Vec<&str> = text.split('-').collect();
        if groups.iter().map(|group| group.len()).ne([8, 4, 4, 4, 12]) {
            return Err(InvalidUuid);
        }
        let digits = groups.concat();
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(InvalidUuid);
        }
        let number = u128::from_str_radix(&digits, 16).map_err(|_| InvalidUuid)?;
        let bytes = number.to_be_bytes();
        let version = bytes[6] >> 4;
        let variant = bytes[8] >> 6;
        if (version, variant) != (4, 0b10) {
            return Err(InvalidUuid);
        }
        Ok(Self(bytes))
    }
}

impl<'de> Deserialize<'de> for ClientUuid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

impl fmt::Debug for ClientUuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientUuid(hidden)")
    }
}

/// Sixteen random bytes that a client process draws at its start: they tell a second carrier of
/// one process from a second process with the same UUID.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct InstanceId(pub [u8; 16]);

impl InstanceId {
    /// Draws one from the system's random source.
    pub fn random() -> Result<Self, rustls::crypto::GetRandomFailed> {
        let mut bytes = [0; 16];
        rustls::crypto::ring::default_provider()
            .secure_random
            .fill(&mut bytes)?;
        Ok(Self(bytes))
    }
}

impl fmt::Debug for InstanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InstanceId(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_version_4_in_either_case() {
        let lower: ClientUuid = "3f2b8c1d-9a4e-4f6b-8c2d-1e5f7a9b3c4d"
            .parse()
            .expect("valid");
        let upper: ClientUuid = "3F2B8C1D-9A4E-4F6B-8C2D-1E5F7A9B3C4D"
            .parse()
            .expect("valid");
        assert_eq!(lower, upper);
        assert_eq!(format!("{lower:?}"), "ClientUuid(hidden)");
    }

    #[test]
    fn refuses_what_is_no_version_4_uuid() {
        for text in [
            "",
            "3f2b8c1d9a4e4f6b8c2d1e5f7a9b3c4d",
            "3f2b8c1d-9a4e-1f6b-8c2d-1e5f7a9b3c4d",
            "3f2b8c1d-9a4e-4f6b-cc2d-1e5f7a9b3c4d",
            "+f2b8c1d-9a4e-4f6b-8c2d-1e5f7a9b3c4d",
            "3f2b8c1d-9a4e-4f6b-8c2d-1e5f7a9b3c4g",
        ] {
            assert_eq!(text.parse::<ClientUuid>(), Err(InvalidUuid), "{text}");
        }
    }
}
