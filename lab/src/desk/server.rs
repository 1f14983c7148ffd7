//! The holder of a lab, as those who ask find it.

use std::io;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use nix::sys::socket::{SockFlag, accept4};
use serde::de::IgnoredAny;
use tokio::io::unix::AsyncFd;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet, spawn_local};
use tokio::time::{sleep, timeout};

use super::board::Board;
use super::line::{Line, may_ask, register, set_nonblocking};
use super::protocol::Reply;
use super::session::Session;

/// How long one who may not ask may take to do so.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long nobody is let in where that has failed.
const RESPITE: Duration = Duration::from_millis(100);

/// Where those who ask say what is to become of a lab.
#[derive(Clone, Debug)]
pub(super) struct Orders {
    /// Counts how often somebody has said that the play is to go on.
    pub(super) resumed: watch::Sender<u64>,
    /// Turns true when the lab is to end.
    pub(super) down: watch::Sender<bool>,
    /// Whether this process ends with the lab.
    pub(super) process_ends: bool,
}

impl Orders {
    pub(super) fn resume(&self) {
        self.resumed.send_modify(|times| *times += 1);
    }

    pub(super) fn end(&self) {
        self.down.send_replace(true);
    }
}

/// The task that serves all connections. Dropping it closes the door; connections stay open until
/// the `LocalSet` ends, so that who waits for the end of a lab sees it when nothing is left.
#[derive(Debug)]
pub(super) struct Server(JoinHandle<()>);

impl Server {
    /// Serves whoever comes to the listener.
    pub(super) fn open(listener: &OwnedFd, board: Arc<Board>, orders: Orders) -> io::Result<Self> {
        set_nonblocking(listener)?;
        let listener = register(listener.as_fd().try_clone_to_owned()?)?;
        Ok(Self(spawn_local(serve(listener, board, orders))))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // What it serves is not dropped before the runtime takes its next turn.
        self.0.abort();
    }
}

async fn serve(listener: AsyncFd<OwnedFd>, board: Arc<Board>, orders: Orders) {
    let mut sessions = JoinSet::new();
    loop {
        tokio::select! {
            accepted = accept(&listener) => {
                let Ok(socket) = accepted else {
                    // Out of descriptors, as a rule: those who are served may end meanwhile.
                    sleep(RESPITE).await;
                    continue;
                };
                sessions.spawn_local(admit(socket, Arc::clone(&board), orders.clone()));
            }
            Some(_) = sessions.join_next() => {}
        }
    }
}

async fn accept(listener: &AsyncFd<OwnedFd>) -> io::Result<OwnedFd> {
    loop {
        let mut ready = listener.readable().await?;
        let accepted = ready.try_io(|listener| {
            let socket = accept4(listener.as_raw_fd(), SockFlag::SOCK_CLOEXEC)?;
            // SAFETY: the kernel has just given us this descriptor.
            Ok(unsafe { OwnedFd::from_raw_fd(socket) })
        });
        if let Ok(accepted) = accepted {
            return accepted;
        }
    }
}

/// Serves who comes, if he may ask.
async fn admit(socket: OwnedFd, board: Arc<Board>, orders: Orders) {
    let Ok(may) = may_ask(&socket) else { return };
    let Ok(mut line) = Line::new(socket) else {
        return;
    };
    if may {
        return Session::new(line, board, orders).serve().await;
    }
    let refusal = Reply::Refused {
        message: "the lab belongs to another user: ask as that user, or as root".to_owned(),
        errno: None,
    };
    // His question is read first: a socket that is closed with something unread in it tells the
    // other end so (ECONNRESET), in the place of what was sent. Who has gone needs no answer.
    if let Ok(Ok(_)) = timeout(PATIENCE, line.receive::<IgnoredAny>()).await {
        drop(line.send(&refusal, &[]));
    }
}
