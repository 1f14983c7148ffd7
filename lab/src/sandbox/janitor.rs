//! The process that makes a sandbox's control groups and removes them, whatever ends the runner.

use std::fs::{self, File};
use std::io::{self, Read, Seek, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::mount::{MsFlags, mount};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{getegid, geteuid, setsid};

/// The name under which an `fps-lab` program is a janitor.
pub const JANITOR_NAME: &str = "fps-lab-janitor";

/// Where control groups are mounted on every machine that has them (cgroups(7)).
pub(super) const MOUNT: &str = "/sys/fs/cgroup";

/// How long the last process in the subtree may take to die.
const PATIENCE: Duration = Duration::from_secs(10);

/// The janitor's `main`.
pub fn main() -> ExitCode {
    match keep() {
        Ok(()) => ExitCode::SUCCESS,
        Err(complaint) => {
            eprintln!("{JANITOR_NAME}: {complaint}");
            ExitCode::FAILURE
        }
    }
}

/// Makes a subtree, tells its path, and removes it at the end of the standard input.
fn keep() -> Result<(), String> {
    // Ctrl-C at the terminal is for the runner alone.
    setsid().map_err(|errno| format!("begin a session: {errno}"))?;
    mount_groups().map_err(|errno| format!("mount the control groups on {MOUNT}: {errno}"))?;
    let own = own_group()?;
    // A name of its own, also where another runner has the same process number in a container.
    let place = tempfile::Builder::new()
        .prefix("fps-lab-")
        .tempdir_in(place_of(&own))
        .map_err(|e| format!("create a control group in {}: {e}", own.display()))?
        .keep();
    let path = own.join(place.file_name().unwrap_or_default());
    if writeln!(io::stdout(), "{}", path.display()).is_ok() {
        // Nobody writes: this is the end of the runner.
        drop(io::stdin().read_to_end(&mut Vec::new()));
    }
    await_empty(&place)
        .and_then(|()| remove(&place))
        .map_err(|e| format!("remove the control group {}: {e}", path.display()))
}

/// Where a group is mounted.
pub(super) fn place_of(group: &Path) -> PathBuf {
    PathBuf::from(format!("{MOUNT}{}", group.display()))
}

/// Mounts them where nobody else sees it: on the machine they may be somewhere else, or read-only.
///
/// An ordinary user may do so in a user namespace, of a cgroup namespace that belongs to it. The root
/// of that is the group in which he is, as it is in the sandbox that is made beside this process.
fn mount_groups() -> nix::Result<()> {
    let (user, group) = (geteuid(), getegid());
    let mut own = CloneFlags::CLONE_NEWNS;
    if !user.is_root() {
        own |= CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWCGROUP;
    }
    unshare(own)?;
    if !user.is_root() {
        let maps = [
            ("setgroups", "deny".to_owned()),
            ("uid_map", format!("0 {user} 1")),
            ("gid_map", format!("0 {group} 1")),
        ];
        let write = |(file, map)| fs::write(format!("/proc/self/{file}"), map);
        let written: io::Result<()> = maps.into_iter().try_for_each(write);
        written.map_err(|error| Errno::from_raw(error.raw_os_error().unwrap_or_default()))?;
    }
    let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
    mount(None::<&str>, "/", None::<&str>, private, None::<&str>)?;
    mount_here()
}

/// Mounts the groups that the calling process can see, in place of those that are mounted already:
/// in a container they are read-only as a rule.
pub(super) fn mount_here() -> nix::Result<()> {
    let quiet = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    let kind = Some("cgroup2");
    let mount_as = |kind| mount(kind, MOUNT, kind, quiet, None::<&str>);
    match mount_as(kind) {
        // One on top of the other the kernel refuses (`do_add_mount` in fs/namespace.c), and in a user
        // namespace nobody may unmount what was there before (mount_namespaces(7)).
        Err(Errno::EBUSY) => {
            mount_as(Some("tmpfs"))?;
            mount_as(kind)
        }
        mounted => mounted,
    }
}

/// The group of this process: the last line of /proc/self/cgroup, which begins with `0::`.
pub(super) fn own_group() -> Result<PathBuf, String> {
    let file = "/proc/self/cgroup";
    let text = fs::read_to_string(file).map_err(|e| format!("read {file}: {e}"))?;
    let own = text.lines().find_map(|line| line.strip_prefix("0::"));
    own.map(PathBuf::from)
        .ok_or_else(|| format!("{file} tells no control group of version 2"))
}

/// Waits until no process is left: `populated 0` in cgroup.events, which can be polled for a change
/// (Documentation/admin-guide/cgroup-v2.rst, "[Un]populated Notification").
fn await_empty(place: &Path) -> io::Result<()> {
    let mut events = File::open(place.join("cgroup.events"))?;
    let deadline = Instant::now() + PATIENCE;
    let mut text = String::new();
    loop {
        text.clear();
        events.rewind()?;
        events.read_to_string(&mut text)?;
        if text.contains("populated 0") {
            return Ok(());
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            let why = format!("there are still processes in it after {PATIENCE:?}");
            return Err(io::Error::new(io::ErrorKind::TimedOut, why));
        }
        let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
        poll(
            &mut [PollFd::new(events.as_fd(), PollFlags::POLLPRI)],
            timeout,
        )?;
    }
}

/// Removes a group and those in it, the innermost first.
fn remove(place: &Path) -> io::Result<()> {
    for entry in fs::read_dir(place)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            remove(&entry.path())?;
        }
    }
    fs::remove_dir(place)
}
