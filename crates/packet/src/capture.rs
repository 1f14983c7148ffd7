//! A tap on every interface of one network namespace.

use std::io::{self, IoSliceMut};
use std::mem;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use nix::cmsg_space;
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::libc;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::sockopt::{RcvBuf, RcvBufForce, ReceiveTimestampns};
use nix::sys::socket::{
    ControlMessageOwned, LinkAddr, MsgFlags, bind, getsockopt, recvmsg, setsockopt,
};
use nix::sys::time::TimeSpec;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::clock::Clock;
use crate::link_address::link_address;
use crate::{CaptureError, Direction, Frame, SNAP};

/// `ETH_P_ALL` of `<linux/if_ether.h>`: the only protocol for which the kernel shows a packet
/// socket what the host sends, too (`dev_queue_xmit_nit` in net/core/dev.c).
pub(crate) const EVERY_PROTOCOL: u16 = libc::ETH_P_ALL as u16;

/// The least that a queued packet counts against the receive buffer: an `sk_buff` of 256 bytes
/// and its smallest data area (`SKB_TRUESIZE` in include/linux/skbuff.h).
const LEAST_TRUESIZE: usize = 512;

/// What a capture asks of the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CaptureOptions {
    /// Bytes of receive buffer, 8 MiB unless told. The kernel doubles it and charges each packet
    /// with its bookkeeping (socket(7), `SO_RCVBUF`).
    pub receive_buffer: usize,
}

impl Default for CaptureOptions {
    fn default() -> Self {
        Self {
            receive_buffer: 8 << 20,
        }
    }
}

/// Every packet that passes any interface of one network namespace, from arming on.
///
/// On the loopback device each packet shows twice, once sent and once received.
#[derive(Debug)]
pub struct Capture {
    socket: AsyncFd<OwnedFd>,
    /// No more packets than this fit in the queue at one time.
    queue: usize,
    buffer: Box<[u8; SNAP]>,
    control: Vec<u8>,
    dropped: u32,
}

impl Capture {
    /// Arms a capture with the default options; see [`Capture::arm_with`].
    pub fn arm(socket: OwnedFd) -> Result<Self, CaptureError> {
        Self::arm_with(socket, CaptureOptions::default())
    }

    /// Arms a capture: once this returns, no packet of the namespace goes by unseen, be it on an
    /// interface that is made only later.
    ///
    /// The socket comes from `socket(AF_PACKET, SOCK_DGRAM, 0)` inside the namespace. Protocol 0
    /// keeps it deaf until here, so nothing older is in its queue; SOCK_DGRAM starts each packet
    /// at its network header on every kind of link (packet(7)).
    ///
    /// # Panics
    /// Outside a tokio runtime with I/O enabled, which is to wait for the socket.
    pub fn arm_with(socket: OwnedFd, options: CaptureOptions) -> Result<Self, CaptureError> {
        let flags = fcntl(&socket, FcntlArg::F_GETFL).map_err(CaptureError::Nonblocking)?;
        let flags = OFlag::from_bits_retain(flags) | OFlag::O_NONBLOCK;
        fcntl(&socket, FcntlArg::F_SETFL(flags)).map_err(CaptureError::Nonblocking)?;
        let buffer = set_receive_buffer(&socket, options.receive_buffer)?;
        setsockopt(&socket, ReceiveTimestampns, &true).map_err(CaptureError::Timestamps)?;
        // SAFETY: an `OwnedFd` is open and keeps its number for as long as it lives, and the
        // `AsyncFd` owns it.
        let socket = unsafe { AsyncFd::register_with_interest(socket, Interest::READABLE) }
            .map_err(|error| CaptureError::Register(error.into()))?;

        // Last, because packets come from here on. Interface 0 is all of them, at any time.
        let everywhere = link_address(0, EVERY_PROTOCOL, [0; 6]).ok_or(CaptureError::Origin)?;
        bind(socket.as_raw_fd(), &everywhere).map_err(CaptureError::Bind)?;
        Ok(Self {
            socket,
            queue: buffer / LEAST_TRUESIZE + 1,
            buffer: Box::new([0; SNAP]),
            control: cmsg_space!(TimeSpec),
            dropped: 0,
        })
    }

