//! The files beside `outcome.json`.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Component, Path, PathBuf};

use serde::de::DeserializeOwned;

/// Reads files of a run's folder, by the names that `outcome.json` has for them.
pub(super) struct Beside {
    folder: PathBuf,
}

/// More than any snapshot has; a file that is larger is not shown.
const LARGEST: u64 = 16 << 20;

impl Beside {
    pub(super) fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
        }
    }

    /// What a JSON file holds, or why that cannot be told.
    pub(super) fn json<T: DeserializeOwned>(&self, name: &str) -> Result<T, String> {
        let told = |error: &dyn std::fmt::Display| format!("read {name}: {error}");
        let file = self.open(name).map_err(|error| told(&error))?;
        serde_json::from_reader(file).map_err(|error| told(&error))
    }

    /// The lines of a text, or why they cannot be told. What is no line any more ends them.
    pub(super) fn lines(&self, name: &str) -> Result<impl Iterator<Item = String> + use<>, String> {
        let file = self.open(name);
        let file = file.map_err(|error| format!("read {name}: {error}"))?;
        Ok(file.lines().map_while(Result::ok))
    }

    fn open(&self, name: &str) -> io::Result<BufReader<io::Take<File>>> {
        let path = Path::new(name);
        // The folder may have come from elsewhere, and `outcome.json` with it.
        let plain = |part: Component<'_>| matches!(part, Component::Normal(_));
        if !path.components().all(plain) {
            return Err(io::Error::other("it is not in the run's folder"));
        }
        let file = File::open(self.folder.join(path))?;
        Ok(BufReader::new(file.take(LARGEST)))
    }
}
