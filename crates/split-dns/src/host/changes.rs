//! When somebody writes a file.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use futures_util::StreamExt;
use inotify::{EventMask, EventOwned, EventStream, Inotify, WatchMask, Watches};
use nix::errno::Errno;

/// Watches the files' folders, since many replace a file by rename(2), and the files themselves, which
/// may be mounts: who writes to one of them does so in another folder. Of a folder that is not there yet
/// the one above is watched in which it, or what leads to it, will be.
pub(super) struct Changes {
    events: EventStream<[u8; 4096]>,
    files: Vec<PathBuf>,
    names: BTreeSet<OsString>,
    /// What is on the way to a folder and not there yet.
    awaited: BTreeSet<OsString>,
}

fn instance() -> io::Result<Inotify> {
    Inotify::init().map_err(|error| match error.raw_os_error().map(Errno::from_raw) {
        // Of files, or far likelier of these: inotify_init(2) has one errno for both.
        Some(Errno::EMFILE) => io::Error::other(
            "no inotify instance is left for this user: raise fs.inotify.max_user_instances",
        ),
        _ => error,
    })
}

impl Changes {
    /// Watches nothing yet.
    pub(super) fn open() -> io::Result<Self> {
        Ok(Self {
            events: instance()?.into_event_stream([0; 4096])?,
            files: Vec::new(),
            names: BTreeSet::new(),
            awaited: BTreeSet::new(),
        })
    }

    /// Watches these files from now on.
    pub(super) fn watch(&mut self, files: Vec<PathBuf>) -> io::Result<()> {
        let names = files.iter().filter_map(|file| file.file_name());
        self.names = names.map(OsString::from).collect();
        self.files = files;
        self.watch_folders()?;
        self.watch_files()
    }

    fn watch_folders(&mut self) -> io::Result<()> {
        self.awaited.clear();
        for folder in self.files.iter().filter_map(|file| file.parent()) {
            // Not CREATE: what is just made may be half of what is to be in it.
            let mask = WatchMask::CLOSE_WRITE | WatchMask::MOVED_TO | WatchMask::DELETE;
            while !watch(self.events.watches(), folder, mask | WatchMask::MASK_ADD)? {
                let Some((above, name)) = way_to(folder) else {
                    break;
                };
                let mask = WatchMask::CREATE | WatchMask::MOVED_TO | WatchMask::MASK_ADD;
                if !watch(self.events.watches(), above, mask)? {
                    continue;
                }
                // Made meanwhile, it is told by nothing.
                if !above.join(name).is_dir() {
                    self.awaited.insert(name.to_owned());
                    break;
                }
            }
        }
        Ok(())
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
            // Of a folder that has gone the kernel ends the watch, and of what it has lost any may have
            // been of one.
            let signs = EventMask::IGNORED | EventMask::Q_OVERFLOW;
            let folders = event.mask.intersects(signs) || self.is_awaited(&event);
            if folders {
                self.watch_folders()?;
            }
            if folders || self.is_of_a_file(&event) {
                return self.watch_files();
            }
        }
    }

    fn is_awaited(&self, event: &EventOwned) -> bool {
        let name = event.name.as_ref();
        name.is_some_and(|name| self.awaited.contains(name))
    }

    /// Of the files themselves there is no name.
    fn is_of_a_file(&self, event: &EventOwned) -> bool {
        let mut names = event.name.iter();
        let ours = names.all(|name| self.names.contains(name));
        ours && !event.mask.contains(EventMask::CREATE)
    }
}

/// The last folder on the way to one that is there, and what is to come in it.
fn way_to(folder: &Path) -> Option<(&Path, &OsStr)> {
    folder.ancestors().find_map(|way| {
        let above = way.parent().filter(|above| above.is_dir())?;
        Some((above, way.file_name()?))
    })
}

/// Says whether it is there: else nothing is watched.
fn watch(mut watches: Watches, what: &Path, mask: WatchMask) -> io::Result<bool> {
    match watches.add(what, mask) {
        // What should be a folder may be something else.
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Ok(false)
        }
        added => added.map(|_| true),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::Duration;

    use super::*;

    /// Long enough for an event that has been made already.
    const SOON: Duration = Duration::from_secs(5);

    async fn told(changes: &mut Changes) {
        let told = tokio::time::timeout(SOON, changes.next()).await;
        told.expect("a change").expect("it can be watched");
    }

    #[tokio::test]
    async fn a_file_whose_folder_comes_later_is_watched() {
        let place = tempfile::tempdir().expect("a temporary folder");
        let folder = place.path().join("systemd/resolve");
        let file = folder.join("stub-resolv.conf");
        let mut changes = Changes::open().expect("inotify");
        changes
            .watch(vec![file.clone()])
            .expect("it can be watched");
        // Another's is none, and so what comes next is told of the folder.
        fs::create_dir(place.path().join("other")).expect("a folder");
        for part in ["systemd", "systemd/resolve"] {
            fs::create_dir(place.path().join(part)).expect("a folder");
            told(&mut changes).await;
        }
        fs::write(&file, "nameserver 192.0.2.1\n").expect("a file");
        told(&mut changes).await;
        // It goes, and comes again.
        fs::remove_dir_all(&folder).expect("it is there");
        while changes.awaited.is_empty() {
            told(&mut changes).await;
        }
        fs::create_dir(&folder).expect("a folder");
        told(&mut changes).await;
        fs::write(&file, "nameserver 192.0.2.2\n").expect("a file");
        told(&mut changes).await;
    }
}
