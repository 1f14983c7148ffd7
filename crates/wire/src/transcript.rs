//! What has gone by in one direction.

use crate::crypto::sha256;
use crate::{APPLICATION_DATA, Direction, PublicKey, Record};

/// A chain over all records of one direction, ours among them: how many, how many bytes, and a hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transcript {
    direction: Direction,
    index: u64,
    bytes: u64,
    hash: [u8; 32],
    has_application_data: bool,
}

/// The name of the profile that both sides have been given: at most 65 535 bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProfileId(Box<[u8]>);

/// Its length has two bytes on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a profile id has at most 65535 bytes")]
pub struct ProfileIdTooLong;

impl ProfileId {
    /// Of a text.
    pub fn new(text: &str) -> Result<Self, ProfileIdTooLong> {
        match u16::try_from(text.len()) {
            Ok(_) => Ok(Self(text.as_bytes().into())),
            Err(_) => Err(ProfileIdTooLong),
        }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Its length and itself.
    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        let length = u16::try_from(self.0.len()).expect("checked");
        out.extend(length.to_be_bytes());
        out.extend(&self.0);
    }
}

impl Transcript {
    /// Before the first record.
    pub fn new(server: &PublicKey, profile: &ProfileId, direction: Direction) -> Self {
        let version = crate::VERSION.to_be_bytes();
        let hash = sha256(&[
            b"fps/zero-rtt/transcript/v5",
            server.as_bytes(),
            profile.as_bytes(),
            &version,
            &[direction.byte()],
        ]);
        Self::at(direction, 0, 0, hash)
    }

    /// Somewhere on the way: for tests, and for tools that look at recorded sessions.
    pub fn at(direction: Direction, index: u64, bytes: u64, hash: [u8; 32]) -> Self {
        Self {
            direction,
            index,
            bytes,
            hash,
            has_application_data: false,
        }
    }

    /// Counts a record, with its header.
    pub fn count(&mut self, record: Record<'_>) {
        let bytes = record.as_bytes();
        self.hash = sha256(&[b"fps/zero-rtt/transcript-step/v5", &self.hash, bytes]);
        self.index += 1;
        self.bytes += bytes.len() as u64;
        self.has_application_data |= record.content_type() == APPLICATION_DATA;
    }

    /// Which way its records go.
    pub fn direction(&self) -> Direction {
        self.direction
    }

    /// How many records there were.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// How many bytes they had.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The hash.
    pub fn hash(&self) -> &[u8; 32] {
        &self.hash
    }

    /// Whether one of them was of the type of application data.
    pub(crate) fn has_application_data(&self) -> bool {
        self.has_application_data
    }

    /// Index, byte count and hash.
    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        out.extend(self.index.to_be_bytes());
        out.extend(self.bytes.to_be_bytes());
        out.extend(self.hash);
    }
}
