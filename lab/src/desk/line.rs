//! The holder's end of a connection.

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::socket::{getsockopt, sockopt};
use nix::unistd::geteuid;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::channel::Channel;

/// A connection to somebody who asks.
pub(super) struct Line {
    channel: AsyncFd<Held>,
}

/// A channel with its number, for the runtime.
pub(super) struct Held(Channel);

impl AsRawFd for Held {
    fn as_raw_fd(&self) -> RawFd {
        self.0.descriptor().as_raw_fd()
    }
}

impl Line {
    pub(super) fn new(socket: OwnedFd) -> io::Result<Self> {
        set_nonblocking(&socket)?;
        Ok(Self {
            channel: register(Held(Channel::adopt(socket)))?,
        })
    }

    pub(super) async fn receive<M: DeserializeOwned>(&mut self) -> io::Result<(M, Vec<OwnedFd>)> {
        loop {
            let mut ready = self.channel.readable_mut().await?;
            if let Ok(received) = ready.try_io(|held| held.get_mut().0.receive()) {
                return received;
            }
        }
    }

    /// Answers. One who does not read what is sent is not waited for: that is an error.
    pub(super) fn send(&self, message: &impl Serialize, with: &[&OwnedFd]) -> io::Result<()> {
        self.channel.get_ref().0.send(message, with)
    }
}

/// Whether who is at the other end may ask: whoever holds the lab, and root.
pub(super) fn may_ask(socket: &OwnedFd) -> io::Result<bool> {
    let peer = getsockopt(socket, sockopt::PeerCredentials)?;
    Ok(peer.uid() == geteuid().as_raw() || peer.uid() == 0)
}

/// Has the runtime tell when a descriptor is ready.
pub(super) fn register<T: AsRawFd + Owner>(owner: T) -> io::Result<AsyncFd<T>> {
    // SAFETY: an owner's descriptor is open and keeps its number for as long as it lives, and the
    // `AsyncFd` owns it.
    let registered = unsafe { AsyncFd::register_with_interest(owner, Interest::READABLE) };
    registered.map_err(io::Error::from)
}

/// Something that owns the descriptor of which it gives the number.
pub(super) trait Owner {}

impl Owner for OwnedFd {}
impl Owner for Held {}

pub(super) fn set_nonblocking(descriptor: &impl AsFd) -> io::Result<()> {
    let flags = OFlag::from_bits_retain(fcntl(descriptor, FcntlArg::F_GETFL)?);
    fcntl(descriptor, FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK))?;
    Ok(())
}
