//! Where held labs are found: a folder with one socket for each.
//!
//! The folder belongs to one user and nobody else can write to it. A lab that was killed leaves its
//! socket behind, on which nobody listens any more: whoever meets such a socket removes it. Making
//! and removing is done under a lock of the folder (flock(2)), so that nobody removes a socket that
//! has just been made in the place of an old one.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::AT_FDCWD;
use nix::sys::socket::{
    AddressFamily, Backlog, SockFlag, SockType, UnixAddr, bind, connect, listen, socket,
};
use nix::sys::stat::{FchmodatFlags, Mode, fchmodat};
use nix::unistd::geteuid;

use super::{DeskError, LabName};

/// Names the folder, in place of the usual one.
const VARIABLE: &str = "FPS_LAB_RUNTIME_DIR";
/// What a socket's name ends with.
const END: &str = "sock";

/// The folder of one user's labs.
#[derive(Clone, Debug)]
pub struct RuntimeFolder {
    path: PathBuf,
}

/// A name that is taken: a socket on which this process listens. Dropping it gives it back.
#[derive(Debug)]
pub(super) struct Claim {
    folder: RuntimeFolder,
    pub(super) name: LabName,
    pub(super) listener: OwnedFd,
}

impl RuntimeFolder {
    /// The folder that `FPS_LAB_RUNTIME_DIR` names; else `/run/fps-lab` for root, and `fps-lab` in
    /// `XDG_RUNTIME_DIR` for everybody else.
    pub fn find() -> Result<Self, DeskError> {
        let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        let path = match variable(VARIABLE) {
            Some(path) => path.into(),
            None if geteuid().is_root() => "/run/fps-lab".into(),
            None => {
                let runtime = variable("XDG_RUNTIME_DIR").ok_or(DeskError::NoFolder)?;
                Path::new(&runtime).join("fps-lab")
            }
        };
        Ok(Self { path })
    }

    /// Takes a name for a lab of this process.
    pub(super) fn claim(&self, name: &LabName) -> Result<Claim, DeskError> {
        let _lock = self.make()?;
        let path = self.socket(name);
        if let Some(_lab) = reach(&path)? {
            return Err(DeskError::Taken(name.clone()));
        }
        remove(&path)?;
        let listener = listen_at(&path)
            .map_err(|errno| failed("listen on", &path, &io::Error::from(errno)))?;
        Ok(Claim {
            folder: self.clone(),
            name: name.clone(),
            listener,
        })
    }

    /// The labs that are up, by name, each with a connection to it.
    pub(super) fn labs(&self) -> Result<Vec<(LabName, OwnedFd)>, DeskError> {
        let Some(_lock) = self.open()? else {
            return Ok(Vec::new());
        };
        let listing = fs::read_dir(&self.path).map_err(|e| failed("read", &self.path, &e))?;
        let mut labs = Vec::new();
        for entry in listing {
            let path = entry.map_err(|e| failed("read", &self.path, &e))?.path();
            let Some(name) = lab_at(&path) else { continue };
            match reach(&path)? {
                Some(lab) => labs.push((name, lab)),
                None => remove(&path)?,
            }
        }
        labs.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok(labs)
    }

    fn socket(&self, name: &LabName) -> PathBuf {
        self.path.join(format!("{name}.{END}"))
    }

    /// Opens and locks the folder, and makes it where it is not there yet.
    fn make(&self) -> Result<File, DeskError> {
        loop {
            let made = DirBuilder::new().mode(0o700).create(&self.path);
            match made {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                    return Err(failed("create", &self.path, &error));
                }
                _ => {}
            }
            // Another lab may have removed it meanwhile, as it does when it was the last.
            if let Some(lock) = self.open()? {
                return Ok(lock);
            }
        }
    }

    /// Opens and locks the folder; none where there is none.
    fn open(&self) -> Result<Option<File>, DeskError> {
        let about = match fs::symlink_metadata(&self.path) {
            Ok(about) => about,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed("look at", &self.path, &error)),
        };
        self.trust(&about)?;
        let opened = File::open(&self.path).and_then(|folder| {
            folder.lock()?;
            Ok(folder)
        });
        let folder = match opened {
            Ok(folder) => folder,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed("open", &self.path, &error)),
        };
        // The lock is worth something only if this still is the folder of that name.
        let number = |about: &fs::Metadata| (about.dev(), about.ino());
        let (locked, named) = (folder.metadata(), fs::symlink_metadata(&self.path));
        match (locked, named) {
            (Ok(locked), Ok(named)) if number(&locked) == number(&named) => Ok(Some(folder)),
            _ => Ok(None),
        }
    }

    /// Refuses a folder in which somebody else could have put a socket of his own.
    fn trust(&self, about: &fs::Metadata) -> Result<(), DeskError> {
        let untrusted = |why: String| DeskError::Untrusted {
            path: self.path.clone(),
            why,
        };
        if !about.is_dir() {
            return Err(untrusted("is no folder".to_owned()));
        }
        let (owner, us) = (about.uid(), geteuid());
        if owner != us.as_raw() && owner != 0 && !us.is_root() {
            return Err(untrusted(format!("belongs to user {owner}")));
        }
        let mode = about.permissions().mode() & 0o7777;
        if mode & 0o022 != 0 {
            return Err(untrusted(format!(
                "can be written to by others (mode {mode:04o})"
            )));
        }
        Ok(())
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let Ok(Some(_lock)) = self.folder.open() else {
            return;
        };
        // Whoever comes next would find nobody who listens, and remove it.
        drop(fs::remove_file(self.folder.socket(&self.name)));
        // Only if it is empty.
        drop(fs::remove_dir(&self.folder.path));
    }
}

