//! Held labs, each test's in a place of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use super::files;
use super::process::Process;
use super::reached::REACHED;

/// More than any command here takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A folder with the labs of a test, which end with it.
pub(crate) struct Desk {
    place: TempDir,
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self {
            place: tempfile::tempdir().expect("a temporary folder"),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.place.path()
    }

    /// Where its labs are found.
    pub(crate) fn runtime_folder(&self) -> PathBuf {
        self.path().join("labs")
    }

    /// Writes two hosts on a net, and these tables; a step, which a scenario must have, where there is none
    /// among them.
    pub(crate) fn pair(&self, name: &str, tables: &str) -> PathBuf {
        let step = match tables.contains("[[step]]") {
            true => "",
            false => REACHED,
        };
        files::pair(self.path(), name, &format!("{tables}{step}"))
    }

    /// `fps-lab` with these arguments.
    pub(crate) fn lab(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fps-lab"));
        command
            .args(arguments)
            .env("FPS_LAB_RUNTIME_DIR", self.runtime_folder())
            .current_dir(self.path());
        command
    }

    /// Runs it to its end, which is to be this exit code; gives what it wrote.
    #[track_caller]
    pub(crate) fn expect(&self, code: i32, arguments: &[&str]) -> String {
        let command = self.lab(arguments);
        Process::start(command).finish(PATIENCE).expect_exit(code)
    }

    /// Builds a lab and holds it in the background.
    #[track_caller]
    pub(crate) fn up(&self, file: &Path, more: &[&str]) -> String {
        let file = file.to_str().expect("UTF-8");
        self.expect(0, &[&["up", "-d", file], more].concat())
    }

    /// What `ps --json` tells.
    #[track_caller]
    pub(crate) fn ps(&self) -> Vec<Value> {
        let output = self.lab(&["ps", "--json"]).output().expect("it starts");
        assert!(output.status.success(), "{output:?}");
        let told: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        told.as_array().expect("a list").clone()
    }

    /// The names of the sockets that there are.
    pub(crate) fn sockets(&self) -> Vec<String> {
        let Ok(listing) = fs::read_dir(self.runtime_folder()) else {
            return Vec::new();
        };
        let mut names: Vec<String> = listing
            .map(|entry| entry.expect("an entry").file_name())
            .map(|name| name.to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }
}

impl Drop for Desk {
    /// Whatever became of the test, its labs are ended.
    fn drop(&mut self) {
        let down = self.lab(&["down", "--all"]).output();
        drop(down);
    }
}
