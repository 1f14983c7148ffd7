//! All sysctls of the current network namespace that somebody may write.

use std::fs;
use std::io::{Seek, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use nix::sys::memfd::{MFdFlags, memfd_create};

use super::{Result, Step};

const SYSCTLS: &str = "/proc/sys";

/// Reads those below net into a file in memory: a JSON list of paths and values. They are some
/// hundred for each interface, more than a message to the runner holds.
pub(super) fn read() -> Result<OwnedFd> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from(SYSCTLS).join("net")];
    while let Some(folder) = folders.pop() {
        look_into(&folder, &mut folders, &mut found)?;
    }
    let memory = memfd_create(c"sysctls", MFdFlags::MFD_CLOEXEC).step("make a file in memory")?;
    let mut memory = fs::File::from(memory);
    let text = serde_json::to_vec(&found).map_err(std::io::Error::from);
    let text = text.step("write the sysctls down")?;
    memory.write_all(&text).step("write the sysctls down")?;
    memory.rewind().step("write the sysctls down")?;
    Ok(memory.into())
}

fn look_into(
    folder: &Path,
    folders: &mut Vec<PathBuf>,
    found: &mut Vec<(String, String)>,
) -> Result<()> {
    let step = || format!("read the sysctls in {}", folder.display());
    for entry in fs::read_dir(folder).step(step())? {
        let entry = entry.step(step())?;
        // A link may go while we look; its sysctls then are no more.
        let Ok(about) = entry.metadata() else {
            continue;
        };
        let path = entry.path();
        if about.is_dir() {
            folders.push(path);
        } else if about.permissions().mode() & 0o600 == 0o600 {
            let name = path.strip_prefix(SYSCTLS).unwrap_or(&path);
            let name = name.to_string_lossy().into_owned();
            found.extend(value(&path).map(|value| (name, value)));
        }
    }
    Ok(())
}

/// A value; none of a file that is gone. What cannot be read is a value of its own: so it is with
/// `stable_secret` until somebody sets it (EIO).
fn value(path: &Path) -> Option<String> {
    match fs::read(path) {
        Ok(bytes) => Some(
            String::from_utf8_lossy(&bytes)
                .trim_end()
                .replace('\n', "; "),
        ),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => Some(format!("({error})")),
    }
}
