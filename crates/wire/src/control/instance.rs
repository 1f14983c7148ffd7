//! Which process of a client speaks.

use std::fmt;

use super::{InvalidMessage, MESSAGE_VERSION};

const TYPE: u8 = 2;
const LEN: usize = 18;

/// Random bytes that a process draws when it starts: by them a server tells a second carrier from a
/// second process with the same identity. They are not shown.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClientInstance(pub [u8; 16]);

impl ClientInstance {
    /// As bytes: the payload of the auth.
    pub fn to_bytes(self) -> [u8; LEN] {
        let mut bytes = [0; LEN];
        bytes[..2].copy_from_slice(&[TYPE, MESSAGE_VERSION]);
        bytes[2..].copy_from_slice(&self.0);
        bytes
    }

    /// Reads one.
    pub fn read(bytes: &[u8]) -> Result<Self, InvalidMessage> {
        let bytes: &[u8; LEN] = bytes.try_into().map_err(|_| InvalidMessage::Payload)?;
        match bytes {
            [TYPE, MESSAGE_VERSION, id @ ..] => Ok(Self(*id)),
            [TYPE, ..] => Err(InvalidMessage::Version),
            _ => Err(InvalidMessage::Payload),
        }
    }
}

impl fmt::Debug for ClientInstance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientInstance(hidden)")
    }
}
