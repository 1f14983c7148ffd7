//! The client's first record: it proves who it is, to the one server that can read it.

use std::fmt;

use subtle::{Choice, ConditionallySelectable};

use crate::capsule::{AUTH, Capsule, Content, Offered};
use crate::key::Shared;
use crate::record::HEADER_LEN;
use crate::{Binding, Pair, PrivateKey, PublicKey, Record, Refusal};

/// A client, and the server that it speaks to.
#[derive(Debug)]
pub struct Client {
    pub(crate) private: PrivateKey,
    pub(crate) pair: Pair,
    pub(crate) shared: Shared,
}

/// The server's key agrees on zeros with every other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the server's public key is of low order: no key is safe with it")]
pub struct LowOrderServerKey;

/// What a client keeps until the accept.
pub struct Sent {
    pub(crate) ephemeral: PrivateKey,
    /// The record's payload, which the accept answers.
    pub(crate) wire: Vec<u8>,
}

/// The payload is longer than the other side takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a payload of {length} bytes, where {most} are allowed (max_padding_size)")]
pub struct PayloadTooLong {
    /// How long it is.
    pub length: usize,
    /// How long it may be.
    pub most: usize,
}

/// A server.
#[derive(Debug)]
pub struct Server {
    pub(crate) private: PrivateKey,
    pub(crate) public: PublicKey,
}

/// The clients that a server knows.
#[derive(Clone, Debug)]
pub struct AllowList(Vec<PublicKey>);

/// The same client twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("client {} of the allow list is there already", .0 + 1)]
pub struct DuplicateClient(pub usize);

/// What a server has of an auth.
pub struct Auth {
    /// Who it is.
    pub client: PublicKey,
    /// What it can do beyond this wire.
    pub capabilities: u16,
    /// Its payload.
    pub payload: Vec<u8>,
    pub(crate) ephemeral: PublicKey,
    pub(crate) shared: Shared,
    /// The record's payload, which the accept answers.
    pub(crate) wire: Vec<u8>,
}

impl Client {
    /// A client by its private key, and the server's public one.
    pub fn new(private: PrivateKey, server: PublicKey) -> Result<Self, LowOrderServerKey> {
        let shared = private.agree(&server).ok_or(LowOrderServerKey)?;
        let client = private.public();
        Ok(Self {
            private,
            pair: Pair { client, server },
            shared,
        })
    }

    /// The two keys.
    pub fn pair(&self) -> Pair {
        self.pair
    }

    /// Makes an auth for this moment, as a whole record. The ephemeral key is for this one alone;
    /// `most` is how long a payload the server takes.
    pub fn auth(
        &self,
        binding: &Binding,
        ephemeral: PrivateKey,
        capabilities: u16,
        payload: &[u8],
        most: usize,
    ) -> Result<(Vec<u8>, Sent), PayloadTooLong> {
        let length = payload.len();
        let too_long = PayloadTooLong { length, most };
        if length > most {
            return Err(too_long);
        }
        let content = Content {
            capabilities,
            ephemeral: ephemeral.public(),
            payload: payload.to_vec(),
        };
        let capsule = Capsule::new(&AUTH, &self.pair, binding, &*self.shared, &[]);
        let record = capsule.seal(&content).ok_or(too_long)?;
        let wire = record[HEADER_LEN..].to_vec();
        Ok((record, Sent { ephemeral, wire }))
    }
}

impl AllowList {
    /// Of the clients' public keys.
    pub fn new(clients: Vec<PublicKey>) -> Result<Self, DuplicateClient> {
        let mut seen = std::collections::BTreeSet::new();
        match clients.iter().position(|client| !seen.insert(*client)) {
            Some(at) => Err(DuplicateClient(at)),
            None => Ok(Self(clients)),
        }
    }

    /// The client whose hint this is. All are looked at, whichever it is.
    fn find(&self, server: PublicKey, binding: &Binding, hint: &[u8]) -> Option<PublicKey> {
        let (mut at, mut found) = (0, Choice::from(0));
        for (place, &client) in (0_u64..).zip(&self.0) {
            let pair = Pair { client, server };
            let same = AUTH.client_hint(&pair, binding).equals(hint);
            at.conditional_assign(&place, same);
            found |= same;
        }
        let at = usize::try_from(at).ok()?;
        bool::from(found).then(|| self.0[at])
    }
}

impl Server {
    /// A server by its private key.
    pub fn new(private: PrivateKey) -> Self {
        Self {
            public: private.public(),
            private,
        }
    }

    /// Its public key.
    pub fn public(&self) -> PublicKey {
        self.public
    }

    /// Takes a record of the client's direction for an auth, if it is one for this moment.
    pub fn open_auth(
        &self,
        allowed: &AllowList,
        binding: &Binding,
        record: Record<'_>,
        most: usize,
    ) -> Result<Auth, Refusal> {
        let offered = Offered::of(record)?;
        if !AUTH
            .server_hint(&self.public, binding)
            .is(offered.server_hint)
        {
            return Err(Refusal::NotForUs);
        }
        let server = self.public;
        let client = allowed.find(server, binding, offered.client_hint);
        let client = client.ok_or(Refusal::UnknownClient)?;
        let shared = self.private.agree(&client).ok_or(Refusal::LowOrderKey)?;
        let pair = Pair { client, server };
        let capsule = Capsule::new(&AUTH, &pair, binding, &*shared, &[]);
        let Content {
            capabilities,
            ephemeral,
            payload,
        } = capsule.open(&offered, most)?;
        Ok(Auth {
            client,
            capabilities,
            payload,
            ephemeral,
            shared,
            wire: record.payload().to_vec(),
        })
    }
}

impl fmt::Debug for Sent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sent(hidden)")
    }
}

impl fmt::Debug for Auth {
    /// Without the payload, which the client has sealed for the server alone.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Auth")
            .field("client", &self.client)
            .field("capabilities", &self.capabilities)
            .finish_non_exhaustive()
    }
}
