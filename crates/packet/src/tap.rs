//! Whole frames of one interface, in both directions, as they pass.

use std::io::{self, IoSliceMut};
use std::mem;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nix::cmsg_space;
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::libc;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::sockopt::ReceiveTimestampns;
use nix::sys::socket::{ControlMessageOwned, LinkAddr, MsgFlags, bind, recvmsg, setsockopt};
use nix::sys::time::TimeSpec;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::capture::{EVERY_PROTOCOL, set_receive_buffer, statistics};
use crate::link_address::link_address;
use crate::{CaptureError, Direction};

/// Bytes of receive buffer.
const RECEIVE_BUFFER: usize = 8 << 20;
/// As much as the kernel passes as one: many segments of one connection (GSO, "BIG TCP").
const LARGEST: usize = 512 << 10;

/// What passes an interface, whole, for a file that others read.
#[derive(Debug)]
pub struct Tap {
    socket: AsyncFd<OwnedFd>,
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
        let flags = fcntl(&socket, FcntlArg::F_GETFL).map_err(CaptureError::Nonblocking)?;
        let flags = OFlag::from_bits_retain(flags) | OFlag::O_NONBLOCK;
        fcntl(&socket, FcntlArg::F_SETFL(flags)).map_err(CaptureError::Nonblocking)?;
        set_receive_buffer(&socket, RECEIVE_BUFFER)?;
        setsockopt(&socket, ReceiveTimestampns, &true).map_err(CaptureError::Timestamps)?;
        let place = link_address(ifindex, EVERY_PROTOCOL, [0; 6]).ok_or(CaptureError::Origin)?;
        bind(socket.as_raw_fd(), &place).map_err(CaptureError::Bind)?;
        let kind = hardware(&socket).map_err(CaptureError::Bind)?;
        let ethernet = [libc::ARPHRD_ETHER, libc::ARPHRD_LOOPBACK].contains(&kind);
        // SAFETY: an `OwnedFd` is open and keeps its number for as long as it lives, and the
        // `AsyncFd` owns it.
        let socket = unsafe { AsyncFd::register_with_interest(socket, Interest::READABLE) }
            .map_err(|error| CaptureError::Register(error.into()))?;
        Ok(Self {
            socket,
            ethernet,
            buffer: vec![0; LARGEST],
            control: cmsg_space!(TimeSpec),
        })
    }

    /// Whether frames begin with an Ethernet header; those of a TUN device begin with that of IP.
    pub fn has_ethernet(&self) -> bool {
        self.ethernet
    }

    /// Waits until there is a frame.
    pub async fn readable(&self) -> io::Result<()> {
        loop {
            let mut guard = self.socket.readable().await?;
            // As in `Capture::readable`: ask the kernel, since frames are read behind tokio's back.
            let mut asked = [PollFd::new(self.socket.as_fd(), PollFlags::POLLIN)];
            if poll(&mut asked, PollTimeout::ZERO)? > 0 {
                guard.retain_ready();
                return Ok(());
            }
            guard.clear_ready();
        }
    }

    /// Takes a frame; none where none waits, as while the interface is down or gone.
    pub fn take(&mut self) -> Result<Option<Tapped<'_>>, CaptureError> {
        let mut parts = [IoSliceMut::new(&mut self.buffer)];
        // MSG_TRUNC has the full length returned, also where the buffer took less (recv(2)).
        let message = loop {
            let socket = self.socket.as_raw_fd();
            let control = Some(&mut self.control[..]);
            match recvmsg::<LinkAddr>(socket, &mut parts, control, MsgFlags::MSG_TRUNC) {
                Ok(message) => break message,
                // That it is down is told once; frames come again when it is up.
                Err(Errno::EAGAIN | Errno::ENETDOWN) => return Ok(None),
                Err(Errno::EINTR) => {}
                Err(errno) => return Err(CaptureError::Read(errno)),
            }
        };
        let address = message.address.ok_or(CaptureError::Origin)?;
        let stamp = message
            .cmsgs()
            .map_err(CaptureError::Read)?
            .find_map(|part| match part {
                ControlMessageOwned::ScmTimestampns(stamp) => Some(Duration::from(stamp)),
                _ => None,
            });
        let length = message.bytes;
        let now = || SystemTime::now().duration_since(UNIX_EPOCH);
        Ok(Some(Tapped {
            at: stamp.unwrap_or_else(|| now().unwrap_or_default()),
            direction: Direction::from_pkttype(address.pkttype()),
            bytes: &self.buffer[..length.min(LARGEST)],
            length,
        }))
    }

    /// How many frames were lost since the last time, because the receive buffer was full.
    pub fn lost(&self) -> Result<u32, CaptureError> {
        let counters = statistics(&self.socket).map_err(CaptureError::Statistics)?;
        Ok(counters.tp_drops)
    }
}

/// The kind of the interface that a socket is bound to: `sll_hatype` of its name (packet(7)).
///
/// Not by `getsockname` of nix, which takes a name of less than 20 bytes for none: the kernel gives
/// as many bytes as the hardware address has (`packet_getname` in net/packet/af_packet.c).
fn hardware(socket: &OwnedFd) -> nix::Result<u16> {
    // SAFETY: zeros are a valid `sockaddr_ll`.
    let mut name: libc::sockaddr_ll = unsafe { mem::zeroed() };
    let mut length = mem::size_of_val(&name) as libc::socklen_t;
    let to = (&raw mut name).cast();
    // SAFETY: both pointers are to locals that outlive the call, and `length` is the size of the
    // first, which bounds what the kernel writes.
    let result = unsafe { libc::getsockname(socket.as_raw_fd(), to, &raw mut length) };
    Errno::result(result).map(|_| name.sll_hatype)
}
