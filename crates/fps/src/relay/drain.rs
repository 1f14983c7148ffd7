//! When nothing is on its way any more on a link that the tunnel has left.

use std::os::fd::RawFd;
use std::time::Duration;

use tokio::time::Instant;

use crate::socket::unacknowledged;

/// How long the other end may take nothing: then it is as good as gone.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often the kernel is asked, since it has no event for that.
const PERIOD: Duration = Duration::from_millis(1);

/// Waits until the other end's kernel has what was written to a socket, and `written` says that nothing
/// more is to come.
pub(super) async fn drained(socket: RawFd, written: impl Fn() -> bool) {
    let (mut left, mut progress) = (unacknowledged(socket), Instant::now());
    while !(written() && left == 0) && progress.elapsed() < PATIENCE {
        tokio::time::sleep(PERIOD).await;
        let now = unacknowledged(socket);
        if now != left {
            (left, progress) = (now, Instant::now());
        }
    }
}
