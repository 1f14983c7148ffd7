//! Both directions of a link.

use crate::{Direction, ProfileId, PublicKey, Record, Transcript};

/// The transcripts of both directions.
#[derive(Clone, Debug)]
pub struct Link {
    profile: ProfileId,
    to_server: Transcript,
    to_client: Transcript,
    /// So many records each way there have to be before anything of ours is among them.
    least_records: u64,
}

/// What has gone by both ways, as the handshake is bound to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding(Vec<u8>);

impl Binding {
    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl Link {
    /// Before the first record.
    pub fn new(server: &PublicKey, profile: ProfileId, least_records: u64) -> Self {
        let of = |direction| Transcript::new(server, &profile, direction);
        Self {
            to_server: of(Direction::ToServer),
            to_client: of(Direction::ToClient),
            profile,
            least_records,
        }
    }

    /// One direction.
    pub fn transcript(&self, direction: Direction) -> &Transcript {
        match direction {
            Direction::ToServer => &self.to_server,
            Direction::ToClient => &self.to_client,
        }
    }

    /// Counts a record.
    pub fn count(&mut self, direction: Direction, record: Record<'_>) {
        match direction {
            Direction::ToServer => self.to_server.count(record),
            Direction::ToClient => self.to_client.count(record),
        }
    }

    /// The profile that both sides have.
    pub fn profile(&self) -> &ProfileId {
        &self.profile
    }

    /// The binding of this moment; none before application data has gone both ways, and as many
    /// records as there have to be.
    pub fn binding(&self) -> Option<Binding> {
        self.binding_with(&self.to_client)
    }

    /// The binding as it was, or will be, with another state of the server's direction.
    pub fn binding_with(&self, to_client: &Transcript) -> Option<Binding> {
        let both = [&self.to_server, to_client];
        let ready = |transcript: &&Transcript| {
            transcript.has_application_data() && transcript.index() >= self.least_records
        };
        if !both.iter().all(ready) {
            return None;
        }
        let mut bytes = Vec::with_capacity(98 + self.profile.as_bytes().len());
        both.iter().for_each(|it| it.put(&mut bytes));
        self.profile.put(&mut bytes);
        Some(Binding(bytes))
    }
}
