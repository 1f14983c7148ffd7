//! The system's random bytes.

use fps_wire::{ClientUuid, PrivateKey};
use ring::rand::{SecureRandom, SystemRandom};
use zeroize::Zeroizing;

/// The system has none to give.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot draw random bytes: the system's random source failed")]
pub struct NoRandomness;

/// Where ephemeral keys come from: the system, but in a test.
pub trait Keys: std::fmt::Debug {
    /// One that has never been used.
    fn ephemeral(&self) -> Result<PrivateKey, NoRandomness>;
}

/// The system.
#[derive(Clone, Copy, Debug, Default)]
pub struct System;

impl Keys for System {
    fn ephemeral(&self) -> Result<PrivateKey, NoRandomness> {
        private_key()
    }
}

/// Random bytes.
pub fn bytes<const N: usize>() -> Result<Zeroizing<[u8; N]>, NoRandomness> {
    let mut bytes = Zeroizing::new([0; N]);
    let filled = SystemRandom::new().fill(&mut *bytes);
    filled.map(|()| bytes).map_err(|_| NoRandomness)
}

/// A key, stored as it is used (RFC 7748, 5).
pub fn private_key() -> Result<PrivateKey, NoRandomness> {
    let mut key = bytes::<32>()?;
    key[0] &= 248;
    key[31] = key[31] & 127 | 64;
    Ok(PrivateKey::from_bytes(*key))
}

/// A client's identity.
pub fn client_uuid() -> Result<ClientUuid, NoRandomness> {
    bytes().map(|bytes| ClientUuid::from_random(*bytes))
}
