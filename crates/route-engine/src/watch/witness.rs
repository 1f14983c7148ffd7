//! Whether the resolver has changed its settings.

use std::future::pending;
use std::io::{self, ErrorKind};
use std::os::unix::net::UnixStream as Connection;
use std::path::Path;

use futures_util::StreamExt;
use inotify::{EventStream, Inotify, WatchMask};
use nix::errno::Errno;
use tokio::net::UnixStream;

use crate::Trace;

/// Watches where it shows.
pub(super) enum Witness {
    /// The folder in which systemd-resolved keeps what it has been told (`link_save_user` in its
    /// resolved-link.c), which others may tell it, too, and what it has made of that.
    Folder(Box<EventStream<[u8; 4096]>>),
    /// A connection to the one that has the settings, which ends with it, however that ends.
    Peer(UnixStream),
    /// That has ended.
    Ended,
}

impl Witness {
    /// Watches; fails where there is nothing to watch.
    pub(super) fn of(trace: &Trace) -> io::Result<Self> {
        match trace {
            Trace::Folder(folder) => of_folder(folder).map(Box::new).map(Self::Folder),
            Trace::Socket(path) => match Connection::connect(path) {
                Ok(connection) => {
                    connection.set_nonblocking(true)?;
                    UnixStream::from_std(connection).map(Self::Peer)
                }
                Err(cause) => {
                    let text = format!("cannot follow {}: {cause}", path.display());
                    Err(io::Error::new(cause.kind(), text))
                }
            },
        }
    }

    /// Whether there is nobody to watch any more.
    pub(super) fn has_ended(&self) -> bool {
        matches!(self, Self::Ended)
    }

    /// Waits for a change.
    pub(super) async fn changed(&mut self) -> io::Result<()> {
        match self {
            Self::Folder(changes) => match changes.next().await {
                Some(event) => event.map(drop),
                None => Err(ErrorKind::UnexpectedEof.into()),
            },
            Self::Peer(connection) => {
                // It says nothing by itself; an error is an end, too.
                let _ = connection.readable().await;
                *self = Self::Ended;
                Ok(())
            }
            Self::Ended => pending().await,
        }
    }
}

/// inotify_init(2) has one errno for too many files and too many instances; a watch has few files.
fn name_limit(error: io::Error) -> io::Error {
    match error.raw_os_error().map(Errno::from_raw) {
        Some(Errno::EMFILE) => io::Error::other(
            "no inotify instance is left for this user: raise fs.inotify.max_user_instances",
        ),
        _ => error,
    }
}

/// Watches a resolver's folder and the one of its links.
fn of_folder(folder: &Path) -> io::Result<EventStream<[u8; 4096]>> {
    let inotify = Inotify::init().map_err(name_limit)?;
    let mask = WatchMask::CLOSE_WRITE | WatchMask::MOVED_TO | WatchMask::DELETE;
    let mut watched = false;
    for folder in [folder.to_owned(), folder.join("netif")] {
        match inotify.watches().add(folder, mask) {
            Ok(_) => watched = true,
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    if !watched {
        let text = format!("there is no {}", folder.display());
        return Err(io::Error::new(ErrorKind::NotFound, text));
    }
    inotify.into_event_stream([0; 4096])
}
