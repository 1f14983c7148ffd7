//! UDP over IPv4 past the host's stack, as a host has to talk that has no address yet.

use std::io;
use std::net::Ipv4Addr;
use std::os::fd::{AsRawFd, OwnedFd};

use nix::libc;
use nix::sys::socket::{MsgFlags, recv, sendto};
use pnet::packet::Packet as _;
use pnet::packet::ip::IpNextHeaderProtocols;
use pnet::packet::ipv4::{self, Ipv4Packet, MutableIpv4Packet};
use pnet::packet::udp::{self, MutableUdpPacket, UdpPacket};
use socket2::{SockFilter, Socket};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::DatagramError;
use crate::link_address::{link_address, own_station};

/// `ETH_P_IP` of `<linux/if_ether.h>`.
const IPV4: u16 = libc::ETH_P_IP as u16;
/// All stations of a link.
const EVERYBODY: [u8; 6] = [0xff; 6];
const IP_HEADER: usize = Ipv4Packet::minimum_packet_size();
const UDP_HEADER: usize = UdpPacket::minimum_packet_size();
/// More than an Ethernet frame holds.
const LARGEST: usize = 2048;

/// Broadcasts from one UDP port of an interface, and what comes to that port, whomever it is for.
///
/// An AF_PACKET socket sends without an address and a route, and receives before nftables and the
/// reverse path filter have looked: what ISC dhclient and systemd-networkd do until they have a lease.
#[derive(Debug)]
pub struct Datagrams {
    socket: AsyncFd<Socket>,
    ifindex: u32,
    port: u16,
    station: [u8; 6],
}

impl Datagrams {
    /// Begins to hear what comes to a port on an interface.
    ///
    /// The socket comes from `socket(AF_PACKET, SOCK_DGRAM, 0)` inside the namespace.
    ///
    /// # Panics
    /// Outside a tokio runtime with I/O enabled, which is to wait for the socket.
    pub fn open(socket: OwnedFd, ifindex: u32, port: u16) -> Result<Self, DatagramError> {
        let socket = Socket::from(socket);
        let is = |operation| move |source| DatagramError { operation, source };
        socket
            .set_nonblocking(true)
            .map_err(is("make the socket nonblocking"))?;
        socket
            .attach_filter(&only_to(port))
            .map_err(is("attach a filter"))?;
        // Not before the filter is there: up to here the protocol is 0, and the socket deaf.
        let here = link_address(ifindex, IPV4, [0; 6])
            .ok_or_else(|| io::ErrorKind::InvalidInput.into())
            .map_err(is("name the interface"))?;
        nix::sys::socket::bind(socket.as_raw_fd(), &here)
            .map_err(|errno| is("bind to the interface")(errno.into()))?;
        let station = own_station(&socket).map_err(is("read the interface's Ethernet address"))?;
        // SAFETY: a `Socket` is open and keeps its number for as long as it lives, and the
        // `AsyncFd` owns it.
        let socket = unsafe { AsyncFd::register_with_interest(socket, Interest::READABLE) }
            .map_err(|error| is("have the socket watched")(error.into()))?;
        Ok(Self {
            socket,
            ifindex,
            port,
            station,
        })
    }

    /// The interface's Ethernet address.
    pub fn station(&self) -> [u8; 6] {
        self.station
    }

    /// Sends to a port of 255.255.255.255, from our port of `from`, to every station of the link.
    pub fn broadcast(
        &self,
        from: Ipv4Addr,
        to_port: u16,
        payload: &[u8],
    ) -> Result<(), DatagramError> {
        let is = |source| DatagramError {
            operation: "send a broadcast",
            source,
        };
        let packet = packet(from, self.port, to_port, payload)
            .ok_or_else(|| is(io::ErrorKind::InvalidInput.into()))?;
        let to = link_address(self.ifindex, IPV4, EVERYBODY)
            .ok_or_else(|| is(io::ErrorKind::InvalidInput.into()))?;
        // A link that was down has left its error here, which the next call would have in place of what
        // it does (`packet_notifier` in net/packet/af_packet.c).
        self.socket.get_ref().take_error().map_err(is)?;
        let socket = self.socket.get_ref().as_raw_fd();
        sendto(socket, &packet, &to, MsgFlags::empty()).map_err(|errno| is(errno.into()))?;
        Ok(())
    }