    /// Waits until there is a packet to [`drain`](Self::drain).
    pub async fn readable(&self) -> Result<(), CaptureError> {
        loop {
            let mut guard = self.socket.readable().await.map_err(CaptureError::Wait)?;
            // Tokio remembers readiness from before a drain, which reads behind its back: ask the
            // kernel. A packet that comes in between makes a new event, which clearing leaves.
            let mut asked = [PollFd::new(self.socket.as_fd(), PollFlags::POLLIN)];
            let ready = poll(&mut asked, PollTimeout::ZERO)
                .map_err(|errno| CaptureError::Wait(io::Error::from(errno)))?;
            if ready > 0 {
                guard.retain_ready();
                return Ok(());
            }
            guard.clear_ready();
        }
    }

    /// Takes every packet that passed before this call.
    ///
    /// Under a flood it ends all the same, after as many packets as the queue can have held.
    pub fn drain(&mut self) -> Result<Vec<Frame>, CaptureError> {
        let clock = Clock::read();
        let mut frames = Vec::new();
        while frames.len() < self.queue {
            let Some(frame) = self.receive(&clock)? else {
                break;
            };
            frames.push(frame);
        }
        Ok(frames)
    }

    /// How many packets passed unseen since arming, because the receive buffer was full.
    ///
    /// An absence is proven only while this is 0.
    pub fn dropped(&mut self) -> Result<u32, CaptureError> {
        // Reading sets the kernel's counters to zero (packet(7), `PACKET_STATISTICS`).
        let fresh = statistics(&self.socket)
            .map_err(CaptureError::Statistics)?
            .tp_drops;
        self.dropped = self.dropped.saturating_add(fresh);
        Ok(self.dropped)
    }

    /// Reads one packet, or `None` where none waits.
    fn receive(&mut self, clock: &Clock) -> Result<Option<Frame>, CaptureError> {
        let mut parts = [IoSliceMut::new(&mut self.buffer[..])];
        // MSG_TRUNC has the full length returned, also where the buffer took less (recv(2)).
        let message = loop {
            let socket = self.socket.as_raw_fd();
            let control = Some(&mut self.control[..]);
            match recvmsg::<LinkAddr>(socket, &mut parts, control, MsgFlags::MSG_TRUNC) {
                Ok(message) => break message,
                Err(Errno::EAGAIN) => return Ok(None),
                Err(Errno::EINTR) => {}
                Err(errno) => return Err(CaptureError::Read(errno)),
            }
        };
        let address = message.address.ok_or(CaptureError::Origin)?;
        let stamp = message
            .cmsgs()
            .map_err(CaptureError::Read)?
            .find_map(|part| match part {
                ControlMessageOwned::ScmTimestampns(stamp) => Some(stamp),
                _ => None,
            });
        let length = message.bytes;
        Ok(Some(Frame {
            at: clock.instant(stamp),
            ifindex: address.ifindex() as u32,
            direction: Direction::from_pkttype(address.pkttype()),
            protocol: u16::from_be(address.protocol()),
            bytes: self.buffer[..length.min(SNAP)].to_vec(),
            length,
        }))
    }
}

/// Sets the receive buffer and gives the size that the kernel made of it.
pub(crate) fn set_receive_buffer(socket: &OwnedFd, bytes: usize) -> Result<usize, CaptureError> {
    let failed = |source| CaptureError::Buffer { bytes, source };
    match setsockopt(socket, RcvBufForce, &bytes) {
        // It takes CAP_NET_ADMIN in the machine's first user namespace, which an ordinary user
        // has not; then net.core.rmem_max is the bound (`sk_setsockopt` in net/core/sock.c).
        Err(Errno::EPERM) => setsockopt(socket, RcvBuf, &bytes).map_err(failed)?,
        forced => forced.map_err(failed)?,
    }
    getsockopt(socket, RcvBuf).map_err(failed)
}

/// Reads and resets the kernel's counters.
pub(crate) fn statistics(socket: &impl AsRawFd) -> nix::Result<libc::tpacket_stats> {
    let mut counters = libc::tpacket_stats {
        tp_packets: 0,
        tp_drops: 0,
    };
    let mut length = mem::size_of_val(&counters) as libc::socklen_t;
    // SAFETY: both pointers are to locals that outlive the call, and `length` is the size of the
    // first, which bounds what the kernel writes.
    let result = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_PACKET,
            libc::PACKET_STATISTICS,
            (&raw mut counters).cast(),
            &raw mut length,
        )
    };
    Errno::result(result).map(|_| counters)
}
