//! When somebody writes a file.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use futures_util::StreamExt;
use inotify::{EventMask, EventStream, Inotify, WatchMask, Watches};

/// Watches the files' folders, since many replace a file by rename(2), and the files themselves, which
/// may be mounts: who writes to one of them does so in another folder.
pub(super) struct Changes {
    events: EventStream<[u8; 4096]>,
    files: Vec<PathBuf>,
    names: BTreeSet<OsString>,
}

impl Changes {
    /// Watches nothing yet.
    pub(super) fn open() -> io::Result<Self> {
        Ok(Self {
            events: Inotify::init()?.into_event_stream([0; 4096])?,
            files: Vec::new(),
            names: BTreeSet::new(),
        })
    }

    /// Watches these files from now on.
    pub(super) fn watch(&mut self, files: Vec<PathBuf>) -> io::Result<()> {
        for folder in files.iter().filter_map(|file| file.parent()) {
            // Not CREATE: what is just made may be half of what is to be in it.
            let mask = WatchMask::CLOSE_WRITE | WatchMask::MOVED_TO | WatchMask::DELETE;
            watch(self.events.watches(), folder, mask)?;
        }
        let names = files.iter().filter_map(|file| file.file_name());
        self.names = names.map(OsString::from).collect();
        self.files = files;
        self.watch_files()
    }

    /// Watches what is there now in the place of the files.
    fn watch_files(&self) -> io::Result<()> {
        for file in &self.files {
            let mask = WatchMask::CLOSE_WRITE | WatchMask::DONT_FOLLOW;
            watch(self.events.watches(), file, mask)?;
        }
        Ok(())
    }

    /// Waits for a change.
    pub(super) async fn next(&mut self) -> io::Result<()> {
        loop {
            let event = self.events.next().await;
            let event = event.unwrap_or_else(|| Err(ErrorKind::UnexpectedEof.into()))?;
            let lost = event.mask.contains(EventMask::Q_OVERFLOW);
            // Of the files themselves there is no name.
            let concerned = event.name.is_none_or(|name| self.names.contains(&name));
            if lost || concerned {
                return self.watch_files();
            }
        }
    }
}

/// Of what is not there, nothing is watched.
fn watch(mut watches: Watches, what: &Path, mask: WatchMask) -> io::Result<()> {
    match watches.add(what, mask) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        added => added.map(drop),
    }
}
