//! How many processes and threads may be started yet: over either limit fork(2) fails with EAGAIN.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use nix::sys::resource::{Resource, getrlimit};
use nix::unistd::geteuid;

/// How many a lab takes: the library's have up to 22, the runner's threads among them. A browser takes a
/// hundred for itself.
pub(super) const A_LAB: u64 = 32;

/// There is not room for one lab.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{room} more processes and threads may be started here, and a lab takes up to {A_LAB}")]
pub(crate) struct TooFewProcesses {
    room: u64,
}

/// The same as [`room`]; fails where a lab takes more.
pub(crate) fn room_for_a_lab() -> Result<Option<u64>, TooFewProcesses> {
    match room() {
        Some(room) if room < A_LAB => Err(TooFewProcesses { room }),
        room => Ok(room),
    }
}

/// How many more there may be now; none where the kernel tells no limit.
pub(super) fn room() -> Option<u64> {
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let rooms = [in_groups(&groups, Path::new("/sys/fs/cgroup")), of_user()];
    rooms.into_iter().flatten().min()
}

/// By `pids.max` of this process's control group and all above it, which count what is in those below
/// (Documentation/admin-guide/cgroup-v2.rst, "PID"; version 1 has the same files below `pids`). In a
/// container /proc may name a group by where it is outside; what is mounted is the container's own.
fn in_groups(groups: &str, mounted: &Path) -> Option<u64> {
    let groups = groups.lines().filter_map(|line| {
        let (controllers, path) = line.split_once(':')?.1.split_once(':')?;
        match controllers {
            "" => Some((mounted.to_owned(), path)),
            _ if controllers.split(',').any(|it| it == "pids") => {
                Some((mounted.join("pids"), path))
            }
            _ => None,
        }
    });
    let rooms = groups.flat_map(|(mount, path)| {
        let above = Path::new(path).ancestors();
        let places = above.map(|group| mount.join(group.strip_prefix("/").unwrap_or(group)));
        places
            .filter_map(|place| in_group(&place))
            .collect::<Vec<_>>()
    });
    rooms.min()
}

/// None where there is no limit: `max`, or none of the files at the root.
fn in_group(place: &Path) -> Option<u64> {
    let number = |file: &str| -> Option<u64> {
        let text = fs::read_to_string(place.join(file)).ok()?;
        text.trim().parse().ok()
    };
    Some(number("pids.max")?.saturating_sub(number("pids.current")?))
}

/// By RLIMIT_NPROC, which does not hold for root (`copy_process` in kernel/fork.c).
fn of_user() -> Option<u64> {
    let (most, _) = getrlimit(Resource::RLIMIT_NPROC).ok()?;
    if geteuid().is_root() || most == nix::libc::RLIM_INFINITY {
        return None;
    }
    Some(most.saturating_sub(running(geteuid().as_raw())))
}

/// How many threads a user has.
fn running(user: u32) -> u64 {
    let Ok(processes) = fs::read_dir("/proc") else {
        return 0;
    };
    let processes = processes.flatten().map(|entry| entry.path());
    let own = processes.filter(|place| place.metadata().is_ok_and(|it| it.uid() == user));
    // One that has ended meanwhile counts no more; what is no process has no status.
    let threads = own.filter_map(|place| {
        let status = fs::read_to_string(place.join("status")).ok()?;
        let count = status.lines().find_map(|it| it.strip_prefix("Threads:"))?;
        count.trim().parse::<u64>().ok()
    });
    threads.sum()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use tempfile::TempDir;

    use super::*;

    /// Groups with what they may have and what they have, below a folder.
    fn mounted(groups: &[(&str, &str, u64)]) -> TempDir {
        let mounted = TempDir::new().expect("a folder");
        for (group, most, current) in groups {
            let place = mounted.path().join(group);
            fs::create_dir_all(&place).expect("made");
            fs::write(place.join("pids.max"), format!("{most}\n")).expect("written");
            fs::write(place.join("pids.current"), format!("{current}\n")).expect("written");
        }
        mounted
    }

    const V2: &[(&str, &str, u64)] = &[
        ("unit", "500", 480),
        ("unit/inner", "max", 300),
        ("free", "max", 7),
        ("over", "10", 12),
        ("pids/old", "100", 40),
    ];

    #[rstest]
    #[case::its_own("0::/unit\n", Some(20))]
    #[case::one_above("0::/unit/inner\n", Some(20))]
    #[case::no_limit("0::/free\n", None)]
    #[case::the_root("0::/\n", None)]
    #[case::over_it("0::/over\n", Some(0))]
    #[case::version_1("12:cpu,cpuacct:/unit\n8:pids:/old\n0::/free\n", Some(60))]
    #[case::none_at_all("", None)]
    fn the_least_of_the_groups_counts(#[case] groups: &str, #[case] room: Option<u64>) {
        let mounted = mounted(V2);
        assert_eq!(in_groups(groups, mounted.path()), room);
    }

    #[test]
    fn a_group_that_is_named_by_its_place_outside_is_the_one_that_is_mounted() {
        let mounted = mounted(&[("", "100", 90)]);
        let groups = "0::/system.slice/docker-4f.scope\n";
        assert_eq!(in_groups(groups, mounted.path()), Some(10));
    }

    #[test]
    fn every_thread_of_a_user_is_counted() {
        let user = fs::metadata("/proc/self").expect("mounted").uid();
        let (before, (end, wait)) = (running(user), std::sync::mpsc::channel::<()>());
        assert!(before > 0, "this one at least");
        let wait = std::sync::Mutex::new(wait);
        std::thread::scope(|scope| {
            for _ in 0..200 {
                scope.spawn(|| wait.lock().expect("no panic").recv());
            }
            let during = running(user);
            assert!(during > before + 100, "{before} and 200 are {during}");
            drop(end);
        });
    }
}
