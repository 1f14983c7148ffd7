//! The IPv6 addresses of a client: an extension, see [`crate::extension::IPV6_LEASE`].

use std::net::Ipv6Addr;

use super::{InvalidMessage, MESSAGE_VERSION};

const TYPE: u8 = 4;

/// What a server gives a client beside its [`Lease`](super::Lease), behind which it stands in the
/// payload of the accept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeaseV6 {
    /// The client's address.
    pub client: Ipv6Addr,
    /// The server's.
    pub server: Ipv6Addr,
    /// The prefix of the network that both are in.
    pub prefix_len: u8,
}

impl LeaseV6 {
    /// Its length.
    pub const LEN: usize = 35;

    /// As bytes.
    pub fn to_bytes(self) -> [u8; Self::LEN] {
        let mut bytes = [0; Self::LEN];
        bytes[..3].copy_from_slice(&[TYPE, MESSAGE_VERSION, self.prefix_len]);
        bytes[3..19].copy_from_slice(&self.client.octets());
        bytes[19..].copy_from_slice(&self.server.octets());
        bytes
    }

    /// Of bytes.
    pub fn read(bytes: &[u8]) -> Result<Self, InvalidMessage> {
        let bytes: &[u8; Self::LEN] = bytes.try_into().map_err(|_| InvalidMessage::Payload)?;
        let [kind, version, prefix_len, addresses @ ..] = bytes;
        if *kind != TYPE {
            return Err(InvalidMessage::Payload);
        }
        if *version != MESSAGE_VERSION {
            return Err(InvalidMessage::Version);
        }
        let (client, server) = addresses.split_at(16);
        let address = |bytes: &[u8]| {
            let bytes: [u8; 16] = bytes.try_into().expect("16 bytes");
            Ipv6Addr::from(bytes)
        };
        let lease = Self {
            client: address(client),
            server: address(server),
            prefix_len: *prefix_len,
        };
        lease
            .is_sound()
            .then_some(lease)
            .ok_or(InvalidMessage::Payload)
    }

    /// Two addresses of hosts, in one network.
    fn is_sound(&self) -> bool {
        let host = |it: Ipv6Addr| !it.is_unspecified() && !it.is_multicast() && !it.is_loopback();
        let shift = 128_u32.saturating_sub(self.prefix_len.into());
        let network = |it: Ipv6Addr| it.to_bits() >> shift;
        (1..=127).contains(&self.prefix_len)
            && self.client != self.server
            && host(self.client)
            && host(self.server)
            && network(self.client) == network(self.server)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lease() -> LeaseV6 {
        LeaseV6 {
            client: "fd66::2".parse().unwrap(),
            server: "fd66::1".parse().unwrap(),
            prefix_len: 64,
        }
    }

    #[test]
    fn it_is_read_as_it_was_written() {
        assert_eq!(LeaseV6::read(&lease().to_bytes()), Ok(lease()));
    }

    #[test]
    fn nothing_else_is_read() {
        let changed = |place: usize, value: u8| {
            let mut bytes = lease().to_bytes();
            bytes[place] = value;
            LeaseV6::read(&bytes)
        };
        assert_eq!(changed(0, 1), Err(InvalidMessage::Payload));
        assert_eq!(changed(1, 2), Err(InvalidMessage::Version));
        for (place, value, what) in [
            (2, 0, "no prefix"),
            (2, 128, "a network of one"),
            (3, 0xff, "a group"),
            (4, 0, "another network"),
            (18, 1, "the server's address"),
        ] {
            assert_eq!(
                changed(place, value),
                Err(InvalidMessage::Payload),
                "{what}"
            );
        }
        assert_eq!(LeaseV6::read(&[]), Err(InvalidMessage::Payload));
        assert_eq!(LeaseV6::read(&[4; 36]), Err(InvalidMessage::Payload));
    }
}
