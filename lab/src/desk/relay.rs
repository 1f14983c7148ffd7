//! Keys to a program's terminal, and what that shows to ours.

use std::io::{self, Write, stdin, stdout};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::unistd::{read, write};

use super::line::set_nonblocking;

/// As much as a terminal takes at once.
const PIECE: usize = 4096;

/// The bytes on their way.
pub(super) struct Relay {
    master: OwnedFd,
    /// Keys that the program's terminal has not taken yet.
    keys: Vec<u8>,
    /// There are no more keys.
    deaf: bool,
}

/// What is ready beside the bytes.
pub(super) struct Ready {
    pub(super) signal: bool,
    pub(super) connection: bool,
}

impl Relay {
    pub(super) fn new(master: OwnedFd) -> io::Result<Self> {
        set_nonblocking(&master)?;
        Ok(Self {
            master,
            keys: Vec::new(),
            deaf: false,
        })
    }

    pub(super) fn master(&self) -> &OwnedFd {
        &self.master
    }

    /// Waits for something to happen, and carries what bytes there are.
    pub(super) fn turn(
        &mut self,
        signals: BorrowedFd<'_>,
        connection: BorrowedFd<'_>,
    ) -> io::Result<Ready> {
        let stdin = stdin();
        let when = |wanted, flag| if wanted { flag } else { PollFlags::empty() };
        let read_keys = when(!self.deaf && self.keys.is_empty(), PollFlags::POLLIN);
        let write_keys = when(!self.keys.is_empty(), PollFlags::POLLOUT);
        let mut wait = [
            PollFd::new(signals, PollFlags::POLLIN),
            PollFd::new(connection, PollFlags::POLLIN),
            PollFd::new(self.master.as_fd(), PollFlags::POLLIN | write_keys),
            PollFd::new(stdin.as_fd(), read_keys),
        ];
        // One whose events are empty is told of its hangup all the same, again and again.
        let watched = if self.deaf { 3 } else { 4 };
        match poll(&mut wait[..watched], PollTimeout::NONE) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
        let is = |at: usize| wait[at].any() == Some(true);
        let (signal, connection, shown, pressed) = (is(0), is(1), is(2), is(3));
        if shown {
            self.show()?;
            self.press()?;
        }
        if pressed && self.keys.is_empty() {
            self.read_keys();
            self.press()?;
        }
        Ok(Ready { signal, connection })
    }

    /// Shows all that the program has written so far.
    ///
    /// The kernel carries what is written to a terminal in a work queue, and a read which finds
    /// nothing waits for that (`n_tty_read`): what was written before this is seen.
    pub(super) fn show(&self) -> io::Result<()> {
        let mut buffer = [0; PIECE];
        let mut out = stdout().lock();
        loop {
            match read(&self.master, &mut buffer) {
                // EIO: nobody has the program's terminal open any more.
                Ok(0) | Err(Errno::EAGAIN | Errno::EIO) => return out.flush(),
                Ok(length) => out.write_all(&buffer[..length])?,
                Err(Errno::EINTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
    }

    fn read_keys(&mut self) {
        self.keys.resize(PIECE, 0);
        // An error is a terminal that is gone.
        let length = read(stdin(), &mut self.keys).unwrap_or(0);
        self.keys.truncate(length);
        self.deaf = length == 0;
    }

    fn press(&mut self) -> io::Result<()> {
        if self.keys.is_empty() {
            return Ok(());
        }
        match write(&self.master, &self.keys) {
            Ok(length) => drop(self.keys.drain(..length)),
            Err(Errno::EAGAIN | Errno::EINTR) => {}
            Err(Errno::EIO) => self.keys.clear(),
            Err(errno) => return Err(errno.into()),
        }
        Ok(())
    }
}
