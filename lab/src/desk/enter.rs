//! The Enter key.

use std::io::{IsTerminal, stdin};
use std::os::fd::AsFd;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::termios::{FlushArg, tcflush};
use nix::unistd::{getpgrp, read, tcgetpgrp};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Waits until somebody presses Enter, at the terminal that we are in front of. Never, where there is
/// none.
pub(super) async fn pressed() {
    let in_front = stdin().is_terminal() && tcgetpgrp(stdin()) == Ok(getpgrp());
    // One who reads a terminal from behind is stopped (SIGTTIN).
    if !in_front || wait().await.is_err() {
        std::future::pending::<()>().await;
    }
}

async fn wait() -> std::io::Result<()> {
    // What was typed before is no answer.
    tcflush(stdin(), FlushArg::TCIFLUSH)?;
    let keys = stdin().as_fd().try_clone_to_owned()?;
    // SAFETY: an `OwnedFd` is open and keeps its number for as long as it lives, and the `AsyncFd`
    // owns it.
    let keys = unsafe { AsyncFd::register_with_interest(keys, Interest::READABLE) }
        .map_err(std::io::Error::from)?;
    loop {
        let mut ready = keys.readable().await?;
        let stdin = stdin();
        let mut asked = [PollFd::new(stdin.as_fd(), PollFlags::POLLIN)];
        if poll(&mut asked, PollTimeout::ZERO)? > 0 {
            // A terminal gives a whole line, or its end (Ctrl-D).
            read(&stdin, &mut [0; 4096])?;
            return Ok(());
        }
        ready.clear_ready();
    }
}
