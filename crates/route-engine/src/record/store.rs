//! The folder of records.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use fps_netlink::{LinkName, namespace_name};

use super::{Known, Record, VERSION};
use crate::Error;

/// How long to wait for another `fps-route` at work in this network namespace. It may have to wait for a
/// resolver that gives no answer: to look, to set something and to set it back, for 12 s each
/// (`execute/stub.rs`).
const PATIENCE: Duration = Duration::from_secs(45);

/// How often to ask. There is no event to wait for but the lock itself, and to wait in flock(2)
/// knows no deadline.
const ASK_AGAIN: Duration = Duration::from_millis(5);

/// The records of one network namespace: a file for each device.
#[derive(Clone, Debug)]
pub struct Store {
    folder: PathBuf,
}

/// Held while what stands is looked at and changed: two at once would each take what the other is
/// about to set for free.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Store {
    /// The records below a folder of the calling thread's network namespace. Nothing is made yet.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        let name = namespace_name().map_err(Error::Namespace)?;
        Ok(Self {
            folder: folder.join(name),
        })
    }

    /// Makes the folder where there is none, and waits until nobody else is at work.
    pub async fn lock(&self) -> Result<Lock, Error> {
        let file = self.folder.join("lock");
        let open = || -> io::Result<File> {
            fs::create_dir_all(&self.folder)?;
            File::options().create(true).append(true).open(&file)
        };
        let lock = open().map_err(|cause| self.cannot("lock", &file, cause))?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            match lock.try_lock() {
                Ok(()) => return Ok(Lock { _file: lock }),
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => {
                    tokio::time::sleep(ASK_AGAIN).await;
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(Error::Busy(PATIENCE));
                }
                Err(TryLockError::Error(cause)) => return Err(self.cannot("lock", &file, cause)),
            }
        }
    }

    /// Keeps a device to whoever holds the lock, as long as it is held. Fails where another does.
    pub fn keep(&self, tun: LinkName) -> Result<Lock, Error> {
        let name = self.folder.join(format!("{tun}.watch"));
        let open = || -> io::Result<File> {
            fs::create_dir_all(&self.folder)?;
            File::options()
                .create(true)
                .truncate(false)
                .write(true)
                .open(&name)
        };
        let mut file = open().map_err(|cause| self.cannot("lock", &name, cause))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(self.watched(tun)),
            Err(TryLockError::Error(cause)) => return Err(self.cannot("lock", &name, cause)),
        }
        let pid = format!("{}\n", std::process::id());
        let write = file
            .set_len(0)
            .and_then(|()| file.write_all(pid.as_bytes()));
        write.map_err(|cause| self.cannot("write", &name, cause))?;
        Ok(Lock { _file: file })
    }

    /// Fails where somebody keeps a device.
    pub fn refuse_if_kept(&self, tun: LinkName) -> Result<(), Error> {
        let name = self.folder.join(format!("{tun}.watch"));
        let file = match File::open(&name) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            file => file.map_err(|cause| self.cannot("read", &name, cause))?,
        };
        match file.try_lock_shared() {
            Ok(()) => Ok(()),
            Err(TryLockError::WouldBlock) => Err(self.watched(tun)),
            Err(TryLockError::Error(cause)) => Err(self.cannot("lock", &name, cause)),
        }
    }

    fn watched(&self, tun: LinkName) -> Error {
        let name = self.folder.join(format!("{tun}.watch"));
        let pid = fs::read_to_string(name).unwrap_or_default();
        let pid = match pid.trim() {
            "" => "?".to_owned(),
            pid => pid.to_owned(),
        };
        Error::Watched { tun, pid }
    }

    /// The record of a device; none where there is none.
    pub fn record(&self, tun: LinkName) -> Result<Option<Record>, Error> {
        self.read(&self.file(tun))
    }

    fn read(&self, file: &Path) -> Result<Option<Record>, Error> {
        let text = match fs::read(file) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(cause) => return Err(unreadable(file, cause)),
        };
        let record: Record = serde_json::from_slice(&text)
            .map_err(|cause| unreadable(file, io::Error::other(cause)))?;
        if record.version != VERSION {
            let cause = format!("it has version {}, not {VERSION}", record.version);
            return Err(unreadable(file, io::Error::other(cause)));
        }
        Ok(Some(record))
    }

    /// All that is recorded, as seen from a device.
    pub fn known(&self, tun: LinkName) -> Known {
        let mut known = Known::default();
        let files = self.files().unwrap_or_else(|cause| {
            known.complaints.push(unreadable(&self.folder, cause));
            known.ownership.unknown = true;
            Vec::new()
        });
        for file in files {
            match self.read(&file) {
                Ok(None) => {}
                Ok(Some(record)) if record.tun == tun => {
                    known.ownership.own = Some(record.claim());
                    known.ownership.addresses.clone_from(&record.addresses);
                    known.ownership.dns = record.dns();
                    known.ownership.resolvers = record.resolvers();
                    known.record = Some(record);
                }
                Ok(Some(record)) => known.ownership.others.push(record.claim()),
                Err(error) => {
                    known.ownership.unknown |= file != self.file(tun);
                    known.complaints.push(error);
                }
            }
        }
        known
    }

    fn files(&self) -> io::Result<Vec<PathBuf>> {
        let entries = match fs::read_dir(&self.folder) {
            // Nothing has been applied yet.
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let files = entries.map(|entry| Ok(entry?.path()));
        let mut files = files.collect::<io::Result<Vec<PathBuf>>>()?;
        files.retain(|file| file.extension().is_some_and(|ending| ending == "json"));
        files.sort();
        Ok(files)
    }

    /// Writes a record in the place of the one before, whole or not at all.
    pub fn save(&self, record: &Record) -> Result<(), Error> {
        let (file, new) = (self.file(record.tun), self.folder.join("new"));
        let save = || -> io::Result<()> {
            let text = serde_json::to_vec(record)?;
            fs::write(&new, text)?;
            fs::rename(&new, &file)
        };
        save().map_err(|cause| self.cannot("write", &file, cause))
    }

    /// Forgets a device.
    pub fn remove(&self, tun: LinkName) -> Result<(), Error> {
        let file = self.file(tun);
        match fs::remove_file(&file) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(self.cannot("remove", &file, error))
            }
            _ => Ok(()),
        }
    }

    fn file(&self, tun: LinkName) -> PathBuf {
        self.folder.join(format!("{tun}.json"))
    }

    fn cannot(&self, what: &'static str, file: &Path, cause: io::Error) -> Error {
        let file = file.display().to_string();
        Error::Record { what, file, cause }
    }
}

