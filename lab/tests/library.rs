//! All scenarios at once but those that need programs, without their sabotages, to the first that
//! fails: what `ci/mutants` asks of each faulty build. `tests/scenarios.rs` plays them one by one, with their sabotages.

mod common {
    pub(crate) mod played_files;
}

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use common::played_files::{How, play};
use fps_lab::run::{Outcome, collect};
use fps_lab::scenario::{ScenarioFile, load};

/// A play waits far more than it computes.
const AT_ONCE: NonZeroUsize = NonZeroUsize::new(6).expect("not zero");

#[test]
#[ignore = "ci/mutants runs it; tests/scenarios.rs plays the same with sabotages"]
fn holds() {
    let files: Vec<ScenarioFile> = paths().iter().map(|path| read(path)).collect();
    assert!(files.len() > 40, "only {} scenarios", files.len());
    let how = How {
        jobs: AT_ONCE,
        sabotages: false,
        fail_fast: true,
    };
    let (outcomes, lines) = play(&files, how);
    assert!(outcomes.iter().all(Outcome::passed), "{lines}");
}

fn paths() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
    let all = collect(&[root]).expect("there are scenarios");
    let needs = |path: &PathBuf| path.components().any(|part| part.as_os_str() == "needs");
    all.into_iter().filter(|path| !needs(path)).collect()
}

fn read(path: &Path) -> ScenarioFile {
    load(path).unwrap_or_else(|error| panic!("{error}"))
}
