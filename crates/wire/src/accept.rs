//! The server's answer, with which both have the keys of the session.

use std::fmt;

use zeroize::Zeroizing;

use crate::auth::{Auth, Client, PayloadTooLong, Sent, Server};
use crate::capsule::{ACCEPT, Capsule, Content, Offered};
use crate::record::HEADER_LEN;
use crate::session_keys::Circumstances;
use crate::{Binding, Pair, PrivateKey, Record, Refusal, SessionKeys};

/// Why there is no accept for an auth that was taken. The session cannot go on then: the client has
/// stopped sending and waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoAccept {
    /// The client's ephemeral key agrees on zeros with every key.
    #[error("the client's ephemeral key is of low order")]
    LowOrderKey,
    /// The payload is too long.
    #[error(transparent)]
    PayloadTooLong(#[from] PayloadTooLong),
}

/// What a client has of an accept.
pub struct Accept {
    /// What the server can do beyond this wire.
    pub capabilities: u16,
    /// Its payload.
    pub payload: Vec<u8>,
    /// The keys of the session.
    pub keys: SessionKeys,
}

fn both(one: &[u8; 32], other: &[u8; 32]) -> Zeroizing<[u8; 64]> {
    let mut agreed = Zeroizing::new([0; 64]);
    agreed[..32].copy_from_slice(one);
    agreed[32..].copy_from_slice(other);
    agreed
}

impl Server {
    /// Whether an auth can be answered: not where its ephemeral key is of low order.
    pub fn can_answer(&self, auth: &Auth) -> bool {
        self.private.agree(&auth.ephemeral).is_some()
    }

    /// Answers an auth, as a whole record: at a moment when the auth is counted already, and perhaps
    /// more of the server's direction.
    pub fn accept(
        &self,
        auth: &Auth,
        binding: &Binding,
        ephemeral: &PrivateKey,
        capabilities: u16,
        payload: &[u8],
        most: usize,
    ) -> Result<(Vec<u8>, SessionKeys), NoAccept> {
        let length = payload.len();
        let too_long = PayloadTooLong { length, most };
        if length > most {
            return Err(too_long.into());
        }
        let (client, server) = (auth.client, self.public);
        let pair = Pair { client, server };
        let low_order = NoAccept::LowOrderKey;
        let es = self.private.agree(&auth.ephemeral).ok_or(low_order)?;
        let se = ephemeral.agree(&client).ok_or(low_order)?;
        let ee = ephemeral.agree(&auth.ephemeral).ok_or(low_order)?;
        let agreed = both(&auth.shared, &es);
        let capsule = Capsule::new(&ACCEPT, &pair, binding, &*agreed, &auth.wire);
        let server_ephemeral = ephemeral.public();
        let content = Content {
            capabilities,
            ephemeral: server_ephemeral,
            payload: payload.to_vec(),
        };
        let record = capsule.seal(&content).ok_or(too_long)?;
        let circumstances = Circumstances {
            pair,
            binding,
            client_ephemeral: auth.ephemeral,
            server_ephemeral,
            auth: &auth.wire,
            accept: &record[HEADER_LEN..],
        };
        let keys = SessionKeys::of([&auth.shared, &es, &se, &ee], &circumstances);
        Ok((record, keys))
    }
}

impl Client {
    /// Takes a record of the server's direction for the accept, if it is that.
    pub fn open_accept(
        &self,
        sent: &Sent,
        binding: &Binding,
        record: Record<'_>,
        most: usize,
    ) -> Result<Accept, Refusal> {
        let offered = Offered::of(record)?;
        let pair = self.pair;
        if !ACCEPT
            .server_hint(&pair.server, binding)
            .is(offered.server_hint)
        {
            return Err(Refusal::NotForUs);
        }
        if !ACCEPT.client_hint(&pair, binding).is(offered.client_hint) {
            return Err(Refusal::UnknownClient);
        }
        let low_order = Refusal::LowOrderKey;
        let es = sent.ephemeral.agree(&pair.server).ok_or(low_order)?;
        let agreed = both(&self.shared, &es);
        let capsule = Capsule::new(&ACCEPT, &pair, binding, &*agreed, &sent.wire);
        let content = capsule.open(&offered, most)?;
        let se = self.private.agree(&content.ephemeral).ok_or(low_order)?;
        let ee = sent.ephemeral.agree(&content.ephemeral).ok_or(low_order)?;
        let circumstances = Circumstances {
            pair,
            binding,
            client_ephemeral: sent.ephemeral.public(),
            server_ephemeral: content.ephemeral,
            auth: &sent.wire,
            accept: record.payload(),
        };
        let keys = SessionKeys::of([&self.shared, &es, &se, &ee], &circumstances);
        Ok(Accept {
            capabilities: content.capabilities,
            payload: content.payload,
            keys,
        })
    }
}

impl fmt::Debug for Accept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accept")
            .field("capabilities", &self.capabilities)
            .finish_non_exhaustive()
    }
}
