//! What a record is bound to: both peers, its sequence, and the transcript before it.

use std::fmt;

use zeroize::Zeroizing;

use crate::crypto::sha256;
use crate::hint::{HINT_LEN, Hint};
use crate::{Pair, ProfileId, Transcript};

const SERVER_HINT: &[u8] = b"fps/classified-record/server-hint/v5";
const CLIENT_HINT: &[u8] = b"fps/classified-record/client-hint/v5";
const AEAD: &[u8] = b"fps/classified-record/aead/v5";

const MARK: &[u8] = b"fps/extension/mark/v1";
const EXTENSION_AEAD: &[u8] = b"fps/extension/aead/v1";

/// The same bytes behind each label but for the client's key, kept from record to record.
pub(super) struct Context {
    pair: Pair,
    profile: Vec<u8>,
    /// What the hints are made of with the extension.
    mark: Option<Zeroizing<[u8; 32]>>,
    /// Both hints of the record at hand, with the extension.
    hints: [u8; 32],
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
            mark: None,
            hints: [0; 32],
            moment: Vec::new(),
            aad: Vec::new(),
        }
    }

    pub(super) fn extended(pair: Pair, profile: &ProfileId, mark: Zeroizing<[u8; 32]>) -> Self {
        Self {
            mark: Some(mark),
            ..Self::new(pair, profile)
        }
    }

    /// Whether records are no step of the transcript.
    pub(super) fn is_extended(&self) -> bool {
        self.mark.is_some()
    }

    /// Turns to a record.
    pub(super) fn turn_to(&mut self, sequence: u64, before: &Transcript) {
        self.moment.clear();
        self.moment.extend(sequence.to_be_bytes());
        self.moment.push(before.direction().byte());
        before.put(&mut self.moment);
        self.moment.extend(&self.profile);
        if let Some(mark) = &self.mark {
            self.hints = sha256(&[MARK, &**mark, &self.moment]);
        }
    }

    pub(super) fn server_hint(&self) -> Hint {
        if self.mark.is_some() {
            return Hint::first(&self.hints);
        }
        let server = self.pair.server.as_bytes();
        Hint::of(&[SERVER_HINT, &[0; 32], server, &self.moment])
    }

    pub(super) fn client_hint(&self) -> Hint {
        if self.mark.is_some() {
            return Hint::first(&self.hints[HINT_LEN..]);
        }
        let (client, server) = (self.pair.client.as_bytes(), self.pair.server.as_bytes());
        Hint::of(&[CLIENT_HINT, client, server, &self.moment])
    }

    /// What is authenticated and not sealed; `length` is that of the record's payload.
    pub(super) fn aad(&mut self, hints: &[u8], length: usize) -> &[u8] {
        let length = u32::try_from(length).expect("a record is short");
        self.aad.clear();
        let label = self.mark.as_ref().map_or(AEAD, |_| EXTENSION_AEAD);
        self.aad.extend(label);
        self.aad.extend(self.pair.client.as_bytes());
        self.aad.extend(self.pair.server.as_bytes());
        self.aad.extend(&self.moment);
        self.aad.extend(hints);
        self.aad.extend(length.to_be_bytes());
        &self.aad
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("extended", &self.mark.is_some())
            .finish_non_exhaustive()
    }
}
