//! Each scenario file is a test case: it is played with its sabotages, in this process, at the
//! same time as others.

mod common {
    pub(crate) mod explained;
    pub(crate) mod played_files;
}

use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::explained;
use common::played_files::{How, play};
use fps_lab::scenario::load;
use rstest::rstest;

/// Below `scenarios/`: wrong ones, parts of others, and those for which not every machine has
/// the programs. The attributes of the test case say the same.
const LEFT_OUT: [&str; 3] = ["invalid", "footprints", "needs"];

/// How many plays of one scenario at once: a play waits far more than it computes.
const AT_ONCE: NonZeroUsize = NonZeroUsize::new(3).expect("not zero");

/// The test case that is there once for each file.
const CASE: &str = "holds_and_its_sabotages_bite";

#[rstest]
#[test_log::test]
fn holds_and_its_sabotages_bite(
    #[files("../scenarios/**/*.toml")]
    #[exclude("/scenarios/(.*/)?(invalid|footprints|needs)/")]
    path: PathBuf,
) {
    let file = load(&path).unwrap_or_else(|error| panic!("{error}"));
    let how = How {
        jobs: AT_ONCE,
        sabotages: true,
        fail_fast: false,
    };
    let (outcomes, lines) = play(std::slice::from_ref(&file), how);
    let [outcome] = outcomes.as_slice() else {
        panic!("{} outcomes of one file\n{lines}", outcomes.len());
    };
    assert!(outcome.passed(), "{}\n{lines}", path.display());
    let played = outcome.play.expectations().count();
    assert!(played > 0, "nothing was expected\n{lines}");
    explained::check(&path, &file, outcome);
}

#[test]
fn every_file_is_a_case() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
    let mut files = Vec::new();
    descend(&root, &mut files);
    let mut wanted: Vec<String> = files.iter().map(|path| in_a_name(path, &root)).collect();
    wanted.sort();
    let mut listed = cases();
    listed.sort();
    assert!(!wanted.is_empty(), "no file below {}", root.display());
    assert_eq!(
        listed, wanted,
        "the cases of this test program (left) are not the files on disk (right)"
    );
}

/// The files that the cases of this program play, as their names have them.
fn cases() -> Vec<String> {
    let program = std::env::current_exe().expect("our own path");
    let output = Command::new(program)
        .args(["--list", "--format", "terse", CASE])
        .output()
        .expect("this program can be started");
    let text = String::from_utf8(output.stdout).expect("names are text");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "--list failed\n{text}{errors}");
    text.lines()
        .filter_map(|line| line.strip_suffix(": test"))
        .filter_map(|name| name.split_once("__UP_scenarios_"))
        .map(|(_, file)| file.to_owned())
        .collect()
}

fn descend(folder: &Path, files: &mut Vec<PathBuf>) {
    let listing = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    for entry in listing {
        let path = entry.expect("an entry").path();
        let name = path.file_name().unwrap_or_default();
        if path.is_dir() {
            if !LEFT_OUT.iter().any(|left_out| name == *left_out) {
                descend(&path, files);
            }
        } else if path.extension().is_some_and(|found| found == "toml") {
            files.push(path);
        }
    }
}

/// A file's path below `scenarios/` in the letters of a function's name, as rstest writes it.
fn in_a_name(path: &Path, root: &Path) -> String {
    let below = path.strip_prefix(root).expect("found below it");
    let below = below.to_string_lossy();
    below
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect()
}
