//! The program that tells systemd-resolved what to do.

use std::env;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::{Error, Operation};

/// `resolvectl`, where there is one (resolvectl(1)).
#[derive(Clone, Debug)]
pub(crate) struct Resolvectl(PathBuf);

impl Resolvectl {
    /// Looks for it along PATH.
    pub(crate) fn find() -> Option<Self> {
        let path = env::var_os("PATH")?;
        let mut candidates = env::split_paths(&path).map(|folder| folder.join("resolvectl"));
        candidates.find(|file| file.is_file()).map(Self)
    }

    /// Runs it, for an operation of a plan.
    pub(crate) fn run(&self, words: &[String], operation: &Operation) -> Result<(), Error> {
        let failed = |cause: String| Error::Operation {
            command: operation.to_string(),
            cause: cause.into(),
        };
        let output = Command::new(&self.0)
            .args(words)
            .stdin(Stdio::null())
            .output()
            .map_err(|error| failed(format!("cannot start {}: {error}", self.0.display())))?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        Err(failed(format!("{}: {said}", output.status)))
    }
}
