//! What two of ours can do beyond version 5, and agree on with bits of the capabilities.
//!
//! Version 5 compares no capabilities, so a peer that does not know these never sees them. Both sides
//! use what both have said. Then the records behind the accept
//!
//! - carry whole packets of the TUN, up to 64 KiB, each behind its `virtio_net_hdr` of ten bytes,
//!   little-endian (`linux/virtio_net.h`), in place of packets of the device's MTU;
//! - are no step of a transcript. The transcripts go on over the application's records, and a record
//!   of ours is bound to the state they have; its own place is its sequence, which is the nonce;
//! - have for their hints sixteen bytes of `SHA-256(label || a key for that || what they are bound to)`:
//!   one hash in place of three, and nobody without the keys can tell them from random bytes;
//! - are sealed with AES-128-GCM where both CPUs have it, else with ChaCha20-Poly1305.
//!
//! The keys are made of the session's, for the agreed bits: those of version 5 seal nothing.

use zeroize::Zeroizing;

use crate::crypto::{Algorithm, Cipher, derive};
use crate::{Direction, SessionKeys};

/// Records and packets of the extension.
pub const WHOLE_PACKETS: u16 = 0x0100;
/// AES-128-GCM is fast here.
pub const AES: u16 = 0x0200;
/// The server leases IPv6 addresses, or the client takes them: the accept's payload has
/// [`LeaseV6`](crate::control::LeaseV6) behind the lease of version 5.
pub const IPV6_LEASE: u16 = 0x0400;
/// All bits that mean something beyond version 5.
pub const ALL: u16 = WHOLE_PACKETS | AES | IPV6_LEASE;

/// What two sides use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extension(u16);

/// The keys of one direction.
pub(crate) struct Keys {
    pub(crate) cipher: Cipher,
    pub(crate) mark: Zeroizing<[u8; 32]>,
}

impl Extension {
    /// Of the capabilities of both.
    pub fn agreed(ours: u16, theirs: u16) -> Option<Self> {
        let both = ours & theirs & (WHOLE_PACKETS | AES);
        (both & WHOLE_PACKETS != 0).then_some(Self(both))
    }

    /// Which AEAD.
    fn algorithm(self) -> Algorithm {
        match self.0 & AES {
            0 => Algorithm::ChaCha20Poly1305,
            _ => Algorithm::Aes128Gcm,
        }
    }

    /// Its word for a log.
    pub fn cipher(self) -> &'static str {
        match self.algorithm() {
            Algorithm::ChaCha20Poly1305 => "chacha20-poly1305",
            Algorithm::Aes128Gcm => "aes-128-gcm",
        }
    }

    pub(crate) fn keys(self, session: &SessionKeys, direction: Direction) -> Keys {
        let okm: Zeroizing<[u8; 68]> = derive(
            session.as_bytes(),
            &[],
            &[
                b"fps/extension/keys/v1",
                &self.0.to_be_bytes(),
                &[direction.byte()],
            ],
        );
        let (cipher, mark) = okm.split_at(36);
        let cipher = cipher.try_into().expect("36 bytes");
        let mut kept = Zeroizing::new([0; 32]);
        kept.copy_from_slice(mark);
        Keys {
            cipher: Cipher::with(self.algorithm(), cipher),
            mark: kept,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_have_to_say_it() {
        assert_eq!(Extension::agreed(ALL | 1, 1), None);
        assert_eq!(Extension::agreed(1, ALL | 1), None);
        assert_eq!(
            Extension::agreed(AES, ALL),
            None,
            "the cipher is of no use alone"
        );
        let slow = Extension::agreed(ALL, WHOLE_PACKETS | 1).unwrap();
        assert_eq!(slow.cipher(), "chacha20-poly1305");
        assert_eq!(Extension::agreed(ALL, ALL).unwrap().cipher(), "aes-128-gcm");
    }
}
