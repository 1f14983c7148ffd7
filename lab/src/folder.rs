//! The folder that a run leaves behind.
//!
//! Under sudo root writes where others may write too, and gives away what it has made. So below
//! the run's folder everything is opened from the folder that holds it, no symbolic link is
//! followed, and only what we have made changes hands.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, fchown, lchown};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, openat};
use nix::sys::stat::{Mode, fstatat, mkdirat};
use serde::Serialize;

/// The file that marks a folder as ours, which the next run may remove.
const MARK: &str = ".fps-lab";

/// A folder for files of this run, in the hands of the person who called.
#[derive(Clone, Debug)]
pub struct Folder {
    path: PathBuf,
    handle: Arc<OwnedFd>,
    owner: Option<(u32, u32)>,
}

impl Folder {
    /// Creates a folder, and its parents, where they are not there yet. One that is there must
    /// be root's or the caller's.
    pub fn create(path: impl Into<PathBuf>) -> io::Result<Self> {
        let (path, owner) = (path.into(), caller());
        let missing: Vec<&Path> = path
            .ancestors()
            .take_while(|path| !path.as_os_str().is_empty() && !path.exists())
            .collect();
        for path in missing.into_iter().rev() {
            match (fs::create_dir(path), owner) {
                // Another run was quicker.
                (Err(error), _) if error.kind() == io::ErrorKind::AlreadyExists => {}
                (Ok(()), Some((user, group))) => lchown(path, Some(user), Some(group))?,
                (created, _) => created?,
            }
        }
        let opened = File::options()
            .read(true)
            .custom_flags(OFlag::O_DIRECTORY.bits())
            .open(&path)?;
        let folder = Self {
            path,
            handle: Arc::new(opened.into()),
            owner,
        };
        // Where it is a link, its owner chooses what we write to.
        folder.trust(fs::symlink_metadata(&folder.path)?.uid())?;
        folder.trust_itself()
    }

    /// Creates a folder below this one, empty. What an earlier run left there goes, but nothing
    /// else does.
    pub fn fresh(&self, name: &str) -> io::Result<Self> {
        let (parent, name) = match name.rsplit_once('/') {
            Some((parents, name)) => {
                let enter = |folder: Self, name: &str| folder.enter(name);
                (parents.split('/').try_fold(self.clone(), enter)?, name)
            }
            None => (self.clone(), name),
        };
        let mut folder = parent.enter(name)?;
        if fstatat(&folder.handle, MARK, AtFlags::AT_SYMLINK_NOFOLLOW).is_ok() {
            // This does not follow links either.
            fs::remove_dir_all(parent.by_handle().join(name))?;
            folder = parent.enter(name)?;
        } else if fs::read_dir(folder.by_handle())?.next().is_some() {
            let path = folder.path.display();
            return Err(io::Error::other(format!(
                "{path} holds files and no {MARK}, so it is not ours to empty: move it away, or \
                 name another folder with --out"
            )));
        }
        folder.write(MARK, "Made by fps-lab. Its next run removes this folder.\n")?;
        Ok(folder)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Opens a file to write at its end.
    pub fn append(&self, name: &str) -> io::Result<File> {
        self.open(name, OFlag::O_APPEND)
    }

    /// Opens a file to write, empty.
    pub fn overwrite(&self, name: &str) -> io::Result<File> {
        self.open(name, OFlag::O_TRUNC)
    }

    /// Writes a whole file.
    pub fn write(&self, name: &str, content: &str) -> io::Result<()> {
        self.overwrite(name)?.write_all(content.as_bytes())
    }

    /// Writes a value as JSON that people can read.
    pub fn write_json(&self, name: &str, value: &impl Serialize) -> io::Result<()> {
        let mut file = io::BufWriter::new(self.open(name, OFlag::O_TRUNC)?);
        serde_json::to_writer_pretty(&mut file, value)?;
        file.write_all(b"\n")?;
        // A buffer that is dropped does not tell what it could not write.
        file.flush()
    }

    /// The names of the files in it that end so, sorted.
    pub fn list(&self, end: &str) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(self.by_handle())? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if name.ends_with(end) {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }

    fn open(&self, name: &str, flags: OFlag) -> io::Result<File> {
        let flags = flags | OFlag::O_WRONLY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let new = flags | OFlag::O_CREAT | OFlag::O_EXCL;
        let opened = match openat(&self.handle, name, new, Mode::from_bits_truncate(0o666)) {
            Ok(file) => self.give(&file).map(|()| file.into()),
            // What is there already belongs to somebody.
            Err(Errno::EEXIST) => openat(&self.handle, name, flags, Mode::empty())
                .map(File::from)
                .map_err(not_followed),
            Err(errno) => Err(errno.into()),
        };
        opened.map_err(|error| self.name_in(name, &error))
    }

    /// Opens a folder in this one, and makes it where it is not there yet.
    fn enter(&self, name: &str) -> io::Result<Self> {
        let failed = |errno| self.name_in(name, &not_followed(errno));
        let made = match mkdirat(&self.handle, name, Mode::from_bits_truncate(0o777)) {
            Ok(()) => true,
            Err(Errno::EEXIST) => false,
            Err(errno) => return Err(failed(errno)),
        };
        let flags = OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let handle = openat(&self.handle, name, flags, Mode::empty()).map_err(failed)?;
        let folder = Self {
            path: self.path.join(name),
            handle: Arc::new(handle),
            owner: self.owner,
        }
        .trust_itself()?;
        if made {
            folder.give(&folder.handle)?;
        }
        Ok(folder)
    }

    fn trust_itself(self) -> io::Result<Self> {
        self.trust(fs::metadata(self.by_handle())?.uid())?;
        Ok(self)
    }

    /// Refuses what somebody owns who is neither root nor the caller: they could have our files.
    fn trust(&self, user: u32) -> io::Result<()> {
        let caller = self.owner.map(|(user, _)| user);
        let ours = [Some(0), Some(nix::unistd::geteuid().as_raw()), caller];
        if ours.contains(&Some(user)) {
            return Ok(());
        }
        Err(io::Error::other(format!(
            "{} belongs to user {user}, who is neither root nor the caller: name another folder \
             with --out",
            self.path.display()
        )))
    }

    /// The folder's path, whatever has been renamed meanwhile.
    fn by_handle(&self) -> PathBuf {
        format!("/proc/self/fd/{}", self.handle.as_raw_fd()).into()
    }

    fn name_in(&self, name: &str, error: &io::Error) -> io::Error {
        io::Error::other(format!("{}: {error}", self.path.join(name).display()))
    }

    fn give(&self, file: impl AsFd) -> io::Result<()> {
        match self.owner {
            Some((user, group)) => fchown(file, Some(user), Some(group)),
            None => Ok(()),
        }
    }
}

/// Says in plain words what O_NOFOLLOW has met.
fn not_followed(errno: Errno) -> io::Error {
    match errno {
        Errno::ELOOP => io::Error::other("it is a symbolic link, and none is followed here"),
        errno => errno.into(),
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