    /// Waits for a datagram; gives what it carries.
    pub async fn receive(&self) -> Result<Vec<u8>, DatagramError> {
        let is = |source| DatagramError {
            operation: "receive",
            source,
        };
        loop {
            let read = |socket: &Socket| {
                let mut bytes = vec![0; LARGEST];
                let length = recv(socket.as_raw_fd(), &mut bytes, MsgFlags::empty())?;
                bytes.truncate(length);
                Ok(bytes)
            };
            let received = self.socket.async_io(Interest::READABLE, read).await;
            match received {
                Ok(bytes) => {
                    if let Some(payload) = payload(&bytes) {
                        return Ok(payload);
                    }
                }
                // The interface has gone down; it may come up again (packet(7), ENETDOWN).
                Err(error) if error.raw_os_error() == Some(libc::ENETDOWN) => {}
                Err(error) => return Err(is(error)),
            }
        }
    }
}

/// A filter of packet(7) for whole UDP datagrams to a port.
fn only_to(port: u16) -> [SockFilter; 9] {
    // <linux/bpf_common.h>; each class with its size, mode or operation.
    const LOAD_BYTE: u16 = 0x30;
    const LOAD_HALF: u16 = 0x28;
    const LOAD_HALF_BEHIND_X: u16 = 0x48;
    const X_IS_HEADER_LENGTH: u16 = 0xb1;
    const JUMP_IF_EQUAL: u16 = 0x15;
    const JUMP_IF_SET: u16 = 0x45;
    const GIVE: u16 = 0x06;
    const UDP: u32 = 17;
    const FRAGMENT_OFFSET: u32 = 0x1fff;
    const ALL: u32 = 0xffff;
    [
        SockFilter::new(LOAD_BYTE, 0, 0, 9),
        SockFilter::new(JUMP_IF_EQUAL, 0, 6, UDP),
        SockFilter::new(LOAD_HALF, 0, 0, 6),
        SockFilter::new(JUMP_IF_SET, 4, 0, FRAGMENT_OFFSET),
        SockFilter::new(X_IS_HEADER_LENGTH, 0, 0, 0),
        SockFilter::new(LOAD_HALF_BEHIND_X, 0, 0, 2),
        SockFilter::new(JUMP_IF_EQUAL, 0, 1, port.into()),
        SockFilter::new(GIVE, 0, 0, ALL),
        SockFilter::new(GIVE, 0, 0, 0),
    ]
}

/// None where the payload is too long for a datagram.
fn packet(from: Ipv4Addr, port: u16, to_port: u16, payload: &[u8]) -> Option<Vec<u8>> {
    const TIME_TO_LIVE: u8 = 64;
    const WORDS: u8 = (IP_HEADER / 4) as u8;

    let length = u16::try_from(IP_HEADER + UDP_HEADER + payload.len()).ok()?;
    let mut bytes = vec![0; length.into()];
    let (head, body) = bytes.split_at_mut(IP_HEADER);
    let mut udp = MutableUdpPacket::new(body)?;
    udp.set_source(port);
    udp.set_destination(to_port);
    udp.set_length(length - IP_HEADER as u16);
    udp.set_payload(payload);
    udp.set_checksum(udp::ipv4_checksum(
        &udp.to_immutable(),
        &from,
        &Ipv4Addr::BROADCAST,
    ));
    let mut ip = MutableIpv4Packet::new(head)?;
    ip.set_version(4);
    ip.set_header_length(WORDS);
    ip.set_total_length(length);
    ip.set_ttl(TIME_TO_LIVE);
    ip.set_next_level_protocol(IpNextHeaderProtocols::Udp);
    ip.set_source(from);
    ip.set_destination(Ipv4Addr::BROADCAST);
    ip.set_checksum(ipv4::checksum(&ip.to_immutable()));
    Some(bytes)
}

/// What a datagram carries. Its checksum is not looked at: on a veth link the kernel leaves it
/// unfinished in what its own sockets send.
fn payload(bytes: &[u8]) -> Option<Vec<u8>> {
    let ip = Ipv4Packet::new(bytes)?;
    let header = usize::from(ip.get_header_length()) * 4;
    let udp = UdpPacket::new(bytes.get(header..usize::from(ip.get_total_length()))?)?;
    let length = usize::from(udp.get_length()).checked_sub(UDP_HEADER)?;
    udp.payload().get(..length).map(<[u8]>::to_vec)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_back_what_it_sends() {
        let bytes = packet(Ipv4Addr::new(192, 0, 2, 1), 68, 67, b"hello").unwrap();
        assert_eq!(payload(&bytes), Some(b"hello".to_vec()));
        assert_eq!(ipv4::checksum(&Ipv4Packet::new(&bytes).unwrap()), {
            Ipv4Packet::new(&bytes).unwrap().get_checksum()
        });
        for cut in 0..bytes.len() {
            assert_eq!(payload(&bytes[..cut]), None, "cut to {cut}");
        }
    }
}
