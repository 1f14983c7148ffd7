//! A machine of its own for a test: nothing else runs in it and nobody else changes its files, so
//! that before and after can be compared exactly.
//!
//! A world has namespaces of its own for processes, mounts, network, host name and IPC. The test
//! is its process 1, to which every orphan comes. /tmp, /var/tmp, /run and /dev/shm are empty.
//! Mounts are shared between its mount namespaces, as they are on a machine under systemd, so
//! that one made elsewhere without care shows.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use nix::errno::Errno;
use nix::libc;
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::prctl;
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, fork, getegid, geteuid};

use super::process::Process;

/// Set in the process that already is in a world.
const INSIDE: &str = "FPS_LAB_TEST_INSIDE_WORLD";

/// More than any test takes in its world.
const PATIENCE: Duration = Duration::from_secs(150);

/// Folders that a world has for itself.
const OWN: [&str; 4] = ["/tmp", "/var/tmp", "/run", "/dev/shm"];

/// Where the program under test is in a world.
const PROGRAM: &str = "/run/under-test/fps-lab";

/// The world that a test is in.
pub(crate) struct World(());

/// Runs `body` in a world. `test` is the full name of the calling test: this program starts
/// itself once more for this one test. What a world needs and does not get
/// fails the test.
pub(crate) fn inside(test: &str, body: impl FnOnce(&World)) {
    if std::env::var_os(INSIDE).is_some() {
        return body(&World::furnish());
    }
    let mut command = Command::new(std::env::current_exe().expect("our own path"));
    command
        .args([test, "--exact", "--nocapture"])
        .env(INSIDE, "1");
    enter_world(&mut command);
    let ended = Process::start(command).finish(PATIENCE);
    let passed = ended.status.success() && ended.text.contains("1 passed");
    assert!(
        passed,
        "{test} failed in its world. If that could not be made: run as root (`sudo cargo test`; \
         in a container, with --privileged), or allow user namespaces (`sysctl \
         user.max_user_namespaces` above 0, and on Ubuntu `sysctl \
         kernel.apparmor_restrict_unprivileged_userns=0`)\n{}: {}\n{}",
        ended.command, ended.status, ended.text
    );
}

/// Makes a command start as process 1 of new namespaces, as `unshare --pid --fork --kill-child
/// --mount-proc --net --uts --ipc` does, with `--map-root-user` where we are not root.
fn enter_world(command: &mut Command) {
    let maps = (!geteuid().is_root()).then(|| {
        [
            ("/proc/self/setgroups", "deny".to_owned()),
            ("/proc/self/uid_map", format!("0 {} 1", geteuid())),
            ("/proc/self/gid_map", format!("0 {} 1", getegid())),
        ]
    });
    let enter = move || -> io::Result<()> {
        if let Some(maps) = &maps {
            unshare(CloneFlags::CLONE_NEWUSER)?;
            maps.iter()
                .try_for_each(|(file, map)| fs::write(file, map))?;
        }
        unshare(
            CloneFlags::CLONE_NEWNS
                | CloneFlags::CLONE_NEWPID
                | CloneFlags::CLONE_NEWNET
                | CloneFlags::CLONE_NEWUTS
                | CloneFlags::CLONE_NEWIPC,
        )?;
        // A new PID namespace begins with the next child.
        // SAFETY: this process has one thread: it was forked a moment ago.
        if let ForkResult::Parent { child } = unsafe { fork() }? {
            stand_by(child);
        }
        prctl::set_pdeathsig(Signal::SIGKILL)?;
        let none = None::<&str>;
        mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)?;
        Ok(mount(
            Some("proc"),
            "/proc",
            Some("proc"),
            MsFlags::empty(),
            none,
        )?)
    };
    // SAFETY: the closure makes system calls; the texts that it writes exist already.
    unsafe { command.pre_exec(enter) };
}

/// What the process before process 1 does: waits, and ends as process 1 did.
fn stand_by(child: Pid) -> ! {
    // Whoever spawned us waits until nobody holds the pipe that tells of a failed exec.
    // SAFETY: nothing in this process uses a descriptor any more.
    unsafe { libc::syscall(libc::SYS_close_range, 3, u32::MAX, 0) };
    let code = loop {
        match waitpid(child, None) {
            Ok(WaitStatus::Exited(_, code)) => break code,
            Err(Errno::EINTR) => {}
            _ => break 1,
        }
    };
    // SAFETY: _exit runs no handlers, which belong to the process that we were forked from.
    unsafe { libc::_exit(code) }
}

impl World {
    /// Makes the namespaces that we were started in a world.
    fn furnish() -> Self {
        assert_eq!(std::process::id(), 1, "this is no world: unset {INSIDE}");
        let program = fs::read(env!("CARGO_BIN_EXE_fps-lab")).expect("read the program");
        let none = None::<&str>;
        for folder in OWN {
            mount(Some("tmpfs"), folder, Some("tmpfs"), MsFlags::empty(), none)
                .unwrap_or_else(|e| panic!("mount a tmpfs on {folder}: {e}"));
        }
        // The ties to the machine are cut; these are new ones, among ourselves.
        let shared = MsFlags::MS_REC | MsFlags::MS_SHARED;
        mount(none, "/", none, shared, none).expect("share the mounts");
        let path = Path::new(PROGRAM);
        fs::create_dir(path.parent().expect("it has one")).expect("a folder for the program");
        fs::write(path, program).expect("write the program");
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("make it a program");
        std::env::set_current_dir("/tmp").expect("/tmp is there");
        Self(())
    }

    /// The program under test.
    pub(crate) fn program(&self) -> &Path {
        Path::new(PROGRAM)
    }

    /// Waits until every process of the world but ours has ended; false if one is left.
    ///
    /// They are all children of process 1 in the end, so that there are none once it has none.
    pub(crate) fn await_end_of_all(&self, within: Duration) -> bool {
        let (tell, told) = mpsc::channel();
        thread::spawn(move || {
            while waitpid(Pid::from_raw(-1), None) != Err(Errno::ECHILD) {}
            // Nobody listens any more where it took too long.
            tell.send(()).ok();
        });
        told.recv_timeout(within).is_ok()
    }
}
