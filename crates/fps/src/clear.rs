//! Our messages inside the records, **in the clear**.
//!
//! This is the placeholder for wire version 5: no secrecy, no authenticity, no protection against
//! replay, and a fixed mark that anyone on the path can find. A client proves nothing; it names its
//! UUID. The shape is the real one all the same: every message is one TLS record of type 23,
//! version 3.3, and its payload is `magic[8] || kind u8 || body`.

use crate::identity::{ClientUuid, InstanceId};
use crate::record::{APPLICATION_DATA, MAX_PAYLOAD};

/// Ciphertext of an application starts with these eight bytes once in 2^64 records.
const MAGIC: [u8; 8] = [0xf5, 0x1c, 0x9e, 0x37, 0x00, 0xc1, 0xea, 0x52];
const HELLO: u8 = 1;
const ACCEPT: u8 = 2;
const PACKET: u8 = 3;
/// The longest IP packet that one record holds.
pub const MAX_PACKET: usize = MAX_PAYLOAD - MAGIC.len() - 1;

/// One message of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message<'a> {
    /// Client to server: make this connection a carrier of mine.
    Hello {
        /// Who asks.
        client: ClientUuid,
        /// Which process of that client.
        instance: InstanceId,
    },
    /// Server to client: packets may flow from here on.
    Accept,
    /// One IP packet, in either direction.
    Packet(&'a [u8]),
}

/// A packet does not fit into a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot encode a packet of {0} bytes: a record holds {MAX_PACKET}; lower the TUN's MTU")]
pub struct PacketTooLarge(pub usize);

impl<'a> Message<'a> {
    /// Reads a record's payload; `None` means that it is the application's.
    pub fn decode(payload: &'a [u8]) -> Option<Self> {
        let (&kind, body) = payload.strip_prefix(&MAGIC)?.split_first()?;
        match kind {
            HELLO => {
                let (client, instance) = body.split_first_chunk::<16>()?;
                Some(Self::Hello {
                    client: ClientUuid::from_bytes(*client),
                    instance: InstanceId(instance.try_into().ok()?),
                })
            }
            ACCEPT if body.is_empty() => Some(Self::Accept),
            PACKET => Some(Self::Packet(body)),
            _ => None,
        }
    }

    /// Appends the message as a whole record.
    pub fn encode(self, out: &mut Vec<u8>) -> Result<(), PacketTooLarge> {
        match self {
            Self::Hello { client, instance } => {
                put(out, HELLO, &[client.as_bytes(), instance.0.as_slice()])
            }
            Self::Accept => put(out, ACCEPT, &[]),
            Self::Packet(packet) => put(out, PACKET, &[packet]),
        }
    }
}

fn put(out: &mut Vec<u8>, kind: u8, parts: &[&[u8]]) -> Result<(), PacketTooLarge> {
    let body: usize = parts.iter().map(|part| part.len()).sum();
    if body > MAX_PACKET {
        return Err(PacketTooLarge(body));
    }
    let length = u16::try_from(MAGIC.len() + 1 + body).map_err(|_| PacketTooLarge(body))?;
    out.extend_from_slice(&[APPLICATION_DATA, 3, 3]);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(&MAGIC);
    out.push(kind);
    for part in parts {
        out.extend_from_slice(part);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::RecordParser;

    fn hello() -> Message<'static> {
        Message::Hello {
            client: ClientUuid::from_bytes([0x42; 16]),
            instance: InstanceId([7; 16]),
        }
    }

    fn payload(message: Message<'_>) -> Vec<u8> {
        let mut wire = Vec::new();
        message.encode(&mut wire).expect("small message");
        let mut parser = RecordParser::default();
        parser.feed(&wire);
        let record = parser.next_record().expect("one whole record");
        assert_eq!(record.as_bytes()[..3], [23, 3, 3]);
        record.payload().to_vec()
    }

    #[test]
    fn reads_back_what_it_wrote() {
        for message in [hello(), Message::Accept, Message::Packet(&[0x45; 60])] {
            assert_eq!(Message::decode(&payload(message)), Some(message));
        }
    }

    #[test]
    fn anything_else_is_the_applications() {
        let hello = payload(hello());
        let mut other_kind = hello.clone();
        other_kind[8] = 9;
        for bytes in [
            &b""[..],
            &MAGIC,
            b"application",
            &hello[1..],
            &hello[..40],
            &other_kind,
        ] {
            assert_eq!(Message::decode(bytes), None, "{bytes:02x?}");
        }
        let longer = [hello, vec![0]].concat();
        assert_eq!(Message::decode(&longer), None);
    }

    #[test]
    fn refuses_a_packet_that_no_record_holds() {
        let mut wire = Vec::new();
        assert_eq!(
            Message::Packet(&vec![0; MAX_PACKET]).encode(&mut wire),
            Ok(())
        );
        wire.clear();
        let error = Message::Packet(&vec![0; MAX_PACKET + 1]).encode(&mut wire);
        assert_eq!(error, Err(PacketTooLarge(MAX_PACKET + 1)));
        assert!(wire.is_empty());
    }
}
