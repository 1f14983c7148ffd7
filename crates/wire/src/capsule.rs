//! What auth and accept have in common.
//!
//! ```text
//! 17 03 03 | length | hint for the server, 8 | hint for the client, 8 | sealed | tag, 16
//! sealed: version u16 | capabilities u16 | ephemeral key, 32 | length u16 | payload
//! ```

use crate::crypto::{Cipher, TAG_LEN, derive};
use crate::hint::{HINT_LEN, HINTS_LEN, Hint};
use crate::record::{APPLICATION_DATA, HEADER_LEN};
use crate::{Binding, Pair, PublicKey, Record, VERSION};

/// Version, capabilities, key and length.
const HEAD_LEN: usize = 2 + 2 + 32 + 2;
/// The shortest payload of a record that may be one.
const LEAST: usize = HINTS_LEN + HEAD_LEN + TAG_LEN;

/// Why a record was not taken for an auth or an accept. It is then the application's, and goes on: so
/// that nobody learns more from offering one than what it would have cost him anyway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is too short, or its payload is not as long as it says.
    #[error("its size is wrong")]
    Size,
    /// It is not for this server and this moment: nearly always it is the application's.
    #[error("it is not for this server, or not for this moment")]
    NotForUs,
    /// It is for this server, from no client that it knows.
    #[error("it is from a client that is not known")]
    UnknownClient,
    /// It does not open.
    #[error("it was changed, or made with another key")]
    Forged,
    /// It has another version.
    #[error("its version is not 5")]
    Version,
    /// Its payload is longer than is allowed.
    #[error("its payload is too long")]
    PayloadTooLong,
    /// Its ephemeral key agrees on zeros with every key.
    #[error("its key is of low order")]
    LowOrderKey,
}

/// The labels by which the two are kept apart.
pub(crate) struct Labels {
    server_hint: &'static [u8],
    client_hint: &'static [u8],
    aead: &'static [u8],
    capsule: &'static [u8],
}

pub(crate) const AUTH: Labels = Labels {
    server_hint: b"fps/zero-rtt/client-auth/server-hint/v5",
    client_hint: b"fps/zero-rtt/client-auth/client-hint/v5",
    aead: b"fps/zero-rtt/client-auth-aead/v5",
    capsule: b"fps/zero-rtt/client-auth/capsule/v5",
};

pub(crate) const ACCEPT: Labels = Labels {
    server_hint: b"fps/zero-rtt/server-accept/server-hint/v5",
    client_hint: b"fps/zero-rtt/server-accept/client-hint/v5",
    aead: b"fps/zero-rtt/server-accept-aead/v5",
    capsule: b"fps/zero-rtt/server-accept/capsule/v5",
};

/// What is in one.
pub(crate) struct Content {
    pub(crate) capabilities: u16,
    pub(crate) ephemeral: PublicKey,
    pub(crate) payload: Vec<u8>,
}

/// A record that may be one, in its parts.
pub(crate) struct Offered<'a> {
    pub(crate) server_hint: &'a [u8],
    pub(crate) client_hint: &'a [u8],
    sealed: &'a [u8],
}

impl<'a> Offered<'a> {
    pub(crate) fn of(record: Record<'a>) -> Result<Self, Refusal> {
        let payload = record.payload();
        if payload.len() < LEAST {
            return Err(Refusal::Size);
        }
        let (hints, sealed) = payload.split_at(HINTS_LEN);
        let (server_hint, client_hint) = hints.split_at(HINT_LEN);
        Ok(Self {
            server_hint,
            client_hint,
            sealed,
        })
    }
}

impl Labels {
    /// The hint for a server, which it can look for before it knows of which client.
    pub(crate) fn server_hint(&self, server: &PublicKey, binding: &Binding) -> Hint {
        let binding = binding.as_bytes();
        Hint::of(&[self.server_hint, &[0; 32], server.as_bytes(), binding])
    }

    /// The hint for a client, or of one.
    pub(crate) fn client_hint(&self, pair: &Pair, binding: &Binding) -> Hint {
        let (client, server) = (pair.client.as_bytes(), pair.server.as_bytes());
        Hint::of(&[self.client_hint, client, server, binding.as_bytes()])
    }
}

/// One between two peers, at a moment of a link.
pub(crate) struct Capsule<'a> {
    labels: &'a Labels,
    cipher: Cipher,
    hints: [u8; HINTS_LEN],
    binding: &'a Binding,
}

impl<'a> Capsule<'a> {
    /// Sealed with what the peers agree on; an accept also with the payload of the record that it
    /// answers.
    pub(crate) fn new(
        labels: &'a Labels,
        pair: &Pair,
        binding: &'a Binding,
        agreed: &[u8],
        answers: &[u8],
    ) -> Self {
        let mut hints = [0; HINTS_LEN];
        let (server, client) = hints.split_at_mut(HINT_LEN);
        server.copy_from_slice(&labels.server_hint(&pair.server, binding).0);
        client.copy_from_slice(&labels.client_hint(pair, binding).0);
        let info = [
            labels.aead,
            pair.client.as_bytes(),
            pair.server.as_bytes(),
            binding.as_bytes(),
            &hints,
            answers,
        ];
        Self {
            cipher: Cipher::of(&derive(agreed, binding.as_bytes(), &info)),
            labels,
            hints,
            binding,
        }
    }

    fn aad(&self) -> Vec<u8> {
        [self.labels.capsule, &self.hints, self.binding.as_bytes()].concat()
    }

    /// The whole record; nothing where the payload is too long for one.
    pub(crate) fn seal(&self, content: &Content) -> Option<Vec<u8>> {
        let length = u16::try_from(content.payload.len()).ok()?;
        let mut record = vec![APPLICATION_DATA, 3, 3, 0, 0];
        record.extend(self.hints);
        record.extend(VERSION.to_be_bytes());
        record.extend(content.capabilities.to_be_bytes());
        record.extend(content.ephemeral.as_bytes());
        record.extend(length.to_be_bytes());
        record.extend(&content.payload);
        let text = &mut record[HEADER_LEN + HINTS_LEN..];
        let tag = self.cipher.seal(0, &self.aad(), text);
        record.extend(tag);
        let length = record.len() - HEADER_LEN;
        if length > crate::MAX_PAYLOAD {
            return None;
        }
        let length = u16::try_from(length).ok()?;
        record[3..HEADER_LEN].copy_from_slice(&length.to_be_bytes());
        Some(record)
    }

    /// What is in one, whose hints have been looked at.
    pub(crate) fn open(&self, offered: &Offered<'_>, most: usize) -> Result<Content, Refusal> {
        let mut sealed = offered.sealed.to_vec();
        let text = self.cipher.open(0, &self.aad(), &mut sealed);
        let text = &*text.map_err(|_| Refusal::Forged)?;
        let (head, payload) = text.split_at_checked(HEAD_LEN).ok_or(Refusal::Size)?;
        let number = |at: usize| u16::from_be_bytes([head[at], head[at + 1]]);
        if usize::from(number(HEAD_LEN - 2)) != payload.len() {
            return Err(Refusal::Size);
        }
        if number(0) != VERSION {
            return Err(Refusal::Version);
        }
        if payload.len() > most {
            return Err(Refusal::PayloadTooLong);
        }
        let ephemeral = head[4..36].try_into().expect("32 bytes");
        Ok(Content {
            capabilities: number(2),
            ephemeral: PublicKey::from_bytes(ephemeral),
            payload: payload.to_vec(),
        })
    }
}
