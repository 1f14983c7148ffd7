//! The files below `scenarios/`.

use std::fs;
use std::path::{Path, PathBuf};

use super::root::root;

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Theme {
    /// A mistake, or a footprint with one.
    Invalid,
    /// What another program leaves in a host.
    Footprints,
    /// A scenario.
    Scenarios,
}

/// All of them, sorted.
pub(crate) fn toml_files() -> Vec<(PathBuf, Theme)> {
    let mut files = Vec::new();
    descend(&root().join("scenarios"), Theme::Scenarios, &mut files);
    files.sort_by(|(one, _), (other, _)| one.cmp(other));
    files
}

fn descend(folder: &Path, theme: Theme, files: &mut Vec<(PathBuf, Theme)>) {
    let listing = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    for entry in listing {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            let inner = match theme {
                Theme::Scenarios if path.ends_with("invalid") => Theme::Invalid,
                Theme::Scenarios if path.ends_with("footprints") => Theme::Footprints,
                theme => theme,
            };
            descend(&path, inner, files);
        } else if path.extension().is_some_and(|found| found == "toml") {
            files.push((path, theme));
        }
    }
}
