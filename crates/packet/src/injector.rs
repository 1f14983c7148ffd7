//! Sending control packets on one interface, past all routing.

use std::os::fd::{AsRawFd, OwnedFd};

use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, sendto};

use crate::InjectError;
use crate::link_address::link_address;

/// A locally administered address (IEEE 802) that no station of a lab has: a bridge floods it, and
/// who gets it drops it as meant for another host.
const NOBODY: [u8; 6] = [0x02, 0, 0, 0, 0, 0x01];

/// Puts packets on an interface as if the host sent them there.
///
/// The socket is like a capture's, `socket(AF_PACKET, SOCK_DGRAM, 0)`, but another one: the kernel
/// shows a packet to every packet socket except the one that sent it (`skb_loop_sk` in
/// net/core/dev.c).
#[derive(Debug)]
pub struct Injector {
    socket: OwnedFd,
}

impl Injector {
    /// Takes the socket to send from.
    pub fn new(socket: OwnedFd) -> Self {
        Self { socket }
    }

    /// Sends the packet behind the EtherType `protocol` on an interface, to a link address that is
    /// nobody's; a link without addresses, such as a TUN device, has no use for that.
    ///
    /// The kernel takes a packet for a TUN device that no program holds open, answers that all is
    /// well and drops it before any capture (`noop_qdisc`): no carrier, no control.
    pub fn send(&self, ifindex: u32, protocol: u16, packet: &[u8]) -> Result<(), InjectError> {
        let length = packet.len();
        let failed = |source| InjectError::Send {
            ifindex,
            length,
            source,
        };
        let to = link_address(ifindex, protocol, NOBODY).ok_or(failed(Errno::ENXIO))?;
        let sent = loop {
            match sendto(self.socket.as_raw_fd(), packet, &to, MsgFlags::empty()) {
                Err(Errno::EINTR) => {}
                sent => break sent.map_err(failed)?,
            }
        };
        if sent == length {
            Ok(())
        } else {
            Err(InjectError::Short {
                ifindex,
                length,
                sent,
            })
        }
    }
}
