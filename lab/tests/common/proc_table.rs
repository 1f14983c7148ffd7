//! The processes of this machine, as /proc shows them.

use std::fs;
use std::path::{Path, PathBuf};

/// The processes that there were at one moment.
#[derive(Debug)]
pub(crate) struct ProcessTable(Vec<Process>);

#[derive(Debug)]
struct Process {
    pid: i32,
    program: PathBuf,
    command: String,
}

impl ProcessTable {
    /// Reads it. A process that ends meanwhile may be in it or not; a zombie has no program and is
    /// left out.
    pub(crate) fn read() -> Self {
        let listing = fs::read_dir("/proc").expect("/proc is mounted");
        let of = |pid: i32| {
            let folder = PathBuf::from(format!("/proc/{pid}"));
            let program = fs::read_link(folder.join("exe")).ok()?;
            let command = fs::read(folder.join("cmdline")).ok()?;
            let command = String::from_utf8_lossy(&command).replace('\0', " ");
            Some(Process {
                pid,
                program,
                command,
            })
        };
        let pids = listing.filter_map(|entry| {
            let name = entry.expect("/proc can be listed").file_name();
            name.to_str()?.parse().ok()
        });
        Self(pids.filter_map(of).collect())
    }

    /// Those whose program is a file below this folder, in words.
    pub(crate) fn with_program_below(&self, folder: &Path) -> Vec<String> {
        self.0
            .iter()
            .filter(|process| process.program.starts_with(folder))
            .map(|process| format!("{} {}", process.pid, process.command))
            .collect()
    }
}
