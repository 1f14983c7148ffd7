//! A socket that carries JSON datagrams with descriptors beside them (unix(7), SCM_RIGHTS).

use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, ControlMessage, ControlMessageOwned, MsgFlags, SockFlag, SockType, UnixAddr,
    recvmsg, sendmsg, setsockopt, socketpair, sockopt,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The largest datagram; a certificate in a file is the largest that there is.
const LARGEST: usize = 256 << 10;
/// More descriptors than any message carries.
const MOST_DESCRIPTORS: usize = 8;

/// One end of the connection between runner and helper.
#[derive(Debug)]
pub(super) struct Channel {
    socket: OwnedFd,
    /// What a datagram is received into.
    buffer: Vec<u8>,
}

impl Channel {
    /// Two connected ends, both closed on exec.
    pub(super) fn pair() -> io::Result<(Self, Self)> {
        let (one, other) = socketpair(
            AddressFamily::Unix,
            SockType::SeqPacket,
            None,
            SockFlag::SOCK_CLOEXEC,
        )?;
        for end in [&one, &other] {
            setsockopt(end, sockopt::SndBuf, &(2 * LARGEST))?;
        }
        Ok((Self::adopt(one), Self::adopt(other)))
    }

    /// Takes an end by its descriptor.
    pub(super) fn adopt(descriptor: OwnedFd) -> Self {
        Self {
            socket: descriptor,
            buffer: Vec::new(),
        }
    }

    /// The end's descriptor.
    pub(super) fn descriptor(&self) -> &OwnedFd {
        &self.socket
    }

    pub(super) fn send(&self, message: &impl Serialize, with: &[&OwnedFd]) -> io::Result<()> {
        let bytes = serde_json::to_vec(message)?;
        if bytes.len() > LARGEST {
            return Err(io::Error::other(
                "the message to the sandbox is over 256 KiB",
            ));
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
        sendmsg::<UnixAddr>(
            self.socket.as_raw_fd(),
            &data,
            control,
            MsgFlags::MSG_NOSIGNAL,
            None,
        )?;
        Ok(())
    }

    pub(super) fn receive<M: DeserializeOwned>(&mut self) -> io::Result<(M, Vec<OwnedFd>)> {
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
        for message in received.cmsgs()? {
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
