//! `sockaddr_ll`, the address of packet(7).

use std::io;

use nix::libc;
use nix::sys::socket::{LinkAddr, SockaddrLike};
use socket2::Socket;

/// The address of `protocol` on an interface, or on all where `ifindex` is 0, and of the station
/// `station` on its link.
///
/// `None` where the interface's number is above what the kernel's `int` holds.
pub(crate) fn link_address(ifindex: u32, protocol: u16, station: [u8; 6]) -> Option<LinkAddr> {
    let mut sll_addr = [0; 8];
    sll_addr[..station.len()].copy_from_slice(&station);
    let address = libc::sockaddr_ll {
        sll_family: libc::AF_PACKET as libc::sa_family_t,
        // The one field in network order.
        sll_protocol: protocol.to_be(),
        sll_ifindex: i32::try_from(ifindex).ok()?,
        sll_hatype: 0,
        sll_pkttype: 0,
        sll_halen: station.len() as u8,
        sll_addr,
    };
    // SAFETY: the pointer is to a whole `sockaddr_ll` of family AF_PACKET, alive during the call.
    unsafe { LinkAddr::from_raw((&raw const address).cast(), None) }
}

/// The Ethernet address of the interface that a packet socket is bound to.
pub(crate) fn own_station(socket: &Socket) -> io::Result<[u8; 6]> {
    let address = socket.local_addr()?;
    if i32::from(address.family()) != libc::AF_PACKET {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    // SAFETY: a `SockAddr` has room for an address of any family, zeroed where the kernel wrote
    // nothing, and the family says that this one is a `sockaddr_ll`.
    let address = unsafe { &*address.as_ptr().cast::<libc::sockaddr_ll>() };
    match (address.sll_halen, address.sll_addr) {
        (6, [a, b, c, d, e, f, ..]) => Ok([a, b, c, d, e, f]),
        _ => Err(io::ErrorKind::Unsupported.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn carries_each_field_in_its_order() {
        let address = link_address(7, 0x0800, [2, 0, 0, 0, 0, 1]).unwrap();
        assert_eq!(address.ifindex(), 7);
        assert_eq!(address.protocol(), 0x0800_u16.to_be());
        assert_eq!(address.halen(), 6);
        assert_eq!(address.addr(), Some([2, 0, 0, 0, 0, 1]));
        assert!(link_address(u32::MAX, 0, [0; 6]).is_none());
    }
}
