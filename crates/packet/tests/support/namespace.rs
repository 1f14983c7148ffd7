//! Tests in network namespaces, as root or, where user namespaces are allowed, as anyone.

use std::env;
use std::io::{Error, Result};
use std::os::unix::process::CommandExt;
use std::process::Command;

use fps_netns::Namespace;
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{getegid, geteuid};

/// Set in a test that runs again inside a user namespace.
const INSIDE: &str = "FPS_TEST_IN_USER_NAMESPACE";

/// What to do where no namespace can be made: the test fails, since a pass would claim too much.
const REMEDY: &str = "run the tests as root, or allow user namespaces \
    (sysctl kernel.unprivileged_userns_clone=1, kernel.apparmor_restrict_unprivileged_userns=0)";

/// Runs the body of the test called `name`, where it can make namespaces: here, or in a child that
/// repeats only this test as root of a new user namespace.
pub(crate) fn with_namespaces(name: &str, body: impl AsyncFnOnce()) {
    match Namespace::create() {
        Ok(_) => tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a tokio runtime")
            .block_on(body()),
        Err(_) if env::var_os(INSIDE).is_none() => repeat_inside(name),
        Err(error) => panic!("cannot make a network namespace: {error:?}; {REMEDY}"),
    }
}

fn repeat_inside(name: &str) {
    let maps = [
        ("/proc/self/setgroups", "deny".to_owned()),
        ("/proc/self/uid_map", format!("0 {} 1", geteuid())),
        ("/proc/self/gid_map", format!("0 {} 1", getegid())),
    ];
    let mut again = Command::new(env::current_exe().expect("the test program's path"));
    again
        .args([name, "--exact", "--nocapture"])
        .env(INSIDE, "1");
    // unshare(2) makes a user namespace only for a process of one thread: between fork and exec.
    let enter = move || -> Result<()> {
        unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNET)?;
        maps.iter()
            .try_for_each(|(file, map)| std::fs::write(file, map))
    };
    // SAFETY: the closure makes system calls and small allocations, which glibc allows in the
    // child of a process with threads.
    let again = unsafe { again.pre_exec(enter) };
    let output = again.output().unwrap_or_else(|error: Error| {
        panic!("cannot make a user namespace: {error}; {REMEDY}");
    });
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    // A name that matches no test would pass as well.
    let passed = output.status.success() && text.contains("1 passed");
    assert!(passed, "{name} failed in a user namespace:\n{text}{errors}");
}
