//! Whole frames of one interface, read and written.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

use nix::errno::Errno;
use nix::libc;
use nix::sys::socket::{MsgFlags, recv, send};

use crate::CaptureError;
use crate::packet_socket::PacketSocket;

/// Bytes of receive buffer.
const RECEIVE_BUFFER: usize = 8 << 20;

/// What an interface receives, frame by frame, and what is sent by it.
#[derive(Debug)]
pub struct Frames {
    socket: PacketSocket,
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
        let socket = PacketSocket::new(socket, RECEIVE_BUFFER)?;
        ignore_outgoing(&socket).map_err(CaptureError::Bind)?;
        socket.listen(ifindex)?;
        Ok(Self { socket })
    }

    /// Waits until there is a frame, or the interface went down.
    pub async fn readable(&self) -> io::Result<()> {
        self.socket.readable().await
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
        self.socket.lost()
    }
}

/// Keeps what the interface sends from a packet socket (packet(7), `PACKET_IGNORE_OUTGOING`).
fn ignore_outgoing(socket: &PacketSocket) -> nix::Result<()> {
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
