//! What can go wrong between this crate and the kernel.

use std::io;

use nix::errno::Errno;

/// The kernel gave no random bytes.
#[derive(Debug, thiserror::Error)]
#[error("getrandom(2) gave no random bytes for a nonce")]
pub struct RandomError(#[source] pub(crate) Errno);

/// A capture could not be armed or read.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// The descriptor takes no flags.
    #[error("cannot make the capture's socket nonblocking")]
    Nonblocking(#[source] Errno),
    /// The receive buffer could not be set.
    #[error("cannot set the capture's receive buffer to {bytes} bytes")]
    Buffer {
        /// How many bytes were asked for.
        bytes: usize,
        /// What the kernel answered.
        source: Errno,
    },
    /// The kernel does not stamp packets for this socket.
    #[error("cannot have the capture's packets stamped with their time (SO_TIMESTAMPNS)")]
    Timestamps(#[source] Errno),
    /// The socket could not be bound to every protocol on every interface.
    #[error(
        "cannot bind the capture to all interfaces: give it a socket made with \
         socket(AF_PACKET, SOCK_DGRAM, 0)"
    )]
    Bind(#[source] Errno),
    /// The runtime does not watch the socket.
    #[error("the runtime cannot watch the capture's socket (epoll)")]
    Register(#[source] io::Error),
    /// Waiting for a packet failed.
    #[error("cannot wait for the next packet of the capture")]
    Wait(#[source] io::Error),
    /// Reading a packet failed.
    #[error("cannot read a packet from the capture")]
    Read(#[source] Errno),
    /// The kernel gave a packet without saying which interface it was on.
    #[error("the kernel gave a packet without its interface: is the socket AF_PACKET, SOCK_DGRAM?")]
    Origin,
    /// The kernel's count of lost packets could not be read.
    #[error("cannot read how many packets the capture lost (PACKET_STATISTICS)")]
    Statistics(#[source] Errno),
}

/// A control packet could not be sent.
#[derive(Debug, thiserror::Error)]
pub enum InjectError {
    /// The kernel refused the packet.
    #[error(
        "cannot inject {length} bytes on interface {ifindex}: it must exist in the socket's \
         namespace and be up"
    )]
    Send {
        /// The interface asked for.
        ifindex: u32,
        /// The packet's length.
        length: usize,
        /// What the kernel answered.
        source: Errno,
    },
    /// The kernel took only a part of the packet.
    #[error("injected only {sent} of {length} bytes on interface {ifindex}")]
    Short {
        /// The interface asked for.
        ifindex: u32,
        /// The packet's length.
        length: usize,
        /// How much the kernel took.
        sent: usize,
    },
}

/// A socket for datagrams past the stack could not be made ready or used.
#[derive(Debug, thiserror::Error)]
#[error("cannot {operation} for datagrams past the host's stack (AF_PACKET)")]
pub struct DatagramError {
    /// What was tried.
    pub operation: &'static str,
    /// What the kernel answered.
    #[source]
    pub source: io::Error,
}
