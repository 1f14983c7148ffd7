//! Keys of X25519 (RFC 7748), and what two of them agree on.

use std::fmt;

use ring::digest::{SHA256, digest};
use x25519_dalek::StaticSecret;
use zeroize::Zeroizing;

use crate::base64;

/// A private key. It is forgotten when it is dropped, and `Debug` does not show it.
#[derive(Clone)]
pub struct PrivateKey(StaticSecret);

/// A public key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey([u8; 32]);

/// What two keys agree on.
pub(crate) type Shared = Zeroizing<[u8; 32]>;

/// The client and the server of a session. All that is sealed between them is bound to both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair {
    /// The client's key.
    pub client: PublicKey,
    /// The server's key.
    pub server: PublicKey,
}

impl PrivateKey {
    /// A key of these bytes. They are clamped when it is used (RFC 7748, 5).
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(StaticSecret::from(bytes))
    }

    /// The bytes, as they were given.
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.to_bytes())
    }

    /// The public key that belongs to it.
    pub fn public(&self) -> PublicKey {
        PublicKey(x25519_dalek::PublicKey::from(&self.0).to_bytes())
    }

    /// What it agrees on with another; nothing where the other is a point of low order, with which
    /// anybody would agree on zeros (RFC 7748, 6.1).
    pub(crate) fn agree(&self, other: &PublicKey) -> Option<Shared> {
        let shared = self.0.diffie_hellman(&other.0.into());
        let contributory = shared.was_contributory();
        contributory.then(|| Zeroizing::new(shared.to_bytes()))
    }
}

impl PublicKey {
    /// A key of these bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// A name for it that may be shown: `sha256:` and the first 8 bytes of its SHA-256.
    pub fn fingerprint(&self) -> String {
        use fmt::Write as _;
        let mut text = "sha256:".to_owned();
        for byte in &digest(&SHA256, &self.0).as_ref()[..8] {
            write!(text, "{byte:02x}").expect("a String grows");
        }
        text
    }

    /// As base64.
    pub fn to_base64(&self) -> String {
        base64::encode(&self.0)
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey(hidden)")
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.fingerprint())
    }
}