/// The name of the lab whose socket this is; none of another file.
fn lab_at(path: &Path) -> Option<LabName> {
    let of_a_lab = path.extension().is_some_and(|end| end == END);
    of_a_lab.then(|| path.file_stem()?.to_str()?.parse().ok())?
}

/// A connection to who listens on a socket; none where nobody does.
fn reach(path: &Path) -> Result<Option<OwnedFd>, DeskError> {
    let connected = || {
        let socket = unix_socket()?;
        connect(socket.as_raw_fd(), &UnixAddr::new(path)?)?;
        Ok(socket)
    };
    match connected() {
        Ok(socket) => Ok(Some(socket)),
        Err(Errno::ENOENT | Errno::ECONNREFUSED) => Ok(None),
        Err(errno) => Err(failed("connect to", path, &io::Error::from(errno))),
    }
}

fn listen_at(path: &Path) -> nix::Result<OwnedFd> {
    let socket = unix_socket()?;
    bind(socket.as_raw_fd(), &UnixAddr::new(path)?)?;
    // Before anybody can come: a socket is made with all permissions that the umask leaves.
    chmod(path)?;
    listen(&socket, Backlog::MAXALLOWABLE)?;
    Ok(socket)
}

fn chmod(path: &Path) -> nix::Result<()> {
    let owner = Mode::S_IRUSR | Mode::S_IWUSR;
    fchmodat(AT_FDCWD, path, owner, FchmodatFlags::FollowSymlink)
}

fn unix_socket() -> nix::Result<OwnedFd> {
    let flags = SockFlag::SOCK_CLOEXEC;
    socket(AddressFamily::Unix, SockType::SeqPacket, flags, None)
}

fn remove(path: &Path) -> Result<(), DeskError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(failed("remove", path, &error))
        }
        _ => Ok(()),
    }
}

fn failed(operation: &'static str, path: &Path, cause: &io::Error) -> DeskError {
    // A path that is too long says nothing but that.
    let cause = match cause.raw_os_error().map(Errno::from_raw) {
        Some(Errno::ENAMETOOLONG) => io::Error::other(format!(
            "a socket's path has at most 107 bytes: set {VARIABLE} to a shorter one"
        )),
        Some(errno) => errno.into(),
        None => io::Error::new(cause.kind(), cause.to_string()),
    };
    DeskError::Folder {
        operation,
        path: path.to_owned(),
        cause,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn folder() -> (tempfile::TempDir, RuntimeFolder) {
        let place = tempfile::tempdir().expect("a temporary folder");
        let path = place.path().join("labs");
        (place, RuntimeFolder { path })
    }

    fn name(text: &str) -> LabName {
        text.parse().expect("a name")
    }

    fn names(folder: &RuntimeFolder) -> Vec<String> {
        let labs = folder.labs().expect("the folder can be read");
        labs.iter().map(|(name, _)| name.to_string()).collect()
    }

    #[test]
    fn a_name_is_taken_once_and_given_back() {
        let (_place, folder) = folder();
        assert_eq!(names(&folder), [""; 0]);
        let first = folder.claim(&name("a")).expect("it is free");
        let taken = folder.claim(&name("a")).expect_err("it is taken");
        assert!(matches!(taken, DeskError::Taken(_)), "{taken}");
        let second = folder.claim(&name("b")).expect("it is free");
        assert_eq!(names(&folder), ["a", "b"]);
        drop(first);
        assert_eq!(names(&folder), ["b"]);
        drop(second);
        assert!(!folder.path.exists(), "the last one removes the folder");
    }

    #[test]
    fn the_socket_of_one_who_is_gone_is_removed() {
        let (_place, folder) = folder();
        let mut claim = folder.claim(&name("a")).expect("it is free");
        // As the kernel does when a process is killed.
        claim.listener = unix_socket().expect("a socket");
        let path = folder.socket(&name("a"));
        assert!(path.exists());
        assert_eq!(names(&folder), [""; 0]);
        assert!(!path.exists(), "it was removed");
        let again = folder.claim(&name("a")).expect("it is free");
        assert_eq!(names(&folder), ["a"]);
        drop(again);
    }

    #[test]
    fn a_folder_that_others_may_write_to_is_refused() {
        let (_place, folder) = folder();
        fs::create_dir(&folder.path).expect("make it");
        let all = fs::Permissions::from_mode(0o777);
        fs::set_permissions(&folder.path, all).expect("open it");
        let refused = folder.claim(&name("a")).expect_err("others may write");
        assert!(refused.to_string().contains("(mode 0777)"), "{refused}");
    }

    #[test]
    fn a_folder_that_is_a_link_is_refused() {
        let (place, folder) = folder();
        symlink(place.path(), &folder.path).expect("link it");
        let refused = folder.labs().expect_err("it is a link");
        assert!(refused.to_string().contains("is no folder"), "{refused}");
    }
}
