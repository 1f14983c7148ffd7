//! Whether a file is another network namespace's, too.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process;

/// Whether the file is also that of a process from which this one descends, and which is in another
/// network namespace: who writes it here changes whom that one asks, by an address that it cannot reach
/// (as in systemd#19236). A namespace of `ip netns exec` has a file of its own only where there is one in
/// /etc/netns/NAME.
///
/// Other processes do not count: a service without a network (PrivateNetwork= of systemd.exec(5)) has the
/// machine's file, too, and that is no reason to leave it alone. Nor do those that may not be looked at.
pub(super) fn is_of_another_network(file: &Path) -> bool {
    let Ok(ours) = network(Path::new("/proc/self")) else {
        return false;
    };
    let is_shared = |process: &Path| -> io::Result<bool> {
        let inside = file.strip_prefix("/").unwrap_or(file);
        let theirs = place(&process.join("root").join(inside))?;
        Ok(network(process)? != ours && theirs == place(file)?)
    };
    ancestors().any(|process| is_shared(&process).unwrap_or(false))
}

/// The folders in /proc of the parent, its parent, and so on.
fn ancestors() -> impl Iterator<Item = PathBuf> {
    let folder = |pid: u32| Path::new("/proc").join(pid.to_string());
    let parent = move |pid: &u32| parent(&folder(*pid)).filter(|parent| *parent != 0);
    std::iter::successors(Some(process::id()), parent)
        .skip(1)
        .map(folder)
}

/// As proc_pid_status(5) has it.
fn parent(process: &Path) -> Option<u32> {
    let status = fs::read_to_string(process.join("status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("PPid:"));
    line?.trim().parse().ok()
}

fn network(process: &Path) -> io::Result<u64> {
    fs::metadata(process.join("ns/net")).map(|about| about.ino())
}

/// Which file it is, or which folder it would be in.
fn place(file: &Path) -> io::Result<(u64, u64)> {
    let about = fs::symlink_metadata(file);
    let about = match (about, file.parent()) {
        (Err(error), Some(folder)) if error.kind() == io::ErrorKind::NotFound => {
            fs::metadata(folder)?
        }
        (about, _) => about?,
    };
    Ok((about.dev(), about.ino()))
}
