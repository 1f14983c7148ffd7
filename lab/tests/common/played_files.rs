//! Scenario files, played in this process.

use std::num::NonZeroUsize;
use std::sync::Mutex;

use fps_lab::folder::Folder;
use fps_lab::lab::Site;
use fps_lab::play::Keep;
use fps_lab::run::{Line, Options, Outcome, run};
use fps_lab::scenario::ScenarioFile;
use indexmap::IndexMap;
use tokio::sync::watch;

/// What is played, and how.
#[derive(Clone, Copy)]
pub(crate) struct How {
    /// How many plays at once.
    pub(crate) jobs: NonZeroUsize,
    /// Whether the sabotages are played as well.
    pub(crate) sabotages: bool,
    /// Whether the first play that fails is the last.
    pub(crate) fail_fast: bool,
}

/// Plays the files; gives what came of each, and all that was said.
pub(crate) fn play(files: &[ScenarioFile], how: How) -> (Vec<Outcome>, String) {
    let site = Site {
        helper: env!("CARGO_BIN_EXE_fps-lab").into(),
        programs: IndexMap::new(),
    };
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let folder = Folder::create(temporary.path()).expect("the run's folder");
    // Never told to stop, as long as this lives.
    let (_interrupt, stop) = watch::channel(false);
    let How {
        jobs,
        sabotages,
        fail_fast,
    } = how;
    let options = Options {
        site: &site,
        folder: &folder,
        jobs,
        sabotages,
        fail_fast,
        keep: Keep::Failed,
        pause: None,
        stop,
    };
    let lines = Mutex::new(String::new());
    let say = |Line { play, text }: Line| {
        *lines.lock().expect("nobody panics here") += &format!("{play}  {text}\n");
    };
    let outcomes = run(files, &options, &say);
    (outcomes, lines.into_inner().expect("nobody panics here"))
}
