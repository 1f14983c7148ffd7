//! The addresses of a client.

use std::net::Ipv4Addr;

use super::{InvalidMessage, MESSAGE_VERSION};

const TYPE: u8 = 1;
const LEN: usize = 18;
/// IPv4.
const FAMILY: u8 = 4;

/// What a server gives a client: the payload of the accept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The client's address.
    pub client: Ipv4Addr,
    /// The server's.
    pub server: Ipv4Addr,
    /// The network that both are in.
    pub network: Ipv4Addr,
    /// Its prefix length, from 2 to 30.
    pub prefix_len: u8,
    /// The MTU of the client's device; not 0.
    pub mtu: u16,
}

impl Lease {
    /// As bytes.
    pub fn to_bytes(self) -> [u8; LEN] {
        let mut bytes = [0; LEN];
        bytes[..4].copy_from_slice(&[TYPE, MESSAGE_VERSION, FAMILY, self.prefix_len]);
        bytes[4..8].copy_from_slice(&self.client.octets());
        bytes[8..12].copy_from_slice(&self.server.octets());
        bytes[12..16].copy_from_slice(&self.network.octets());
        bytes[16..].copy_from_slice(&self.mtu.to_be_bytes());
        bytes
    }

    /// Reads one. Whether its addresses are in its network is not looked at.
    pub fn read(bytes: &[u8]) -> Result<Self, InvalidMessage> {
        let bytes: &[u8; LEN] = bytes.try_into().map_err(|_| InvalidMessage::Payload)?;
        let prefix_len = match bytes {
            [TYPE, MESSAGE_VERSION, FAMILY, prefix_len, ..] => *prefix_len,
            [TYPE, MESSAGE_VERSION, ..] => return Err(InvalidMessage::Family),
            [TYPE, ..] => return Err(InvalidMessage::Version),
            _ => return Err(InvalidMessage::Payload),
        };
        let address = |at: usize| {
            let octets: [u8; 4] = bytes[at..at + 4].try_into().expect("4 bytes");
            Ipv4Addr::from(octets)
        };
        let mtu = u16::from_be_bytes([bytes[16], bytes[17]]);
        if !(2..=30).contains(&prefix_len) || mtu == 0 {
            return Err(InvalidMessage::Payload);
        }
        Ok(Self {
            client: address(4),
            server: address(8),
            network: address(12),
            prefix_len,
            mtu,
        })
    }
}
