//! `fps-lab new`: what it writes is valid, plays, and its sabotages bite.

mod common {
    pub(crate) mod played_files;
    pub(crate) mod root;
    pub(crate) mod schema;
}

use std::fs;
use std::num::NonZeroUsize;
use std::path::Path;
use std::process::{Command, Output};

use common::played_files::{How, play};
use common::root::root;
use common::schema::Schema;
use fps_lab::run::Outcome;
use fps_lab::scenario::parse;
use fps_lab::scenario::schema::Form;
use rstest::rstest;

fn new(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fps-lab"));
    command.current_dir(folder).arg("new").args(arguments);
    command.output().expect("fps-lab runs")
}

#[rstest]
#[case("split-tunnel")]
#[case("full-tunnel")]
#[case("lan")]
#[case("dns")]
fn each_kind_is_valid_and_passes_and_its_sabotages_bite(#[case] kind: &str) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let written = new(folder.path(), &["mine.toml", "--kind", kind]);
    assert!(written.status.success(), "{written:?}");
    let path = folder.path().join("mine.toml");
    let text = fs::read_to_string(&path).expect("it was written");
    Schema::committed(Form::Scenario)
        .check(&text)
        .unwrap_or_else(|why| panic!("{kind}: {why}"));
    let file = parse(&path, &text).unwrap_or_else(|error| panic!("{error}"));
    assert!(!file.sabotages.is_empty(), "{kind} has no sabotage");
    let how = How {
        jobs: NonZeroUsize::MIN,
        sabotages: true,
        fail_fast: false,
    };
    let (outcomes, said) = play(&[file], how);
    assert!(
        !outcomes.is_empty() && outcomes.iter().all(Outcome::passed),
        "{kind}:\n{said}"
    );
    // Whoever starts from it learns what each part is for.
    let comments = text.lines().filter(|line| line.starts_with("# ")).count();
    assert!(comments > 10, "{kind} has only {comments} lines of comment");
}

#[test]
fn a_file_that_is_there_stays_as_it_is() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("mine.toml");
    fs::write(&path, "mine").expect("it can be written");
    let refused = new(folder.path(), &["mine.toml"]);
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(said.contains("mine.toml is there already"), "{said}");
    assert_eq!(fs::read_to_string(&path).expect("it is there"), "mine");
}

#[test]
fn within_the_repository_the_committed_schema_is_named_and_elsewhere_one_beside_the_file() {
    let inside = tempfile::tempdir_in(root().join("scenarios/lan")).expect("a temporary folder");
    let outside = tempfile::tempdir().expect("a temporary folder");
    for (folder, wanted) in [
        (inside.path(), "#:schema ../../../docs/scenario.schema.json"),
        (outside.path(), "#:schema ./scenario.schema.json"),
    ] {
        let written = new(folder, &["mine.txt"]);
        assert!(written.status.success(), "{written:?}");
        let text = fs::read_to_string(folder.join("mine.txt")).expect("it was written");
        assert_eq!(text.lines().next(), Some(wanted));
    }
    let printed = new(outside.path(), &[]);
    let text = String::from_utf8_lossy(&printed.stdout);
    assert!(
        text.contains("fps-lab schema > scenario.schema.json"),
        "{text}"
    );
}