fn unreadable(file: &Path, cause: io::Error) -> Error {
    let file = file.display().to_string();
    Error::UnreadableRecord { file, cause }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Intent;

    fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        (folder, store)
    }

    fn record(tun: &str, route: &str) -> Record {
        let tun = tun.parse().unwrap();
        let intent = Intent::new(tun, vec![], None, vec![route.parse().unwrap()]).unwrap();
        Record::new(
            (tun, None),
            vec![intent],
            vec!["10.66.0.2/30".parse().unwrap()],
        )
    }

    #[tokio::test]
    async fn a_record_reads_as_it_was_written() {
        let (_folder, store) = store();
        let tun = "fpsc0".parse().unwrap();
        assert_eq!(store.record(tun).unwrap(), None);
        let _lock = store.lock().await.unwrap();
        for route in ["10.66.1.0/24", "fd66:1::/48"] {
            let record = record("fpsc0", route);
            store.save(&record).unwrap();
            assert_eq!(store.record(tun).unwrap(), Some(record));
        }
        store.save(&record("~#'fps", "10.9.0.0/16")).unwrap();
        let known = store.known(tun);
        assert!(known.complaints.is_empty(), "{:?}", known.complaints);
        assert_eq!(known.record.unwrap().tun, tun);
        let addresses = ["10.66.0.2/30".parse().unwrap()];
        assert_eq!(known.ownership.addresses, addresses);
        assert_eq!(known.ownership.others.len(), 1);
        store.remove(tun).unwrap();
        store.remove(tun).unwrap();
        assert_eq!(store.record(tun).unwrap(), None);
    }

    #[tokio::test]
    async fn a_record_that_cannot_be_read_is_told() {
        let (_folder, store) = store();
        let tun = "fpsc0".parse().unwrap();
        let _lock = store.lock().await.unwrap();
        for text in ["", "{}", "{\"version\":2}"] {
            fs::write(store.file(tun), text).unwrap();
            let error = store.record(tun).unwrap_err().chain();
            assert!(error.contains("fpsc0.json"), "{error}");
            assert_eq!(store.known(tun).complaints.len(), 1, "{text}");
        }
    }

    #[tokio::test]
    async fn one_at_a_time_is_at_work() {
        let (_folder, store) = store();
        let first = store.lock().await.unwrap();
        let other = store.clone();
        let second = async { other.lock().await.map(drop) };
        let release = async { drop(first) };
        let (second, ()) = tokio::join!(second, release);
        second.unwrap();
    }
}
