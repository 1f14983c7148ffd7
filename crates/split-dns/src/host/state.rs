//! Where the resolver of a host keeps what another run has to find.

use std::fs::{self, DirBuilder, File, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use fps_netlink::namespace_name;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::backup::Backup;
use super::link::Links;

/// A folder for this network namespace.
#[derive(Clone, Debug)]
pub(super) struct State(PathBuf);

/// Held by the one that runs.
#[derive(Debug)]
pub(super) struct Lock(#[expect(dead_code, reason = "closed when it is dropped")] File);

impl State {
    /// Below this folder. Makes it where it is missing, for root alone.
    pub(super) fn open(folder: &Path) -> io::Result<Self> {
        let own = folder.join(namespace_name()?);
        DirBuilder::new().recursive(true).create(folder)?;
        match DirBuilder::new().mode(0o700).create(&own) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        Ok(Self(own))
    }

    /// Keeps others from running; none where another does.
    pub(super) fn lock(&self) -> io::Result<Option<Lock>> {
        let file = File::options()
            .create(true)
            .append(true)
            .open(self.0.join("lock"))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Lock(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// The socket at which it is told what to do.
    pub(super) fn control(&self) -> PathBuf {
        self.0.join("control")
    }

    /// What it says, where nobody else listens.
    pub(super) fn log(&self) -> PathBuf {
        self.0.join("log")
    }

    /// What the links have; nothing where that cannot be read.
    pub(super) fn links(&self) -> Links {
        self.read("links.json")
    }

    /// Writes that.
    pub(super) fn save_links(&self, links: &Links) -> io::Result<()> {
        self.save("links.json", links)
    }

    /// What was in the file; nothing where that cannot be read.
    pub(super) fn backup(&self) -> Backup {
        self.read("backup.json")
    }

    /// Writes that.
    pub(super) fn save_backup(&self, backup: &Backup) -> io::Result<()> {
        self.save("backup.json", backup)
    }

    /// Forgets it.
    pub(super) fn remove_backup(&self) -> io::Result<()> {
        match fs::remove_file(self.0.join("backup.json")) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    fn read<T: DeserializeOwned + Default>(&self, name: &str) -> T {
        let file = self.0.join(name);
        let read = match fs::read(&file) {
            Err(error) if error.kind() == ErrorKind::NotFound => return T::default(),
            read => read.and_then(|bytes| serde_json::from_slice(&bytes).map_err(io::Error::other)),
        };
        read.unwrap_or_else(|error| {
            let file = file.display().to_string();
            tracing::warn!(event = "state_unreadable", file, error = %error);
            T::default()
        })
    }

    /// In the place of the one before, whole or not at all.
    fn save(&self, name: &str, value: &impl Serialize) -> io::Result<()> {
        let new = self.0.join(format!("{name}.new"));
        fs::write(&new, serde_json::to_vec(value)?)?;
        fs::rename(&new, self.0.join(name))
    }
}
