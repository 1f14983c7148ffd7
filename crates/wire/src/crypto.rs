//! The few ways in which this wire uses cryptography.

use std::mem::MaybeUninit;

use ring::aead::{AES_128_GCM, Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use ring::digest::{Context, SHA256};
use ring::hkdf::{HKDF_SHA256, KeyType, Salt};
use zeroize::{Zeroize, Zeroizing};

/// The length of an AEAD's tag.
pub(crate) const TAG_LEN: usize = 16;

/// SHA-256 of parts, one behind the other.
pub(crate) fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    parts.iter().for_each(|part| context.update(part));
    let digest = context.finish();
    digest.as_ref().try_into().expect("SHA-256 has 32 bytes")
}

struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

/// HKDF-SHA256 (RFC 5869).
pub(crate) fn derive<const N: usize>(
    secret: &[u8],
    salt: &[u8],
    info: &[&[u8]],
) -> Zeroizing<[u8; N]> {
    let mut okm = Zeroizing::new([0; N]);
    let prk = Salt::new(HKDF_SHA256, salt).extract(secret);
    // It fails for more than 255 blocks alone.
    prk.expand(info, Length(N))
        .and_then(|it| it.fill(&mut *okm))
        .expect("a short key");
    okm
}

/// Which AEAD.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Algorithm {
    /// RFC 8439.
    ChaCha20Poly1305,
    /// NIST SP 800-38D, with 128 bits.
    Aes128Gcm,
}

/// An AEAD with nonces of a salt and a number.
pub(crate) struct Cipher {
    key: Key,
    salt: [u8; 4],
}

/// A key of ring's, which ring does not overwrite when it is dropped; so it is done here. On the heap,
/// so that it is in one place.
struct Key(Box<MaybeUninit<LessSafeKey>>);

// Or to overwrite one would leave something behind.
const _: () = assert!(!std::mem::needs_drop::<LessSafeKey>());

impl Key {
    fn of(algorithm: Algorithm, bytes: &[u8; 32]) -> Self {
        let key = match algorithm {
            Algorithm::ChaCha20Poly1305 => UnboundKey::new(&CHACHA20_POLY1305, bytes),
            Algorithm::Aes128Gcm => UnboundKey::new(&AES_128_GCM, &bytes[..16]),
        };
        let key = key.expect("as many bytes as it has");
        Self(Box::new(MaybeUninit::new(LessSafeKey::new(key))))
    }

    fn get(&self) -> &LessSafeKey {
        // SAFETY: it is initialised from the first to the drop.
        unsafe { self.0.assume_init_ref() }
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// A tag that is not what it has to be.
#[derive(Debug)]
pub(crate) struct Forged;

impl Cipher {
    /// ChaCha20-Poly1305, of a key behind which its salt stands.
    pub(crate) fn of(okm: &[u8; 36]) -> Self {
        Self::with(Algorithm::ChaCha20Poly1305, okm)
    }

    /// Of a key behind which its salt stands. AES takes the first 16 bytes of the key.
    pub(crate) fn with(algorithm: Algorithm, okm: &[u8; 36]) -> Self {
        let (key, salt) = okm.split_first_chunk().expect("36 bytes");
        Self {
            key: Key::of(algorithm, key),
            salt: salt.try_into().expect("4 bytes"),
        }
    }

    fn nonce(&self, number: u64) -> Nonce {
        let mut nonce = [0; 12];
        nonce[..4].copy_from_slice(&self.salt);
        nonce[4..].copy_from_slice(&number.to_be_bytes());
        Nonce::assume_unique_for_key(nonce)
    }

    /// Seals in place, and returns the tag. A number is to be used once.
    pub(crate) fn seal(&self, number: u64, aad: &[u8], text: &mut [u8]) -> [u8; TAG_LEN] {
        let sealed =
            self.key
                .get()
                .seal_in_place_separate_tag(self.nonce(number), Aad::from(aad), text);
        let tag = sealed.expect("less than 256 GiB");
        tag.as_ref().try_into().expect("16 bytes")
    }

    /// Opens in place what has its tag behind it, and returns what was sealed.
    pub(crate) fn open<'a>(
        &self,
        number: u64,
        aad: &[u8],
        sealed: &'a mut [u8],
    ) -> Result<&'a mut [u8], Forged> {
        self.key
            .get()
            .open_in_place(self.nonce(number), Aad::from(aad), sealed)
            .map_err(|_| Forged)
    }
}

impl std::fmt::Debug for Cipher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Cipher(hidden)")
    }
}
