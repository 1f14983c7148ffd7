//! A machine on which less is allowed, for one command.

use std::fs;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

use nix::sched::{CloneFlags, unshare};
use nix::unistd::{getegid, geteuid};

/// Has a command run with our user mapped to `user` in a namespace of its own, after `then`.
pub(crate) fn in_user_namespace(
    command: &mut Command,
    user: u32,
    then: impl Fn() -> io::Result<()> + Send + Sync + 'static,
) {
    let maps = [
        ("/proc/self/setgroups", "deny".to_owned()),
        ("/proc/self/uid_map", format!("{user} {} 1", geteuid())),
        ("/proc/self/gid_map", format!("{user} {} 1", getegid())),
    ];
    let enter = move || {
        unshare(CloneFlags::CLONE_NEWUSER)?;
        maps.iter()
            .try_for_each(|(file, map)| fs::write(file, map))?;
        then()
    };
    // SAFETY: the closure makes system calls and small allocations, which glibc allows in the
    // child of a process with threads.
    unsafe { command.pre_exec(enter) };
}
