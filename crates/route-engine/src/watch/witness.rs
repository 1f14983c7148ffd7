//! Whether the resolver has changed its settings.

use std::io::{self, ErrorKind};
use std::path::Path;

use futures_util::StreamExt;
use inotify::{EventStream, Inotify, WatchMask};

/// Watches the folder in which systemd-resolved keeps what it has been told (`link_save_user` in its
/// resolved-link.c), which others may tell it, too, and what it has made of that.
pub(super) struct Witness {
    changes: EventStream<[u8; 4096]>,
}

impl Witness {
    /// Watches a resolver's folder and the one of its links; none where there is no such folder.
    pub(super) fn of(folder: &Path) -> io::Result<Option<Self>> {
        let inotify = Inotify::init()?;
        let mask = WatchMask::CLOSE_WRITE | WatchMask::MOVED_TO | WatchMask::DELETE;
        let mut watched = false;
        for folder in [folder.to_owned(), folder.join("netif")] {
            match inotify.watches().add(folder, mask) {
                Ok(_) => watched = true,
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        let changes = inotify.into_event_stream([0; 4096])?;
        Ok(watched.then_some(Self { changes }))
    }

    /// Waits for a change.
    pub(super) async fn changed(&mut self) -> io::Result<()> {
        match self.changes.next().await {
            Some(event) => event.map(drop),
            None => Err(ErrorKind::UnexpectedEof.into()),
        }
    }
}
