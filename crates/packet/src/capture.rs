//! A tap on every interface of one network namespace.

use std::os::fd::OwnedFd;

use nix::sys::socket::setsockopt;
use nix::sys::socket::sockopt::ReceiveTimestampns;

use crate::clock::Clock;
use crate::packet_socket::{PacketSocket, stamp_space};
use crate::{CaptureError, Direction, Frame, SNAP};

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
    socket: PacketSocket,
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
        let socket = PacketSocket::new(socket, options.receive_buffer)?;
        setsockopt(&socket, ReceiveTimestampns, &true).map_err(CaptureError::Timestamps)?;
        // Last, because packets come from here on.
        socket.listen(0)?;
        Ok(Self {
            queue: socket.receive_buffer() / LEAST_TRUESIZE + 1,
            socket,
            buffer: Box::new([0; SNAP]),
            control: stamp_space(),
            dropped: 0,
        })
    }

    /// Waits until there is a packet to [`drain`](Self::drain).
    pub async fn readable(&self) -> Result<(), CaptureError> {
        self.socket.readable().await.map_err(CaptureError::Wait)
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
        let fresh = self.socket.lost()?;
        self.dropped = self.dropped.saturating_add(fresh);
        Ok(self.dropped)
    }

    /// Reads one packet, or `None` where none waits.
    fn receive(&mut self, clock: &Clock) -> Result<Option<Frame>, CaptureError> {
        let received = self.socket.receive(&mut self.buffer[..], &mut self.control);
        Ok(received?.map(|arrival| Frame {
            at: clock.instant(arrival.stamp),
            ifindex: arrival.address.ifindex() as u32,
            direction: Direction::from_pkttype(arrival.address.pkttype()),
            protocol: u16::from_be(arrival.address.protocol()),
            bytes: self.buffer[..arrival.length.min(SNAP)].to_vec(),
            length: arrival.length,
        }))
    }
}
