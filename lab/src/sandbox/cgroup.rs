//! A subtree of the machine's control groups (cgroups(7), version 2) for one sandbox.
//!
//! Unlike a namespace, a control group does not go away with the last process in it: somebody has
//! to remove it, also where the runner has been killed. That is the janitor, a process beside the
//! sandbox: it makes the subtree, waits until its standard input closes, which happens however the
//! runner ends, and removes the subtree once it is empty.

use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use std::os::unix::process::CommandExt;

use super::SandboxError;
use super::janitor::JANITOR_NAME;

/// Tells the subtrees of one runner from each other.
static COUNT: AtomicU32 = AtomicU32::new(0);

/// A subtree. Dropping it removes it, and waits until that is done.
#[derive(Debug)]
pub(super) struct Subtree {
    path: String,
    janitor: Child,
}

impl Subtree {
    /// Makes a subtree; `helper` is an `fps-lab` program.
    pub(super) fn make(helper: &Path) -> Result<Self, SandboxError> {
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("fps-lab-{}-{number}", std::process::id());
        let missing = |_| SandboxError::Helper {
            program: helper.to_owned(),
        };
        let mut janitor = Command::new(helper)
            .arg0(JANITOR_NAME)
            .arg(name)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(missing)?;
        let output = janitor.stdout.take().expect("its output is piped");
        let mut path = String::new();
        let read = BufReader::new(output).read_line(&mut path);
        // From here on it ends as `Drop` has it end.
        let mut subtree = Self { path, janitor };
        match read {
            Ok(length) if length > 0 => {
                subtree.path.truncate(subtree.path.trim_end().len());
                Ok(subtree)
            }
            // It has said why on its standard error, which is ours.
            Ok(_) => Err(SandboxError::Cgroups(io::ErrorKind::Other.into())),
            Err(error) => Err(SandboxError::Cgroups(error)),
        }
    }

    /// Its path from the root of the control groups that this process can see.
    pub(super) fn path(&self) -> &str {
        &self.path
    }
}

impl Drop for Subtree {
    fn drop(&mut self) {
        drop(self.janitor.stdin.take());
        match self.janitor.wait() {
            Ok(status) if status.success() => {}
            Ok(status) => tracing::error!("the janitor of {}: {status}", self.path),
            Err(error) => tracing::error!("wait for the janitor of {}: {error}", self.path),
        }
    }
}
