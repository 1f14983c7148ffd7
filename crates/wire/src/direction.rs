//! Which way.

/// Which way records go on the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the client to the server.
    ToServer,
    /// From the server to the client.
    ToClient,
}

impl Direction {
    /// Both.
    pub const BOTH: [Self; 2] = [Self::ToServer, Self::ToClient];

    /// Its byte on the wire.
    pub(crate) fn byte(self) -> u8 {
        match self {
            Self::ToServer => 0,
            Self::ToClient => 1,
        }
    }
}
