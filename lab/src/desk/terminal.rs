//! Our terminal, and one of a program's own behind it.

use std::io::{self, stdin, stdout};
use std::os::fd::{AsRawFd, OwnedFd};

use nix::errno::Errno;
use nix::libc;
use nix::pty::{OpenptyResult, Winsize, openpty};
use nix::sys::termios::{SetArg, Termios, cfmakeraw, tcgetattr, tcsetattr};

/// Our terminal in raw mode: each key goes on as it is, Ctrl-C too. Dropping it has it as before.
pub(super) struct Raw {
    before: Termios,
}

impl Raw {
    pub(super) fn enter() -> io::Result<Self> {
        let before = tcgetattr(stdin())?;
        let mut raw = before.clone();
        cfmakeraw(&mut raw);
        tcsetattr(stdin(), SetArg::TCSADRAIN, &raw)?;
        Ok(Self { before })
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        // Where the terminal is gone there is nothing to restore.
        tcsetattr(stdin(), SetArg::TCSADRAIN, &self.before).ok();
    }
}

/// A new terminal like ours: the end that we read and write, and the program's.
pub(super) fn open() -> io::Result<(OwnedFd, OwnedFd)> {
    let (like, size) = (tcgetattr(stdin())?, size()?);
    let OpenptyResult { master, slave } = openpty(Some(&size), Some(&like))?;
    for end in [&master, &slave] {
        close_on_exec(end)?;
    }
    Ok((master, slave))
}

/// Gives the program's terminal the size that ours has now; the kernel then sends it SIGWINCH.
pub(super) fn resize(master: &OwnedFd) -> io::Result<()> {
    let size = size()?;
    // SAFETY: the descriptor is open, and the kernel reads one `Winsize`.
    let set = unsafe { libc::ioctl(master.as_raw_fd(), libc::TIOCSWINSZ, &raw const size) };
    Errno::result(set)?;
    Ok(())
}

fn size() -> io::Result<Winsize> {
    let mut size = Winsize {
        ws_row: 0,
        ws_col: 0,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    // SAFETY: the kernel writes one `Winsize`.
    let got = unsafe { libc::ioctl(stdout().as_raw_fd(), libc::TIOCGWINSZ, &raw mut size) };
    Errno::result(got)?;
    Ok(size)
}

fn close_on_exec(descriptor: &OwnedFd) -> io::Result<()> {
    use nix::fcntl::{FcntlArg, FdFlag, fcntl};
    fcntl(descriptor, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))?;
    Ok(())
}
