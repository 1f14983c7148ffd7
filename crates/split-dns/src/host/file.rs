//! The file itself: what is there, and how something else comes into its place.
//!
//! Others write it as well, by open(2) with O_TRUNC or by rename(2), and may do so at any moment. So
//! nothing is put in the place of what has not been seen.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Seek, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, OFlag, RenameFlags, renameat2};

use super::backup::Was;
use super::lease::Lease;

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(super) enum Put {
    /// It is there.
    Done,
    /// Something else has been put there since the look, and stays.
    Changed,
}

/// What is there.
pub(super) fn there(file: &Path) -> io::Result<Was> {
    match fs::symlink_metadata(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Was::Absent),
        Ok(about) if about.is_symlink() => fs::read_link(file).map(Was::Link),
        Ok(_) => read(file).map(Was::Text),
        Err(error) => Err(error),
    }
}

/// What it says.
pub(super) fn text_of(file: &Path, was: &Was) -> io::Result<String> {
    match was {
        Was::Text(text) => Ok(text.clone()),
        Was::Link(to) => read(&beside(file, to)),
        Was::Absent => Ok(String::new()),
    }
}

/// Where a link leads.
pub(super) fn beside(file: &Path, to: &Path) -> PathBuf {
    match file.parent() {
        Some(folder) => folder.join(to),
        None => to.to_owned(),
    }
}

/// A file's text; of one that is not there, none.
pub(super) fn read(file: &Path) -> io::Result<String> {
    match fs::read(file) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(error),
    }
}

/// Puts this in the place of what was seen there.
pub(super) fn put(file: &Path, seen: &Was, this: &Was) -> io::Result<Put> {
    match (seen, this) {
        (Was::Text(seen), Was::Text(text)) => rewrite(file, seen, text),
        (Was::Absent, Was::Absent) => Ok(Put::Done),
        (Was::Absent, _) => with_new(file, this, |new| {
            // Unlike rename(2), link(2) replaces nothing.
            match fs::hard_link(new, file) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(Put::Changed),
                linked => linked.map(|()| Put::Done),
            }
        }),
        (_, Was::Absent) => remove(file, seen),
        _ => with_new(file, this, |new| exchange(file, seen, new)),
    }
}

/// Writes into the file itself, which may be a mount that cannot be replaced (EBUSY of rename(2)). One that
/// is renamed into its place meanwhile is another file, and not touched.
fn rewrite(file: &Path, seen: &str, text: &str) -> io::Result<Put> {
    // What is a link now would be written where it leads.
    let mut how = File::options();
    how.read(true)
        .write(true)
        .custom_flags(OFlag::O_NOFOLLOW.bits());
    let open = match how.open(file) {
        Err(error) if is_another(&error) => return Ok(Put::Changed),
        open => open?,
    };
    let _lease = Lease::take(&open)?;
    let mut open = &open;
    let mut bytes = Vec::new();
    open.read_to_end(&mut bytes)?;
    if String::from_utf8_lossy(&bytes) != seen {
        return Ok(Put::Changed);
    }
    open.rewind()?;
    open.write_all(text.as_bytes())?;
    // Behind the text and not before it, so that at no moment no server is named.
    open.set_len(text.len() as u64)?;
    Ok(Put::Done)
}

/// Of a file that has been seen: it has gone, or is a link.
fn is_another(error: &io::Error) -> bool {
    let errno = error.raw_os_error().map(Errno::from_raw);
    matches!(errno, Some(Errno::ENOENT | Errno::ELOOP))
}

/// Makes it under another name, and takes that name away in the end.
fn with_new(
    file: &Path,
    this: &Was,
    place: impl FnOnce(&Path) -> io::Result<Put>,
) -> io::Result<Put> {
    let new = new_beside(file);
    remove_if_there(&new)?;
    match this {
        Was::Text(text) => {
            fs::write(&new, text)?;
            // Everybody reads it, whatever the caller's umask says of new files.
            fs::set_permissions(&new, fs::Permissions::from_mode(0o644))?;
        }
        Was::Link(to) => symlink(to, &new)?,
        Was::Absent => {}
    }
    let put = place(&new);
    remove_if_there(&new)?;
    put
}

