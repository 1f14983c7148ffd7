//! The root of the repository.

use std::path::{Path, PathBuf};

/// The folder with README.md.
pub(crate) fn root() -> PathBuf {
    let lab = Path::new(env!("CARGO_MANIFEST_DIR"));
    lab.parent().expect("a folder above").to_owned()
}
