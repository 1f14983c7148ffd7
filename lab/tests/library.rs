//! All scenarios at once but those that need programs, without their sabotages, to the first that
//! fails: what `ci/mutants` asks of each faulty build. `tests/scenarios.rs` plays them one by one, with their sabotages.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use fps_lab::folder::Folder;
use fps_lab::lab::Site;
use fps_lab::run::{Line, Options, Outcome, collect, run};
use fps_lab::scenario::{ScenarioFile, load};
use indexmap::IndexMap;
use tokio::sync::watch;

/// A play waits far more than it computes.
const AT_ONCE: NonZeroUsize = NonZeroUsize::new(6).expect("not zero");

#[test]
#[ignore = "ci/mutants runs it; tests/scenarios.rs plays the same with sabotages"]
fn holds() {
    let files: Vec<ScenarioFile> = paths().iter().map(|path| read(path)).collect();
    assert!(files.len() > 40, "only {} scenarios", files.len());
    let site = Site {
        helper: env!("CARGO_BIN_EXE_fps-lab").into(),
        programs: IndexMap::new(),
    };
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let folder = Folder::create(temporary.path()).expect("the run's folder");
    let (_interrupt, stop) = watch::channel(false);
    let options = Options {
        site: &site,
        folder: &folder,
        jobs: AT_ONCE,
        sabotages: false,
        fail_fast: true,
        stop,
    };
    let lines = Mutex::new(String::new());
    let say = |Line { play, text }: Line| {
        *lines.lock().expect("nobody panics here") += &format!("{play}  {text}\n");
    };
    let outcomes = run(&files, &options, &say);
    let lines = lines.into_inner().expect("nobody panics here");
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
