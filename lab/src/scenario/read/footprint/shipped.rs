//! The footprints that come with the lab. They are in the binary, so that one scenario file is enough
//! wherever it is sent.

use std::path::{Path, PathBuf};

/// Where they are, from the root of the repository.
const FOLDER: &str = "scenarios/footprints";

macro_rules! shipped {
    ($($name:literal),* $(,)?) => {
        &[$((
            $name,
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios/footprints/", $name, ".toml")),
        )),*]
    };
}

const ALL: &[(&str, &str)] = shipped![
    "docker",
    "mullvad",
    "networkmanager",
    "tailscale",
    "wg-quick",
    "wg-quick-firewall"
];

/// The text of one.
pub(super) fn text(name: &str) -> Option<&'static str> {
    let found = ALL.iter().find(|(known, _)| *known == name);
    found.map(|(_, text)| *text)
}

/// What messages call the file of one.
pub(super) fn path(name: &str) -> PathBuf {
    Path::new(FOLDER).join(name).with_extension("toml")
}

/// Their names.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    ALL.iter().map(|(name, _)| *name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_file_of_the_folder_is_in_the_binary() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("..")
            .join(FOLDER);
        let files = std::fs::read_dir(folder).expect("the folder can be listed");
        let files: BTreeSet<String> = files
            .map(|entry| entry.expect("an entry").path())
            .map(|path| {
                path.file_stem()
                    .unwrap_or_default()
                    .to_string_lossy()
                    .into_owned()
            })
            .collect();
        let listed: BTreeSet<String> = names().map(str::to_owned).collect();
        assert_eq!(files, listed);
    }
}
