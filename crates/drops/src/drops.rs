//! Hearing of dropped packets.

use std::ffi::CStr;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use nix::errno::Errno;
use nix::libc;

use crate::error::{Error, Result};
use crate::kernel::Kernel;
use crate::program::{
    ENTRY, HEADERS, HEADERS_AT, NAME, NAME_AT, NETWORK_HEADER_AT, REASON_AT, TAIL_AT, program,
};
use crate::syscall;

const TRACEPOINT: &CStr = c"kfree_skb";

/// Hears of the packets that the kernel drops in a namespace, as long as it lives.
#[derive(Debug)]
pub struct Drops<'a> {
    kernel: &'a Kernel,
    queue: OwnedFd,
    /// The program hangs there until this is closed.
    _attached: OwnedFd,
}

/// A packet that the kernel has dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dropped {
    /// The kernel's reason: a name of `enum skb_drop_reason` without what all have in front, as `IP_RPFILTER`
    /// (include/net/dropreason-core.h has a sentence for each).
    pub reason: String,
    /// The link that it came in by, or was to leave by; none where it had none yet.
    pub link: Option<String>,
    /// Its first bytes, from its network header on, 128 at most.
    pub headers: Vec<u8>,
}

impl<'a> Drops<'a> {
    /// How many packets wait to be taken; later ones are not heard of.
    pub const WAITING: u32 = 1024;

    /// Begins to hear of packets in the namespace of a socket.
    pub fn hear(kernel: &'a Kernel, socket: impl AsFd) -> Result<Self> {
        let cookie = cookie(socket)?;
        let queue = syscall::queue(ENTRY as u32, Self::WAITING)?;
        let program = syscall::load(&program(&kernel.places, cookie, queue.as_raw_fd())?)?;
        let attached = syscall::attach(&program, TRACEPOINT)?;
        Ok(Self {
            kernel,
            queue,
            _attached: attached,
        })
    }

    /// The next one; none where there is none by now.
    pub fn next(&self) -> Result<Option<Dropped>> {
        let mut entry = [0; ENTRY];
        if !syscall::take(&self.queue, &mut entry)? {
            return Ok(None);
        }
        let word =
            |at: usize| u32::from_ne_bytes(entry[at..at + 4].try_into().expect("four bytes"));
        let name = &entry[NAME_AT..NAME_AT + NAME];
        let name = CStr::from_bytes_until_nul(name)
            .ok()
            .map(CStr::to_string_lossy);
        let there = word(TAIL_AT).saturating_sub(word(NETWORK_HEADER_AT)) as usize;
        let headers = &entry[HEADERS_AT..][..there.min(HEADERS)];
        Ok(Some(Dropped {
            reason: self.kernel.reason(word(REASON_AT)),
            link: name.filter(|it| !it.is_empty()).map(|it| it.into_owned()),
            headers: headers.to_vec(),
        }))
    }
}

/// The number of a socket's namespace, which no other has had since the machine started.
fn cookie(socket: impl AsFd) -> Result<u64> {
    let (mut cookie, mut size) = (0_u64, size_of::<u64>() as libc::socklen_t);
    // SAFETY: both live as long as the call, and the size is that of the number.
    let answer = unsafe {
        libc::getsockopt(
            socket.as_fd().as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_NETNS_COOKIE,
            (&raw mut cookie).cast(),
            &raw mut size,
        )
    };
    Errno::result(answer).map_err(Error::Cookie)?;
    Ok(cookie)
}
