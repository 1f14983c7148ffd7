//! What the resolver of a host is told over its socket: a line of JSON each way.
//!
//! A connection may stay: its end is how others notice that the program has ended.

use std::fs;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use fps_netlink::LinkName;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{mpsc, oneshot};

use super::link::{Links, Setting};
use crate::forward::Server;

/// How long to wait before somebody else is taken in, after that has failed.
const AGAIN: Duration = Duration::from_millis(100);

/// What is wanted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum Request {
    /// Another setting of a link.
    Set { link: LinkName, setting: Setting },
    /// All answers are to be forgotten.
    FlushCaches,
    /// How it stands.
    Status,
}

/// What comes of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Reply {
    /// It is done.
    Done,
    /// It is done, and with it the program.
    Ended,
    /// It is not, for this reason.
    Error(String),
    /// How it stands.
    Status(Status),
}

/// How it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Status {
    /// Its process.
    pub(super) pid: u32,
    /// Where it answers.
    pub(super) listen: Vec<SocketAddr>,
    /// Whom it asks for all names that are no link's.
    pub(super) default: Vec<Server>,
    /// The links.
    pub(super) links: Links,
}

/// A request, and where its reply goes.
pub(super) struct Call {
    pub(super) request: Request,
    reply: oneshot::Sender<Reply>,
    written: oneshot::Receiver<()>,
}

impl Call {
    /// Replies, and waits until that is written.
    pub(super) async fn reply(self, reply: Reply) {
        // Who has asked may have gone.
        let _ = self.reply.send(reply);
        let _ = self.written.await;
    }
}

/// The socket.
pub(super) struct Control {
    calls: mpsc::Receiver<Call>,
}

impl Control {
    /// Listens there, in the place of one that was killed. Needs a `LocalSet`.
    pub(super) fn listen(path: &Path) -> io::Result<Self> {
        match fs::remove_file(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(path)?;
        let (tell, calls) = mpsc::channel(1);
        tokio::task::spawn_local(accept(listener, tell));
        Ok(Self { calls })
    }

    /// Waits for the next request.
    pub(super) async fn next(&mut self) -> Option<Call> {
        self.calls.recv().await
    }
}

async fn accept(listener: UnixListener, tell: mpsc::Sender<Call>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let tell = tell.clone();
                tokio::task::spawn_local(async move {
                    if let Err(error) = answer(stream, tell).await {
                        tracing::debug!(event = "control_failed", error = %error);
                    }
                });
            }
            // No descriptor is free: there will be one.
            Err(error) => {
                tracing::error!(event = "control_failed", error = %error);
                tokio::time::sleep(AGAIN).await;
            }
        }
    }
}

async fn answer(stream: UnixStream, tell: mpsc::Sender<Call>) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    while stream.read_line(&mut line).await? > 0 {
        let (reply, written) = match serde_json::from_str(&line) {
            Err(error) => (Reply::Error(format!("it is no request: {error}")), None),
            Ok(request) => {
                let ((reply, replied), (tell_written, written)) =
                    (oneshot::channel(), oneshot::channel());
                let call = Call {
                    request,
                    reply,
                    written,
                };
                let sent = tell.send(call).await;
                sent.map_err(|_| ErrorKind::BrokenPipe)?;
                let reply = replied.await.map_err(|_| ErrorKind::BrokenPipe)?;
                (reply, Some(tell_written))
            }
        };
        let mut text = serde_json::to_vec(&reply)?;
        text.push(b'\n');
        stream.write_all(&text).await?;
        // Whoever waits for it goes on.
        drop(written);
        line.clear();
    }
    Ok(())
}
