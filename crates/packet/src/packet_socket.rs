//! What every packet socket that is read here has in common (packet(7)).

use std::io::{self, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use nix::cmsg_space;
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::libc;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::sockopt::{RcvBuf, RcvBufForce};
use nix::sys::socket::{
    ControlMessageOwned, LinkAddr, MsgFlags, bind, getsockopt, recvmsg, setsockopt,
};
use nix::sys::time::TimeSpec;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::CaptureError;
use crate::link_address::link_address;

/// `ETH_P_ALL` of `<linux/if_ether.h>`: the only protocol for which the kernel shows a packet
/// socket what the host sends, too (`dev_queue_xmit_nit` in net/core/dev.c).
const EVERY_PROTOCOL: u16 = libc::ETH_P_ALL as u16;

/// A packet socket that does not block, and that a task can wait for.
#[derive(Debug)]
pub(crate) struct PacketSocket {
    socket: AsyncFd<OwnedFd>,
    /// The receive buffer that the kernel gave.
    buffer: usize,
}

/// What the kernel says of a frame beside its bytes.
pub(crate) struct Arrival {
    pub(crate) address: LinkAddr,
    /// When, where the socket has SO_TIMESTAMPNS.
    pub(crate) stamp: Option<TimeSpec>,
    /// The full length, also where the buffer took less.
    pub(crate) length: usize,
}

impl PacketSocket {
    /// Takes a socket of protocol 0, which hears nothing yet, and gives it a receive buffer.
    ///
    /// # Panics
    /// Outside a tokio runtime with I/O enabled, which is to wait for the socket.
    pub(crate) fn new(socket: OwnedFd, receive_buffer: usize) -> Result<Self, CaptureError> {
        let flags = fcntl(&socket, FcntlArg::F_GETFL).map_err(CaptureError::Nonblocking)?;
        let flags = OFlag::from_bits_retain(flags) | OFlag::O_NONBLOCK;
        fcntl(&socket, FcntlArg::F_SETFL(flags)).map_err(CaptureError::Nonblocking)?;
        let buffer = set_receive_buffer(&socket, receive_buffer)?;
        // SAFETY: an `OwnedFd` is open and keeps its number for as long as it lives, and the
        // `AsyncFd` owns it.
        let socket = unsafe { AsyncFd::register_with_interest(socket, Interest::READABLE) }
            .map_err(|error| CaptureError::Register(error.into()))?;
        Ok(Self { socket, buffer })
    }

    /// The receive buffer that the kernel gave, in bytes.
    pub(crate) fn receive_buffer(&self) -> usize {
        self.buffer
    }

    /// Frames come from here on: of this interface, or of all of them, at any time, where it is 0.
    pub(crate) fn listen(&self, ifindex: u32) -> Result<(), CaptureError> {
        let place = link_address(ifindex, EVERY_PROTOCOL, [0; 6]).ok_or(CaptureError::Origin)?;
        bind(self.as_raw_fd(), &place).map_err(CaptureError::Bind)
    }

    /// Waits until there is a frame, or the interface went down.
    pub(crate) async fn readable(&self) -> io::Result<()> {
        loop {
            let mut guard = self.socket.readable().await?;
            // Tokio remembers readiness from before a read, which is done behind its back: ask the
            // kernel. A packet that comes in between makes a new event, which clearing leaves.
            let mut asked = [PollFd::new(self.socket.as_fd(), PollFlags::POLLIN)];
            if poll(&mut asked, PollTimeout::ZERO)? > 0 {
                guard.retain_ready();
                return Ok(());
            }
            guard.clear_ready();
        }
    }

    /// Reads a frame; none where none waits, as while the interface is down or gone.
    pub(crate) fn receive(
        &self,
        buffer: &mut [u8],
        control: &mut [u8],
    ) -> Result<Option<Arrival>, CaptureError> {
        let mut parts = [IoSliceMut::new(buffer)];
        // MSG_TRUNC has the full length returned, also where the buffer took less (recv(2)).
        let message = loop {
            let control = Some(&mut *control);
            match recvmsg::<LinkAddr>(self.as_raw_fd(), &mut parts, control, MsgFlags::MSG_TRUNC) {
                Ok(message) => break message,
                // That it is down is told once; frames come again when it is up (`packet_notifier`).
                Err(Errno::EAGAIN | Errno::ENETDOWN) => return Ok(None),
                Err(Errno::EINTR) => {}
                Err(errno) => return Err(CaptureError::Read(errno)),
            }
        };
        let stamp = message
            .cmsgs()
            .map_err(CaptureError::Read)?
            .find_map(|part| match part {
                ControlMessageOwned::ScmTimestampns(stamp) => Some(stamp),
                _ => None,
            });
        Ok(Some(Arrival {
            address: message.address.ok_or(CaptureError::Origin)?,
            stamp,
            length: message.bytes,
        }))
    }

    /// How many frames were lost since the last time, because the receive buffer was full: reading sets
    /// the kernel's counters to zero (packet(7), `PACKET_STATISTICS`).
    pub(crate) fn lost(&self) -> Result<u32, CaptureError> {
        let mut counters = libc::tpacket_stats {
            tp_packets: 0,
            tp_drops: 0,
        };
        let mut length = size_of_val(&counters) as libc::socklen_t;
        // SAFETY: both pointers are to locals that outlive the call, and `length` is the size of the
        // first, which bounds what the kernel writes.
        let result = unsafe {
            libc::getsockopt(
                self.as_raw_fd(),
                libc::SOL_PACKET,
                libc::PACKET_STATISTICS,
                (&raw mut counters).cast(),
                &raw mut length,
            )
        };
        Errno::result(result).map_err(CaptureError::Statistics)?;
        Ok(counters.tp_drops)
    }
}

impl AsRawFd for PacketSocket {
    fn as_raw_fd(&self) -> i32 {
        self.socket.as_raw_fd()
    }
}

impl AsFd for PacketSocket {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// Room for the kernel's stamp.
pub(crate) fn stamp_space() -> Vec<u8> {
    cmsg_space!(TimeSpec)
}

/// Sets the receive buffer and gives the size that the kernel made of it.
fn set_receive_buffer(socket: &OwnedFd, bytes: usize) -> Result<usize, CaptureError> {
    let failed = |source| CaptureError::Buffer { bytes, source };
    match setsockopt(socket, RcvBufForce, &bytes) {
        // It takes CAP_NET_ADMIN in the machine's first user namespace, which an ordinary user
        // has not; then net.core.rmem_max is the bound (`sk_setsockopt` in net/core/sock.c).
        Err(Errno::EPERM) => setsockopt(socket, RcvBuf, &bytes).map_err(failed)?,
        forced => forced.map_err(failed)?,
    }
    getsockopt(socket, RcvBuf).map_err(failed)
}
