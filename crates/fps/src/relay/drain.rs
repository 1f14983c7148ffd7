//! When nothing is on its way any more on a link that the tunnel has left.

use std::os::fd::RawFd;
use std::time::Duration;

use tokio::time::Instant;

use crate::socket::{is_over, unacknowledged};

/// How long the other end may take nothing: then it is as good as gone.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often the kernel is asked, since it has no event for that.
const PERIOD: Duration = Duration::from_millis(1);

/// Waits until the other end's kernel has what was written to a socket, and `written` says that nothing
/// more is to come; or until that kernel will take nothing more.
pub(super) async fn drained(socket: RawFd, written: impl Fn() -> bool) {
    let (mut left, mut progress) = (unacknowledged(socket), Instant::now());
    while !(written() && left == 0) && progress.elapsed() < PATIENCE && !is_over(socket) {
        tokio::time::sleep(PERIOD).await;
        let now = unacknowledged(socket);
        if now != left {
            (left, progress) = (now, Instant::now());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;
    use std::os::fd::AsRawFd;

    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    /// A connection whose other end has not taken all that was written.
    async fn full() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let near = TcpStream::connect(listener.local_addr().expect("it has one"));
        let (near, far) = tokio::join!(near, listener.accept());
        let (near, (far, _)) = (near.expect("it listens"), far.expect("one has come"));
        near.writable().await.expect("it is open");
        loop {
            match near.try_write(&[0; 65536]) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => panic!("{error}"),
            }
        }
        (near, far)
    }

    #[tokio::test]
    async fn what_the_other_end_has_refused_is_not_waited_for() {
        let (near, far) = full().await;
        let socket = near.as_raw_fd();
        let begin = Instant::now();
        // The other end is there, and takes nothing.
        let waits = tokio::time::timeout(PATIENCE / 4, drained(socket, || true)).await;
        assert!(waits.is_err(), "after {:?}", begin.elapsed());
        // A socket that is closed with something unread sends a reset (`__tcp_close` in net/ipv4/tcp.c).
        drop(far);
        let begin = Instant::now();
        drained(socket, || false).await;
        assert!(begin.elapsed() < PATIENCE / 2, "{:?}", begin.elapsed());
        assert!(
            unacknowledged(socket) > 0,
            "all was taken, and nothing is shown"
        );
    }
}
