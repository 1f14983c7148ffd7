//! The scenario library, played with this build of `fps-route`: what `ci/mutants` asks of each build
//! with a fault in it. No test of the route engine's own, so `cargo test` leaves it out.

use std::env::var;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Holds where each scenario is played without a failure. One that fails is played once more, alone:
/// what fails on a busy machine only must not count as a fault that was caught.
#[test]
fn holds() {
    let lab = PathBuf::from(var("FPS_LAB_BIN").expect("FPS_LAB_BIN names the lab"));
    let list = var("FPS_LAB_SCENARIOS").expect("FPS_LAB_SCENARIOS names a list of files");
    let list = std::fs::read_to_string(list).expect("the list can be read");
    let mut files: Vec<&Path> = list.lines().map(Path::new).collect();
    assert!(!files.is_empty(), "no scenario to play");
    while !files.is_empty() {
        let ends = play(&lab, &files, "4");
        assert_eq!(ends.len(), files.len(), "the lab tells of each scenario");
        let of = |wanted: End| {
            let ended = files.iter().zip(&ends);
            let ended = ended.filter(move |(_, end)| **end == wanted);
            ended.map(|(file, _)| *file).collect::<Vec<_>>()
        };
        for file in of(End::Failed) {
            let again = play(&lab, &[file], "1");
            assert_eq!(again, [End::Held], "caught by {}", file.display());
        }
        // Where one failed, others were not begun.
        files = of(End::NotPlayed);
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Held,
    Failed,
    NotPlayed,
}

fn play(lab: &Path, files: &[&Path], jobs: &str) -> Vec<End> {
    let out = tempfile::tempdir().expect("a temporary folder");
    let played = Command::new(lab)
        .arg("run")
        .args(files)
        .args(["--json", "--fail-fast", "--sabotage", "without"])
        .args(["--jobs", jobs, "--out"])
        .arg(out.path())
        .args(["--route-bin", env!("CARGO_BIN_EXE_fps-route")])
        .output()
        .expect("the lab runs");
    let outcome: Value = serde_json::from_slice(&played.stdout).unwrap_or_else(|error| {
        let said = String::from_utf8_lossy(&played.stderr);
        panic!("the lab does not tell what came of it ({error}): {said}")
    });
    let scenarios = outcome["scenarios"].as_array();
    scenarios.into_iter().flatten().map(end).collect()
}

/// How a scenario ended, by `outcome.json` of the lab.
fn end(scenario: &Value) -> End {
    match scenario["end"].as_str() {
        Some("passed") => End::Held,
        Some("unfinished") => End::NotPlayed,
        _ => End::Failed,
    }
}
