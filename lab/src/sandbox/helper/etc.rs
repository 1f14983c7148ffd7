//! What the /etc of hosts is laid over.

use std::fs::{self, DirEntry, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use super::{Result, Step};

const ETC: &str = "/etc";
/// Below the sandbox's own /run.
const COPY: &str = "/run/etc";

/// The folder that is the lower layer of every host's /etc: the machine's, or a copy of it.
///
/// A container has files of its own mounted into /etc: resolv.conf, hosts, hostname. To a user namespace these
/// mounts are locked, and the kernel lays nothing over a folder that has such mounts in it, lest what is below
/// them be seen (EINVAL; `clone_private_mount` in fs/namespace.c).
pub(super) fn lower(in_user_namespace: bool) -> Result<&'static str> {
    if !in_user_namespace || !has_mounts()? {
        return Ok(ETC);
    }
    copy(Path::new(ETC), Path::new(COPY))
        .step(format!("copy {ETC}, in which something is mounted"))?;
    Ok(COPY)
}

fn has_mounts() -> Result<bool> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").step("read the mounts")?;
    let mut points = mounts.lines().filter_map(|it| it.split(' ').nth(4));
    Ok(points.any(|it| it.starts_with("/etc/")))
}

/// Copies a folder. What may not be read is left out, since nobody in the sandbox could read it either, and
/// what is gone by the time that its turn comes.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        match copy_entry(&entry?, to) {
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::PermissionDenied | ErrorKind::NotFound
                ) => {}
            copied => copied?,
        }
    }
    let mode = fs::metadata(from)?.permissions().mode();
    // The owner is who copies: he goes on writing there.
    fs::set_permissions(to, Permissions::from_mode(mode | 0o700))
}

/// Copies what is a folder, a file or a symbolic link; others are no configuration.
fn copy_entry(entry: &DirEntry, to: &Path) -> io::Result<()> {
    let (from, to, kind) = (entry.path(), to.join(entry.file_name()), entry.file_type()?);
    if kind.is_dir() {
        copy(&from, &to)
    } else if kind.is_symlink() {
        symlink(fs::read_link(from)?, to)
    } else if kind.is_file() {
        fs::copy(from, to).map(drop)
    } else {
        Ok(())
    }
}
