//! The folder that a run leaves behind.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};

/// A folder for files of this run, in the hands of the person who called.
#[derive(Clone, Debug)]
pub struct Folder {
    path: PathBuf,
    owner: Option<(u32, u32)>,
}

impl Folder {
    /// Creates a folder, and its parents, where they are not there yet.
    pub fn create(path: impl Into<PathBuf>) -> io::Result<Self> {
        let folder = Self {
            path: path.into(),
            owner: caller(),
        };
        let missing: Vec<&Path> = folder
            .path
            .ancestors()
            .take_while(|path| !path.as_os_str().is_empty() && !path.exists())
            .collect();
        for path in missing.into_iter().rev() {
            match fs::create_dir(path) {
                // Another play was quicker.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                created => created.and_then(|()| folder.give(path))?,
            }
        }
        Ok(folder)
    }

    /// Creates a folder in this one, empty: what an earlier run left there goes.
    pub fn fresh(&self, name: &str) -> io::Result<Self> {
        let path = self.path.join(name);
        match fs::remove_dir_all(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        Self::create(path)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Opens a file to write at its end.
    pub fn append(&self, name: &str) -> io::Result<File> {
        let path = self.path.join(name);
        let file = OpenOptions::new().append(true).create(true).open(&path)?;
        self.give(&path)?;
        Ok(file)
    }

    /// Writes a whole file.
    pub fn write(&self, name: &str, content: &str) -> io::Result<()> {
        let path = self.path.join(name);
        fs::write(&path, content)?;
        self.give(&path)
    }

    fn give(&self, path: &Path) -> io::Result<()> {
        match self.owner {
            Some((user, group)) => chown(path, Some(user), Some(group)),
            None => Ok(()),
        }
    }
}

/// Who called sudo, where somebody did and we are root.
fn caller() -> Option<(u32, u32)> {
    if !nix::unistd::geteuid().is_root() {
        return None;
    }
    let id = |name| std::env::var(name).ok()?.parse().ok();
    Some((id("SUDO_UID")?, id("SUDO_GID")?))
}
