//! Whole frames of one interface, in both directions, as they pass.

use std::io;
use std::mem;
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nix::errno::Errno;
use nix::libc;
use nix::sys::socket::setsockopt;
use nix::sys::socket::sockopt::ReceiveTimestampns;

use crate::packet_socket::{PacketSocket, stamp_space};
use crate::{CaptureError, Direction};

/// Bytes of receive buffer.
const RECEIVE_BUFFER: usize = 8 << 20;
/// As much as the kernel passes as one: many segments of one connection (GSO, "BIG TCP").
const LARGEST: usize = 512 << 10;

/// What passes an interface, whole, for a file that others read.
#[derive(Debug)]
pub struct Tap {
    socket: PacketSocket,
    ethernet: bool,
    buffer: Vec<u8>,
    control: Vec<u8>,
}

/// A frame that passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tapped<'a> {
    /// When: the kernel's stamp, since 1970.
    pub at: Duration,
    /// Which way.
    pub direction: Direction,
    /// From its link-layer header on, if the interface has one.
    pub bytes: &'a [u8],
    /// The full length.
    pub length: usize,
}

impl Tap {
    /// Takes a socket from `socket(AF_PACKET, SOCK_RAW, 0)`; once this returns, no frame of the
    /// interface goes by unseen.
    ///
    /// # Panics
    /// Outside a tokio runtime with I/O enabled, which is to wait for the socket.
    pub fn open(socket: OwnedFd, ifindex: u32) -> Result<Self, CaptureError> {
        let socket = PacketSocket::new(socket, RECEIVE_BUFFER)?;
        setsockopt(&socket, ReceiveTimestampns, &true).map_err(CaptureError::Timestamps)?;
        socket.listen(ifindex)?;
        let kind = hardware(&socket).map_err(CaptureError::Bind)?;
        Ok(Self {
            socket,
            ethernet: [libc::ARPHRD_ETHER, libc::ARPHRD_LOOPBACK].contains(&kind),
            buffer: vec![0; LARGEST],
            control: stamp_space(),
        })
    }

    /// Whether frames begin with an Ethernet header; those of a TUN device begin with that of IP.
    pub fn has_ethernet(&self) -> bool {
        self.ethernet
    }

    /// Waits until there is a frame.
    pub async fn readable(&self) -> io::Result<()> {
        self.socket.readable().await
    }

    /// Takes a frame; none where none waits, as while the interface is down or gone.
    pub fn take(&mut self) -> Result<Option<Tapped<'_>>, CaptureError> {
        let Some(arrival) = self.socket.receive(&mut self.buffer, &mut self.control)? else {
            return Ok(None);
        };
        let now = || SystemTime::now().duration_since(UNIX_EPOCH);
        let stamp = arrival.stamp.map(Duration::from);
        Ok(Some(Tapped {
            at: stamp.unwrap_or_else(|| now().unwrap_or_default()),
            direction: Direction::from_pkttype(arrival.address.pkttype()),
            bytes: &self.buffer[..arrival.length.min(LARGEST)],
            length: arrival.length,
        }))
    }

    /// How many frames were lost since the last time, because the receive buffer was full.
    pub fn lost(&self) -> Result<u32, CaptureError> {
        self.socket.lost()
    }
}

/// The kind of the interface that a socket is bound to: `sll_hatype` of its name (packet(7)).
///
/// Not by `getsockname` of nix, which takes a name of less than 20 bytes for none: the kernel gives
/// as many bytes as the hardware address has (`packet_getname` in net/packet/af_packet.c).
fn hardware(socket: &PacketSocket) -> nix::Result<u16> {
    // SAFETY: zeros are a valid `sockaddr_ll`.
    let mut name: libc::sockaddr_ll = unsafe { mem::zeroed() };
    let mut length = mem::size_of_val(&name) as libc::socklen_t;
    let to = (&raw mut name).cast();
    // SAFETY: both pointers are to locals that outlive the call, and `length` is the size of the
    // first, which bounds what the kernel writes.
    let result = unsafe { libc::getsockname(socket.as_raw_fd(), to, &raw mut length) };
    Errno::result(result).map(|_| name.sll_hatype)
}
