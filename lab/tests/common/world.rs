//! A machine of its own for a test: nothing else runs in it and nobody else changes its files, so
//! that before and after can be compared exactly.
//!
//! A world has namespaces of its own for processes, mounts, network, host name and IPC. The test
//! is its process 1, to which every orphan comes. /tmp, /var/tmp, /run and /dev/shm are empty.
//! Mounts are shared between its mount namespaces, as they are on a machine under systemd, so
//! that one made elsewhere without care shows.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use nix::errno::Errno;
use nix::mount::{MsFlags, mount};
use nix::sys::wait::waitpid;
use nix::unistd::{Pid, geteuid};

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
/// itself once more, under unshare(1), for this one test. What a world needs and does not get
/// fails the test.
pub(crate) fn inside(test: &str, body: impl FnOnce(&World)) {
    if std::env::var_os(INSIDE).is_some() {
        return body(&World::furnish());
    }
    let mut command = Command::new("unshare");
    if !geteuid().is_root() {
        command.args(["--user", "--map-root-user"]);
    }
    command
        .args(["--net", "--uts", "--ipc", "--mount-proc", "--pid"])
        .arg("--kill-child")
        .arg(std::env::current_exe().expect("our own path"))
        .args([test, "--exact", "--nocapture"])
        .env(INSIDE, "1");
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

impl World {
    /// Makes the namespaces that unshare(1) has given us a world.
    fn furnish() -> Self {
        assert_eq!(std::process::id(), 1, "this is no world: unset {INSIDE}");
        let program = fs::read(env!("CARGO_BIN_EXE_fps-lab")).expect("read the program");
        let none = None::<&str>;
        for folder in OWN {
            mount(Some("tmpfs"), folder, Some("tmpfs"), MsFlags::empty(), none)
                .unwrap_or_else(|e| panic!("mount a tmpfs on {folder}: {e}"));
        }
        // unshare(1) has cut the ties to the machine; these are new ones, among ourselves.
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
