//! A terminal whose window changes its size.

use std::os::fd::AsRawFd;

use nix::errno::Errno;
use nix::libc;

use super::terminal::{Terminal, size};

impl Terminal {
    /// Changes its size, of which the kernel tells who is in front of it.
    pub(crate) fn resize(&self, rows: u16, columns: u16) {
        let size = size(rows, columns);
        // SAFETY: the kernel reads one `Winsize`.
        let set = unsafe { libc::ioctl(self.keys.as_raw_fd(), libc::TIOCSWINSZ, &raw const size) };
        Errno::result(set).expect("it is a terminal");
    }
}
