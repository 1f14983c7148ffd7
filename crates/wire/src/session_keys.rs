//! The keys of a session.

use zeroize::Zeroizing;

use crate::crypto::{Cipher, derive};
use crate::{Binding, Direction, Pair, PublicKey};

/// The keys that both sides have after the accept. They are forgotten when they are dropped.
pub struct SessionKeys(Zeroizing<[u8; 72]>);

/// The key and the salt of one direction.
#[derive(Debug)]
pub struct DirectionKey(pub(crate) Cipher);

/// All that the keys are made of beside what the four private keys agree on.
pub(crate) struct Circumstances<'a> {
    pub(crate) pair: Pair,
    pub(crate) binding: &'a Binding,
    pub(crate) client_ephemeral: PublicKey,
    pub(crate) server_ephemeral: PublicKey,
    /// The payloads of the two records, from their hints to their tags.
    pub(crate) auth: &'a [u8],
    pub(crate) accept: &'a [u8],
}

impl SessionKeys {
    /// Of the four agreements: static with static, the client's ephemeral with the server's static,
    /// the server's ephemeral with the client's static, ephemeral with ephemeral.
    pub(crate) fn of(agreed: [&[u8; 32]; 4], of: &Circumstances<'_>) -> Self {
        let mut secret = Zeroizing::new([0; 128]);
        for (part, agreed) in secret.chunks_exact_mut(32).zip(agreed) {
            part.copy_from_slice(agreed);
        }
        let binding = of.binding.as_bytes();
        Self(derive(
            &*secret,
            binding,
            &[
                b"fps/zero-rtt/session-keys/v5",
                of.pair.client.as_bytes(),
                of.pair.server.as_bytes(),
                binding,
                of.client_ephemeral.as_bytes(),
                of.server_ephemeral.as_bytes(),
                of.auth,
                of.accept,
            ],
        ))
    }

    /// Of bytes that were kept: key and salt of the client's direction, then of the server's. For
    /// tests, and for tools that look at recorded sessions.
    pub fn from_bytes(okm: [u8; 72]) -> Self {
        Self(Zeroizing::new(okm))
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8; 72] {
        &self.0
    }

    /// Those of one direction.
    pub fn of_direction(&self, direction: Direction) -> DirectionKey {
        let (to_server, to_client) = self.0.split_at(36);
        let half = match direction {
            Direction::ToServer => to_server,
            Direction::ToClient => to_client,
        };
        DirectionKey(Cipher::of(half.try_into().expect("36 bytes")))
    }
}

impl std::fmt::Debug for SessionKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SessionKeys(hidden)")
    }
}
