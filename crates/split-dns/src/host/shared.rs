//! Whether a file is another network namespace's, too.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Where the machine's, or the container's, first process is in its namespaces.
const FIRST: &str = "/proc/1";

/// Whether the file is the one that the first process has, which is in another network namespace: who
/// writes it here changes whom the whole machine asks, by an address that it cannot reach (as in
/// systemd#19236). A namespace of `ip netns exec` has a file of its own only where there is one in
/// /etc/netns/NAME.
///
/// Where that process may not be looked at, nothing is known.
pub(super) fn is_of_another_network(file: &Path) -> bool {
    let other = || -> io::Result<bool> {
        let first = Path::new(FIRST);
        let ours = fs::metadata("/proc/self/ns/net")?.ino();
        let theirs = fs::metadata(first.join("ns/net"))?.ino();
        let inside = file.strip_prefix("/").unwrap_or(file);
        Ok(ours != theirs && place(file)? == place(&first.join("root").join(inside))?)
    };
    other().unwrap_or(false)
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
