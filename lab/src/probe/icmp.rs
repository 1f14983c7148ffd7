//! ICMP and ICMPv6 echo (RFC 792, RFC 4443 section 4).

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket as StdUdpSocket};

use fps_packet::Nonce;
use socket2::Socket;
use tokio::net::UdpSocket;

use super::ProbeError;
use super::bound::{hear_icmp_errors, keep_whole, source};
use crate::sandbox::{HostId, Sandbox, SocketKind};
use crate::scenario::Probe;

/// The length of an echo header: type, code, checksum, identifier, sequence number.
const HEADER: usize = 8;

/// Where a probe's nonce ends in its payload.
const NONCE_END: usize = 24;

/// A raw socket, which reads and writes as a datagram socket does.
#[derive(Debug)]
pub(super) struct Asker {
    socket: UdpSocket,
    target: IpAddr,
}

impl Asker {
    pub(super) fn open(
        sandbox: &Sandbox,
        host: HostId,
        probe: &Probe<IpAddr>,
    ) -> Result<Self, ProbeError> {
        let target = probe.address;
        let kind = if target.is_ipv4() {
            SocketKind::IcmpV4
        } else {
            SocketKind::IcmpV6
        };
        let socket = Socket::from(sandbox.socket_of(host, kind, &probe.sender)?);
        let prepare = || {
            socket.set_nonblocking(true)?;
            if probe.load.whole {
                keep_whole(&socket, target)?;
            }
            socket.bind(&SocketAddr::new(source(probe), 0).into())
        };
        prepare().map_err(ProbeError::Socket)?;
        let socket = UdpSocket::from_std(StdUdpSocket::from(socket)).map_err(ProbeError::Socket)?;
        Ok(Self { socket, target })
    }

    /// Sends one echo request and waits for its reply.
    pub(super) async fn ask(self, nonce: Nonce, payload: &[u8]) -> io::Result<()> {
        self.socket.connect(SocketAddr::new(self.target, 0)).await?;
        // Not before: a raw socket that is not connected hears of everybody's (`raw_v4_match` in
        // net/ipv4/raw.c), and would take what is said of another question for its own.
        hear_icmp_errors(&self.socket, self.target)?;
        self.socket.send(&request(self.target, payload)).await?;
        // The IP header, with options, and the echo's own.
        let mut buffer = vec![0; 60 + HEADER + payload.len()];
        loop {
            let length = self.socket.recv(&mut buffer).await?;
            if is_reply(self.target, &buffer[..length], nonce) {
                return Ok(());
            }
        }
    }
}

fn request(target: IpAddr, payload: &[u8]) -> Vec<u8> {
    const ECHO_V4: u8 = 8;
    const ECHO_V6: u8 = 128;
    let kind = if target.is_ipv4() { ECHO_V4 } else { ECHO_V6 };
    let mut message = vec![kind, 0, 0, 0, 0, 0, 0, 1];
    message.extend(payload);
    // A router that translates addresses tells flows apart by this.
    // The end of the nonce.
    let id = [payload[NONCE_END - 2], payload[NONCE_END - 1]];
    message[4..6].copy_from_slice(&id);
    if target.is_ipv4() {
        // The kernel writes ICMPv6's checksum itself, which covers the addresses too (RFC 3542).
        let sum = checksum(&message);
        message[2..4].copy_from_slice(&sum.to_be_bytes());
    }
    message
}

fn is_reply(target: IpAddr, received: &[u8], nonce: Nonce) -> bool {
    const REPLY_V4: u8 = 0;
    const REPLY_V6: u8 = 129;
    let (message, kind) = match target {
        // Raw IPv4 sockets give the IP header as well, raw IPv6 sockets do not.
        IpAddr::V4(_) => {
            let header = received
                .first()
                .map_or(0, |first| usize::from(first & 0x0f) * 4);
            (received.get(header..).unwrap_or_default(), REPLY_V4)
        }
        IpAddr::V6(_) => (received, REPLY_V6),
    };
    message.first() == Some(&kind) && message.get(HEADER..).and_then(Nonce::find) == Some(nonce)
}

/// The Internet checksum (RFC 1071); an odd byte at the end counts as if a zero followed.
fn checksum(bytes: &[u8]) -> u16 {
    let words = bytes
        .chunks(2)
        .map(|pair| u32::from(u16::from_be_bytes([pair[0], *pair.get(1).unwrap_or(&0)])));
    let mut sum: u32 = words.sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_sums_to_zero() {
        let nonce = Nonce::random().unwrap();
        for more in [0, 1, 2, 65_000] {
            let payload = [nonce.payload(), vec![7; more]].concat();
            let message = request([192, 0, 2, 1].into(), &payload);
            assert_eq!(checksum(&message), 0, "{more}");
        }
    }

    #[test]
    fn only_the_reply_with_the_nonce_is_an_answer() {
        let target = IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1]);
        let (nonce, other) = (Nonce::random().unwrap(), Nonce::random().unwrap());
        let mut reply = request(target, &nonce.payload());
        assert!(!is_reply(target, &reply, nonce), "a request is no reply");
        reply[0] = 129;
        assert!(is_reply(target, &reply, nonce));
        assert!(!is_reply(target, &reply, other));
        assert!(!is_reply(target, &[], nonce));
    }
}
