//! Tests in network namespaces: as root or, where user namespaces are allowed, as anyone.
//!
//! For the tests of this workspace alone, behind the feature `testing`.

use std::env;
use std::fs;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

use nix::sched::{CloneFlags, unshare};
use nix::unistd::{getegid, geteuid};

use crate::Namespace;

/// Set in a test that runs again inside a user namespace.
const INSIDE: &str = "FPS_TEST_IN_USER_NAMESPACE";

/// What to do where no namespace can be made: the test fails, since a pass would claim too much.
const REMEDY: &str = "run the tests as root, or allow user namespaces \
    (sysctl user.max_user_namespaces above 0 and, on Ubuntu, \
    kernel.apparmor_restrict_unprivileged_userns=0)";

/// Runs the body of the test called `test` (with its modules, as `cargo test` prints it), where
/// it can make namespaces: here, or in a child that repeats only this test as root of a new user
/// namespace with a network namespace.
///
/// The body runs on a tokio runtime of one thread, the calling one, in a network namespace of its own,
/// so that nothing of it can reach the machine's.
///
/// # Panics
/// Where no namespace can be made, with the remedy; and where the child fails, with what it said.
pub fn with_namespaces(test: &str, body: impl AsyncFnOnce()) {
    match Namespace::create() {
        Ok(namespace) => {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a tokio runtime");
            let done = namespace.within(|| runtime.block_on(body()));
            done.expect("enter a network namespace that was just made");
        }
        Err(_) if env::var_os(INSIDE).is_none() => repeat_inside(test),
        Err(error) => panic!("cannot make a network namespace: {error:?}; {REMEDY}"),
    }
}

/// Draws numbers, always the same ones, so that a failure repeats (xorshift; Marsaglia 2003).
#[derive(Debug)]
pub struct Dice(u64);

impl Dice {
    /// Those that follow a number, which is not zero.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Any number but zero.
    pub fn draw(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number below that of the sides.
    ///
    /// # Panics
    /// Where there are no sides.
    pub fn throw(&mut self, sides: usize) -> usize {
        usize::try_from(self.draw() >> 33).expect("31 bits") % sides
    }

    /// One of several.
    ///
    /// # Panics
    /// Where there are none.
    pub fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.throw(of.len())]
    }
}

/// Whether this process may hang BPF programs at tracepoints, for which capabilities count in the first user
/// namespace alone: CAP_BPF and CAP_PERFMON, or CAP_SYS_ADMIN for both (capabilities(7)).
///
/// # Panics
/// Where /proc does not tell.
#[must_use]
pub fn may_load_bpf() -> bool {
    const SYS_ADMIN: u64 = 1 << 21;
    const PERFMON_AND_BPF: u64 = 1 << 38 | 1 << 39;
    let status = fs::read_to_string("/proc/self/status").expect("the process's status");
    let effective = status.lines().find_map(|it| it.strip_prefix("CapEff:"));
    let effective = effective.expect("its capabilities").trim();
    let effective = u64::from_str_radix(effective, 16).expect("a number");
    let map = fs::read_to_string("/proc/self/uid_map").expect("its user namespace");
    let may = effective & SYS_ADMIN != 0 || effective & PERFMON_AND_BPF == PERFMON_AND_BPF;
    map.split_whitespace().eq(["0", "0", "4294967295"]) && may
}

/// Makes a command run as root of a user namespace of its own. That has no capability in the
/// namespace that owns its network (user_namespaces(7)): it is as good as an ordinary user.
pub fn without_capabilities(command: &mut Command) -> &mut Command {
    in_user_namespace(command, CloneFlags::empty())
}

fn repeat_inside(test: &str) {
    let mut again = Command::new(env::current_exe().expect("the test program's path"));
    again
        .args([test, "--exact", "--nocapture"])
        .env(INSIDE, "1");
    let output = in_user_namespace(&mut again, CloneFlags::CLONE_NEWNET)
        .output()
        .unwrap_or_else(|error| panic!("cannot make a user namespace: {error}; {REMEDY}"));
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    // A name that matches no test would pass as well.
    let passed = output.status.success() && text.contains("1 passed");
    assert!(passed, "{test} failed in a user namespace:\n{text}{errors}");
}

/// Makes a command start in a new user namespace, as root there, and in other new namespaces.
fn in_user_namespace(command: &mut Command, others: CloneFlags) -> &mut Command {
    let maps = [
        ("/proc/self/setgroups", "deny".to_owned()),
        ("/proc/self/uid_map", format!("0 {} 1", geteuid())),
        ("/proc/self/gid_map", format!("0 {} 1", getegid())),
    ];
    // unshare(2) makes a user namespace only for a process of one thread: between fork and exec.
    let enter = move || -> io::Result<()> {
        unshare(CloneFlags::CLONE_NEWUSER | others)?;
        maps.iter().try_for_each(|(file, map)| fs::write(file, map))
    };
    // SAFETY: the closure only makes system calls: the texts exist, and the paths are short
    // enough for the standard library to keep on the stack.
    unsafe { command.pre_exec(enter) }
}
