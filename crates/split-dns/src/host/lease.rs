//! A file that nobody else has open.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::libc;

/// For how long somebody who has the file open is waited for. Those who read it are done in less; who
/// keeps it open for longer is not about to write it.
const PATIENCE: Duration = Duration::from_millis(50);

/// `include/uapi/asm-generic/fcntl.h`; libc has it for few systems.
const F_SETSIG: libc::c_int = 10;

/// A write lease (fcntl(2), F_SETLEASE): the kernel gives it while nobody else has the file open, and lets
/// whoever opens it then wait until the lease has gone. So between a look and a write nobody writes.
#[derive(Debug)]
pub(super) struct Lease<'a>(&'a File);

impl<'a> Lease<'a> {
    /// Of a file that is open for reading and writing. None where somebody keeps it open, and on a file
    /// system that has no leases: whoever writes then can do no better than to look first.
    #[expect(
        clippy::disallowed_methods,
        reason = "no event tells that the last other one has closed a file"
    )]
    pub(super) fn take(file: &'a File) -> io::Result<Option<Self>> {
        // The kernel tells the holder of who waits, by default with SIGIO, which would end this program;
        // SIGURG does nothing by default (signal(7)).
        fcntl(file, F_SETSIG, libc::SIGURG)?;
        let end = Instant::now() + PATIENCE;
        loop {
            match fcntl(file, libc::F_SETLEASE, libc::F_WRLCK) {
                Ok(()) => return Ok(Some(Self(file))),
                Err(Errno::EAGAIN) if Instant::now() < end => {
                    thread::sleep(Duration::from_millis(1));
                }
                // EACCES: it is another user's.
                Err(Errno::EAGAIN | Errno::EINVAL | Errno::EACCES | Errno::EOPNOTSUPP) => {
                    return Ok(None);
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        // What cannot be given back ends with the descriptor.
        let _ = fcntl(self.0, libc::F_SETLEASE, libc::F_UNLCK);
    }
}

/// nix has none of these commands.
fn fcntl(file: &File, command: libc::c_int, argument: libc::c_int) -> Result<(), Errno> {
    // SAFETY: both commands take an integer, and the descriptor is open as long as it is borrowed.
    let result = unsafe { libc::fcntl(file.as_raw_fd(), command, argument) };
    Errno::result(result).map(drop)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn nobody_opens_a_file_while_it_is_leased() {
        let place = tempfile::tempdir().expect("a temporary folder");
        let path = place.path().join("file");
        fs::write(&path, "theirs").expect("a file");
        let open = || File::options().read(true).write(true).open(&path);
        let file = open().expect("it is there");
        let lease = Lease::take(&file).expect("it is open");
        assert!(lease.is_some());
        let (opened, news) = mpsc::channel();
        thread::scope(|scope| {
            scope.spawn(|| {
                let other = open().expect("it is there");
                opened.send(()).expect("somebody hears it");
                drop(other);
            });
            let early = news.recv_timeout(Duration::from_millis(100));
            assert_eq!(early, Err(mpsc::RecvTimeoutError::Timeout));
            drop(lease);
            news.recv_timeout(Duration::from_secs(10))
                .expect("it is opened");
        });
    }

    #[test]
    fn there_is_none_while_somebody_has_it_open() {
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        let other = file.reopen().expect("it is there");
        assert!(Lease::take(file.as_file()).expect("it is open").is_none());
        drop(other);
        assert!(Lease::take(file.as_file()).expect("it is open").is_some());
    }
}
