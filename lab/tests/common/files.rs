//! Scenarios as files.

use std::fs;
use std::path::{Path, PathBuf};

use super::texts::{NO_SABOTAGE, PAIR};

/// Writes [`PAIR`] with more steps to a file; `steps` are its further tables.
pub(crate) fn pair(folder: &Path, name: &str, steps: &str) -> PathBuf {
    write(folder, name, &format!("{NO_SABOTAGE}{PAIR}{steps}"))
}

/// Writes a scenario to a file.
pub(crate) fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name).with_extension("toml");
    fs::write(&path, text).unwrap_or_else(|e| panic!("write {}: {e}", path.display()));
    path
}
