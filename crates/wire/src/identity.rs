//! Who a client is.

use std::fmt;
use std::str::FromStr;

use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::PrivateKey;
use crate::crypto::derive;

/// A client's identity: a UUID of version 4 (RFC 9562), of which its key is made. So it is a secret:
/// `Debug` does not show it, and it is forgotten when it is dropped.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct ClientUuid([u8; 16]);

/// The text is no such UUID. The text itself is left out: it may be a secret with one typo.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a version 4 UUID such as xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx")]
pub struct InvalidUuid;

impl ClientUuid {
    /// The UUID of these random bytes: some of their bits say that it is one.
    pub fn from_random(mut bytes: [u8; 16]) -> Self {
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        Self(bytes)
    }

    /// The client's private key.
    pub fn private_key(&self) -> PrivateKey {
        let info = [b"fps/client-uuid/x25519-private/v1".as_slice()];
        let mut key = *derive(&self.0, &[0; 32], &info);
        // Stored as it is used (RFC 7748, 5).
        key[0] &= 248;
        key[31] = key[31] & 127 | 64;
        let private = PrivateKey::from_bytes(key);
        key.zeroize();
        private
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// Its text, which is as secret.
    pub fn to_text(&self) -> zeroize::Zeroizing<String> {
        use fmt::Write as _;
        let mut text = String::with_capacity(36);
        for (at, byte) in self.0.iter().enumerate() {
            if matches!(at, 4 | 6 | 8 | 10) {
                text.push('-');
            }
            write!(text, "{byte:02x}").expect("a String grows");
        }
        text.into()
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
        let (version, variant) = (bytes[6] >> 4, bytes[8] >> 6);
        if (version, variant) != (4, 0b10) {
            return Err(InvalidUuid);
        }
        Ok(Self(bytes))
    }
}

impl fmt::Debug for ClientUuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientUuid(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_either_case_and_shows_none() {
        let lower: ClientUuid = "3f2b8c1d-9a4e-4f6b-8c2d-1e5f7a9b3c4d".parse().unwrap();
        let upper: ClientUuid = "3F2B8C1D-9A4E-4F6B-8C2D-1E5F7A9B3C4D".parse().unwrap();
        assert_eq!(lower, upper);
        assert_eq!(format!("{lower:?}"), "ClientUuid(hidden)");
        assert_eq!(lower.to_text().parse(), Ok(upper));
    }

    #[test]
    fn random_bytes_become_a_uuid() {
        for byte in [0, 0xff] {
            let uuid = ClientUuid::from_random([byte; 16]);
            assert_eq!(uuid.to_text().parse(), Ok(uuid));
        }
    }
}
