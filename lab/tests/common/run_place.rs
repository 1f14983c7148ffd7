//! A folder with scenarios in it, and what runs of them leave.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use fps_lab::report::OutcomeFile;
use tempfile::TempDir;

use super::process::Process;

/// More than any command here takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A test's folder, with the run's folder in it.
pub(crate) struct Place(TempDir);

impl Place {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    /// Writes a scenario, which the command finds by its name alone.
    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.0.path().join(name).with_extension("toml");
        fs::write(&path, text).unwrap_or_else(|e| panic!("write {}: {e}", path.display()));
    }

    /// `fps-lab run` in the test's folder, whose run folder is `out`.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fps-lab"));
        command.current_dir(self.0.path());
        command.arg("run").args(arguments).args(["--out", "out"]);
        for name in ["CI", "GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "NO_COLOR"] {
            command.env_remove(name);
        }
        command
    }

    /// Runs it to its end, which has to be with this exit code; gives what it wrote.
    #[track_caller]
    pub(crate) fn run(&self, code: i32, arguments: &[&str]) -> String {
        finish(code, self.command(arguments))
    }

    /// A file in the run's folder.
    pub(crate) fn out(&self, name: &str) -> PathBuf {
        self.0.path().join("out").join(name)
    }

    /// What a file in the run's folder holds.
    #[track_caller]
    pub(crate) fn text(&self, name: &str) -> String {
        let path = self.out(name);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// The run's `outcome.json`.
    #[track_caller]
    pub(crate) fn outcome(&self) -> OutcomeFile {
        let text = self.text("outcome.json");
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
    }
}

/// Runs a command to its end.
#[track_caller]
pub(crate) fn finish(code: i32, command: Command) -> String {
    Process::start(command).finish(PATIENCE).expect_exit(code)
}
