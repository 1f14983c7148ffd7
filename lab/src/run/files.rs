//! The files that a command line means.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Folders that hold no scenario to play: wrong ones, and parts of others.
const LEFT_OUT: [&str; 2] = ["invalid", "footprints"];

/// Files that cannot be found.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    /// A path that cannot be read.
    #[error("read {path}")]
    Read {
        /// The path.
        path: PathBuf,
        /// The errno.
        #[source]
        cause: io::Error,
    },
    /// A folder without a scenario.
    #[error("there is no scenario (*.toml) below {0}")]
    Empty(PathBuf),
}

/// The files named, and for a folder the `*.toml` below it, sorted, without those in `invalid/`
/// and `footprints/`.
pub fn collect(paths: &[PathBuf]) -> Result<Vec<PathBuf>, FilesError> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            let before = files.len();
            descend(path, &mut files)?;
            if files.len() == before {
                return Err(FilesError::Empty(path.clone()));
            }
        } else {
            files.push(path.clone());
        }
    }
    Ok(files)
}

fn descend(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), FilesError> {
    let failed = |cause| FilesError::Read {
        path: folder.to_owned(),
        cause,
    };
    let mut entries = fs::read_dir(folder)
        .and_then(|entries| {
            entries
                .map(|entry| Ok(entry?.path()))
                .collect::<io::Result<Vec<_>>>()
        })
        .map_err(failed)?;
    entries.sort();
    for path in entries {
        let name = path.file_name().unwrap_or_default();
        if path.is_dir() {
            if !LEFT_OUT.iter().any(|left_out| name == *left_out) {
                descend(&path, files)?;
            }
        } else if path
            .extension()
            .is_some_and(|extension| extension == "toml")
        {
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_means_its_scenarios_but_not_the_wrong_ones() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, "").unwrap();
            path
        };
        let wanted = [file("a.toml"), file("theme/b.toml")];
        file("invalid/c.toml");
        file("theme/footprints/d.toml");
        file("notes.md");
        assert_eq!(collect(&[folder.path().to_owned()]).unwrap(), wanted);
    }

    #[test]
    fn a_folder_without_scenarios_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(
            collect(&[folder.path().to_owned()]),
            Err(FilesError::Empty(_))
        ));
    }
}
