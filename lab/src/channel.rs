//! A socket that carries JSON datagrams with descriptors beside them (unix(7), SCM_RIGHTS).

use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, ControlMessage, ControlMessageOwned, MsgFlags, Shutdown, SockFlag, SockType,
    UnixAddr, recvmsg, sendmsg, setsockopt, shutdown, socketpair, sockopt,
};
use nix::sys::time::TimeVal;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The largest datagram; a certificate in a file is the largest that there is.
const LARGEST: usize = 256 << 10;
/// More descriptors than any message carries.
const MOST_DESCRIPTORS: usize = 8;

/// How long the helper may take for one request. It answers in 30 to 100 µs, and a new host takes
/// 0.6 ms; while the kernel clears namespaces away it has taken half a second.
pub(crate) const DEADLINE: Duration = Duration::from_secs(10);

/// One end of a connection.
#[derive(Debug)]
pub(crate) struct Channel {
    socket: OwnedFd,
    /// What a datagram is received into.
    buffer: Vec<u8>,
}

impl Channel {
    /// Two connected ends, both closed on exec. The first, which is the runner's, waits no longer
    /// than [`DEADLINE`]: its error is then [`io::ErrorKind::WouldBlock`].
    pub(crate) fn pair() -> io::Result<(Self, Self)> {
        let (runner, helper) = socketpair(
            AddressFamily::Unix,
            SockType::SeqPacket,
            None,
            SockFlag::SOCK_CLOEXEC,
        )?;
        for end in [&runner, &helper] {
            setsockopt(end, sockopt::SndBuf, &(2 * LARGEST))?;
        }
        let deadline = TimeVal::new(DEADLINE.as_secs().cast_signed(), 0);
        setsockopt(&runner, sockopt::ReceiveTimeout, &deadline)?;
        setsockopt(&runner, sockopt::SendTimeout, &deadline)?;
        Ok((Self::adopt(runner), Self::adopt(helper)))
    }

    /// Takes an end by its descriptor.
    pub(crate) fn adopt(descriptor: OwnedFd) -> Self {
        Self {
            socket: descriptor,
            buffer: Vec::new(),
        }
    }

    /// The end's descriptor.
    pub(crate) fn descriptor(&self) -> &OwnedFd {
        &self.socket
    }

    pub(crate) fn send(&self, message: &impl Serialize, with: &[&OwnedFd]) -> io::Result<()> {
        let bytes = serde_json::to_vec(message)?;
        if bytes.len() > LARGEST {
            return Err(io::Error::other("the message is over 256 KiB"));
        }
        let descriptors: Vec<RawFd> = with.iter().map(|fd| fd.as_raw_fd()).collect();
        let rights = [ControlMessage::ScmRights(&descriptors)];
        let control = if descriptors.is_empty() {
            &[]
        } else {
            &rights[..]
        };
        let data = [IoSlice::new(&bytes)];
        // A closed peer is an error, not a signal.
        let flags = MsgFlags::MSG_NOSIGNAL;
        loop {
            match sendmsg::<UnixAddr>(self.socket.as_raw_fd(), &data, control, flags, None) {
                // Of a socket with a deadline also Ctrl-Z is an interruption (signal(7)).
                Err(Errno::EINTR) => {}
                sent => return Ok(sent.map(drop)?),
            }
        }
    }

    /// Refuses all further requests. What comes late would be taken for the answer to the next.
    pub(crate) fn close(&self) {
        // It is connected, so that nothing can fail.
        shutdown(self.socket.as_raw_fd(), Shutdown::Both).ok();
    }

    pub(crate) fn receive<M: DeserializeOwned>(&mut self) -> io::Result<(M, Vec<OwnedFd>)> {
        self.buffer.resize(LARGEST, 0);
        let mut space = nix::cmsg_space!([RawFd; MOST_DESCRIPTORS]);
        let mut data = [IoSliceMut::new(&mut self.buffer)];
        let received = loop {
            let flags = MsgFlags::MSG_CMSG_CLOEXEC;
            match recvmsg::<UnixAddr>(self.socket.as_raw_fd(), &mut data, Some(&mut space), flags) {
                Err(Errno::EINTR) => {}
                received => break received?,
            }
        };
        let mut descriptors = Vec::new();
        // The kernel leaves out what would be too many (`scm_detach_fds`, net/core/scm.c).
        let lost = |_| io::Error::from(Errno::EMFILE);
        for message in received.cmsgs().map_err(lost)? {
            if let ControlMessageOwned::ScmRights(rights) = message {
                // SAFETY: the kernel has just given us these descriptors.
                descriptors.extend(rights.iter().map(|fd| unsafe { OwnedFd::from_raw_fd(*fd) }));
            }
        }
        let length = received.bytes;
        if length == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok((serde_json::from_slice(&self.buffer[..length])?, descriptors))
    }
}
