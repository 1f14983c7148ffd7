//! The processes of a lab, as the machine sees them.

use std::fs;
use std::io;
use std::path::Path;

/// A process in a lab.
#[derive(Debug)]
pub(super) struct Found {
    /// Its number on the machine.
    pub(super) outer_pid: i32,
    /// Its number in the lab.
    pub(super) pid: i32,
    /// Its network namespace, as /proc names it: `net:[4026532008]`.
    pub(super) network: String,
    /// Its command line.
    pub(super) command: String,
}

/// All processes in the PID namespace of a sandbox but for its helper, by their numbers in there.
pub(super) fn of_sandbox(helper: i32) -> io::Result<Vec<Found>> {
    let space = fs::read_link(format!("/proc/{helper}/ns/pid"))?;
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let path = entry?.path();
        let number = path
            .file_name()
            .and_then(|name| name.to_str()?.parse().ok());
        let Some(number) = number.filter(|number| *number != helper) else {
            continue;
        };
        // One that has ended meanwhile, or is none of ours to look at, is not in our sandbox.
        if fs::read_link(path.join("ns/pid")).is_ok_and(|it| it == space) {
            found.extend(look_at(&path, number));
        }
    }
    found.sort_by_key(|process| process.pid);
    Ok(found)
}

/// A process; none where it has ended.
fn look_at(path: &Path, outer_pid: i32) -> Option<Found> {
    let status = fs::read_to_string(path.join("status")).ok()?;
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.map(str::trim)
    };
    // One that is dead and not reaped yet has no network any more.
    let network = fs::read_link(path.join("ns/net")).ok()?;
    // Its numbers from the outermost namespace to its own (proc_pid_status(5)).
    let pid = field("NSpid:")?.split_whitespace().last()?.parse().ok()?;
    let line = fs::read(path.join("cmdline")).ok()?;
    let line = String::from_utf8_lossy(&line);
    let command = match line.trim_end_matches('\0') {
        "" => format!("[{}]", field("Name:")?),
        line => line.replace('\0', " "),
    };
    Some(Found {
        outer_pid,
        pid,
        network: network.to_string_lossy().into_owned(),
        command,
    })
}
