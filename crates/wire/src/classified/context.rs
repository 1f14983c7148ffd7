//! What a record is bound to: both peers, its sequence, and the transcript before it.

use crate::hint::Hint;
use crate::{Pair, ProfileId, Transcript};

const SERVER_HINT: &[u8] = b"fps/classified-record/server-hint/v5";
const CLIENT_HINT: &[u8] = b"fps/classified-record/client-hint/v5";
const AEAD: &[u8] = b"fps/classified-record/aead/v5";

/// The same bytes behind each label but for the client's key, kept from record to record.
#[derive(Debug)]
pub(super) struct Context {
    pair: Pair,
    profile: Vec<u8>,
    /// Sequence and transcript of the record at hand.
    moment: Vec<u8>,
    aad: Vec<u8>,
}

impl Context {
    pub(super) fn new(pair: Pair, profile: &ProfileId) -> Self {
        let mut text = Vec::new();
        profile.put(&mut text);
        Self {
            pair,
            profile: text,
            moment: Vec::new(),
            aad: Vec::new(),
        }
    }

    /// Turns to a record.
    pub(super) fn turn_to(&mut self, sequence: u64, before: &Transcript) {
        self.moment.clear();
        self.moment.extend(sequence.to_be_bytes());
        self.moment.push(before.direction().byte());
        before.put(&mut self.moment);
        self.moment.extend(&self.profile);
    }

    pub(super) fn server_hint(&self) -> Hint {
        let server = self.pair.server.as_bytes();
        Hint::of(&[SERVER_HINT, &[0; 32], server, &self.moment])
    }

    pub(super) fn client_hint(&self) -> Hint {
        let (client, server) = (self.pair.client.as_bytes(), self.pair.server.as_bytes());
        Hint::of(&[CLIENT_HINT, client, server, &self.moment])
    }

    /// What is authenticated and not sealed; `length` is that of the record's payload.
    pub(super) fn aad(&mut self, hints: &[u8], length: usize) -> &[u8] {
        let length = u32::try_from(length).expect("a record is short");
        self.aad.clear();
        self.aad.extend(AEAD);
        self.aad.extend(self.pair.client.as_bytes());
        self.aad.extend(self.pair.server.as_bytes());
        self.aad.extend(&self.moment);
        self.aad.extend(hints);
        self.aad.extend(length.to_be_bytes());
        &self.aad
    }
}
