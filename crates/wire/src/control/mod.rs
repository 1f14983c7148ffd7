//! Messages about the session itself. The first byte says which, the second in which version.

mod instance;
mod lease;
mod lease_v6;
mod snapshot;

pub use instance::ClientInstance;
pub use lease::Lease;
pub use lease_v6::LeaseV6;
pub use snapshot::{DirectionShape, Distribution, ShaperSnapshot, UnencodableSnapshot};

/// A message that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidMessage {
    /// Its length, its type or a value is wrong.
    #[error("a control message with a wrong length, type or value")]
    Payload,
    /// It has another version.
    #[error("a control message of another version")]
    Version,
    /// It is about addresses of another family.
    #[error("a lease of another address family")]
    Family,
}

/// The version of each message.
const MESSAGE_VERSION: u8 = 1;
