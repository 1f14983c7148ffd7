//! Whole frames of one interface, read and written.

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::libc;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{MsgFlags, bind, recv, send};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::CaptureError;
use crate::capture::{EVERY_PROTOCOL, set_receive_buffer, statistics};
use crate::link_address::link_address;

/// Bytes of receive buffer.
const RECEIVE_BUFFER: usize = 8 << 20;

/// What an interface receives, frame by frame, and what is sent by it.
#[derive(Debug)]
pub struct Frames {
    socket: AsyncFd<OwnedFd>,
}

impl Frames {
    /// Takes a socket from `socket(AF_PACKET, SOCK_RAW, 0)`; from now on it has what the interface
    /// receives, and not what it sends.
    ///
    /// The interface's peer has to make checksums itself, and no packets longer than its MTU: what it
    /// leaves to a device would be copied as it is.
    ///
    /// # Panics
    /// Outside a tokio runtime with I/O enabled, which is to wait for the socket.
    pub fn open(socket: OwnedFd, ifindex: u32) -> Result<Self, CaptureError> {
        let flags = fcntl(&socket, FcntlArg::F_GETFL).map_err(CaptureError::Nonblocking)?;
        let flags = OFlag::from_bits_retain(flags) | OFlag::O_NONBLOCK;
        fcntl(&socket, FcntlArg::F_SETFL(flags)).map_err(CaptureError::Nonblocking)?;
        set_receive_buffer(&socket, RECEIVE_BUFFER)?;
        ignore_outgoing(&socket).map_err(CaptureError::Bind)?;
        // SAFETY: an `OwnedFd` is open and keeps its number for as long as it lives, and the
        // `AsyncFd` owns it.
        let socket = unsafe { AsyncFd::register_with_interest(socket, Interest::READABLE) }
            .map_err(|error| CaptureError::Register(error.into()))?;
        let place = link_address(ifindex, EVERY_PROTOCOL, [0; 6]).ok_or(CaptureError::Origin)?;
        bind(socket.as_raw_fd(), &place).map_err(CaptureError::Bind)?;
        Ok(Self { socket })
    }

    /// Waits until there is a frame, or the interface went down.
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

    /// Reads a frame; none where none waits, as while the interface is down.
    pub fn receive(&self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        loop {
            match recv(self.socket.as_raw_fd(), buffer, MsgFlags::empty()) {
                Ok(length) => return Ok(Some(length)),
                // Told once; frames come again when the interface is up (`packet_notifier`).
                Err(Errno::EAGAIN | Errno::ENETDOWN) => return Ok(None),
                Err(Errno::EINTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
    }

    /// Sends a frame; whether the interface took it. It does not while it is down, or has too many.
    pub fn send(&self, frame: &[u8]) -> io::Result<bool> {
        loop {
            match send(self.socket.as_raw_fd(), frame, MsgFlags::empty()) {
                Ok(_) => return Ok(true),
                Err(Errno::EAGAIN | Errno::ENOBUFS | Errno::ENETDOWN | Errno::EMSGSIZE) => {
                    return Ok(false);
                }
                Err(Errno::EINTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
    }

    /// How many frames were lost since the last time, because the receive buffer was full.
    pub fn lost(&self) -> Result<u32, CaptureError> {
        let counters = statistics(&self.socket).map_err(CaptureError::Statistics)?;
        Ok(counters.tp_drops)
    }
}

/// Keeps what the interface sends from a packet socket (packet(7), `PACKET_IGNORE_OUTGOING`).
fn ignore_outgoing(socket: &OwnedFd) -> nix::Result<()> {
    let on: libc::c_int = 1;
    let length = size_of_val(&on) as libc::socklen_t;
    // SAFETY: the pointer is to a local that outlives the call, and `length` is its size.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_PACKET,
            libc::PACKET_IGNORE_OUTGOING,
            (&raw const on).cast(),
            length,
        )
    };
    Errno::result(result).map(drop)
}