/// Exchanges two, and back where the one that went was not what has been seen.
fn exchange(file: &Path, seen: &Was, new: &Path) -> io::Result<Put> {
    let exchange = || renameat2(AT_FDCWD, new, AT_FDCWD, file, RenameFlags::RENAME_EXCHANGE);
    match exchange() {
        // Whoever has taken it away will put something there.
        Err(Errno::ENOENT) => return Ok(Put::Changed),
        // A file system that cannot: NFS.
        Err(Errno::EINVAL) => return fs::rename(new, file).map(|()| Put::Done),
        exchanged => exchanged?,
    }
    if there(new)? == *seen {
        return Ok(Put::Done);
    }
    exchange()?;
    Ok(Put::Changed)
}

/// Takes it away, and puts it back where it was not what has been seen.
fn remove(file: &Path, seen: &Was) -> io::Result<Put> {
    with_new(file, &Was::Absent, |away| {
        match fs::rename(file, away) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Put::Changed),
            renamed => renamed?,
        }
        if there(away)? == *seen {
            return Ok(Put::Done);
        }
        match fs::hard_link(away, file) {
            // There is a newer one already.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            linked => linked?,
        }
        Ok(Put::Changed)
    })
}

fn new_beside(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".fps-dns");
    name.into()
}

fn remove_if_there(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;

    use super::*;

    fn text(text: &str) -> Was {
        Was::Text(text.to_owned())
    }

    fn all() -> [Was; 3] {
        [text("one\n"), Was::Link("../elsewhere".into()), Was::Absent]
    }

    #[test]
    fn anything_is_put_in_the_place_of_anything() {
        let place = tempfile::tempdir().expect("a temporary folder");
        let file = place.path().join("resolv.conf");
        let now = || there(&file).expect("it can be read");
        let put = |seen: &Was, this: &Was| put(&file, seen, this).expect("it can be written");
        for from in all() {
            for to in all() {
                assert_eq!(put(&now(), &from), Put::Done);
                assert_eq!(now(), from);
                assert_eq!(put(&from, &to), Put::Done, "{from:?} to {to:?}");
                assert_eq!(now(), to);
                for other in all().into_iter().filter(|other| *other != to) {
                    let longer = text("another, and longer\n");
                    // Where nothing was seen and nothing is to be, nothing is done.
                    assert_eq!(put(&other, &longer), Put::Changed, "{other:?}, not {to:?}");
                    assert_eq!(now(), to, "{other:?} was seen");
                }
            }
        }
        let left = fs::read_dir(place.path()).expect("it is there").count();
        assert!(left <= 1, "{left} files are left");
    }

    /// A script that makes a file and renames it: what it has made is never written into.
    #[test]
    fn what_is_renamed_into_place_meanwhile_is_not_written_over() {
        let place = tempfile::tempdir().expect("a temporary folder");
        let file = place.path().join("resolv.conf");
        fs::write(&file, "first").expect("a file");
        let is_over = AtomicBool::new(false);
        let first = |text: &str| text.split(',').next().unwrap_or_default().to_owned();
        let made = |n: usize| place.path().join(format!("made-{n}"));
        thread::scope(|scope| {
            scope.spawn(|| {
                for n in 0..500 {
                    let new = place.path().join("new");
                    fs::write(&new, format!("theirs {n}")).expect("a file");
                    fs::hard_link(&new, made(n)).expect("another name for it");
                    fs::rename(&new, &file).expect("it is there");
                }
                is_over.store(true, Ordering::Release);
            });
            for turn in 0.. {
                if is_over.load(Ordering::Acquire) {
                    break;
                }
                let seen = there(&file).expect("it can be read");
                // Into one that has been seen we may write.
                let ours = match &seen {
                    Was::Text(text) => format!("{}, and ours of {turn}", first(text)),
                    other => panic!("{other:?}"),
                };
                let _ = put(&file, &seen, &text(&ours)).expect("it can be written");
            }
        });
        for n in 0..500 {
            let text = read(&made(n)).expect("it can be read");
            assert_eq!(first(&text), format!("theirs {n}"));
        }
    }
}
