//! A subtree of the machine's control groups (cgroups(7), version 2) for one sandbox.
//!
//! Unlike a namespace, a control group does not go away with the last process in it: somebody has
//! to remove it, also where the runner has been killed. That is the janitor, a process beside the
//! sandbox: it makes the subtree, waits until its standard input closes, which happens however the
//! runner ends, and removes the subtree once it is empty.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::SandboxError;
use super::janitor::JANITOR_NAME;

/// A subtree. Dropping it removes it, and waits until that is done.
#[derive(Debug)]
pub(super) struct Subtree {
    path: String,
    janitor: Child,
}

impl Subtree {
    /// Makes a subtree; `helper` is an `fps-lab` program.
    pub(super) fn make(helper: &Path) -> Result<Self, SandboxError> {
        let missing = |_| SandboxError::Helper {
            program: helper.to_owned(),
        };
        let mut janitor = Command::new(helper)
            .arg0(JANITOR_NAME)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(missing)?;
        let output = janitor.stdout.take().expect("its output is piped");
        let mut path = String::new();
        let read = BufReader::new(output).read_line(&mut path);
        // From here on it ends as `drop` has it end.
        let mut subtree = Self { path, janitor };
        match read {
            Ok(length) if length > 0 => {
                subtree.path.truncate(subtree.path.trim_end().len());
                Ok(subtree)
            }
            Ok(_) => Err(SandboxError::Cgroups {
                reason: subtree.complaint(),
            }),
            Err(error) => Err(SandboxError::Cgroups {
                reason: error.to_string(),
            }),
        }
    }

    /// What it says once it has ended.
    fn complaint(&mut self) -> String {
        let mut text = String::new();
        if let Some(mut said) = self.janitor.stderr.take() {
            // What cannot be read is no reason to fail, but to have nothing to say.
            drop(said.read_to_string(&mut text));
        }
        text.trim_end().to_owned()
    }

    /// Its path from the root of the control groups that this process can see.
    pub(super) fn path(&self) -> &str {
        &self.path
    }
}

impl Drop for Subtree {
    fn drop(&mut self) {
        drop(self.janitor.stdin.take());
        let said = self.complaint();
        match self.janitor.wait() {
            Ok(status) if status.success() => {}
            // It could not even make one, which has been told.
            Ok(_) if self.path.is_empty() => {}
            Ok(status) => tracing::error!("{} is left: {status}: {said}", self.path),
            Err(error) => tracing::error!("wait for the janitor of {}: {error}", self.path),
        }
    }
}
