//! A scenario's text with its sabotages, played in this process.

use std::num::NonZeroUsize;
use std::sync::Mutex;

use fps_lab::folder::Folder;
use fps_lab::play::Keep;
use fps_lab::run::{Line, Options, Outcome, run};
use tokio::sync::watch;

use super::played::{read, site};

/// Plays a scenario with its sabotages; gives what came of it and what was said.
pub(crate) fn run_with_sabotages(text: &str) -> (Outcome, String) {
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let folder = Folder::create(temporary.path()).expect("the run's folder");
    let (_interrupt, stop) = watch::channel(false);
    let options = Options {
        site: &site(),
        folder: &folder,
        jobs: NonZeroUsize::MIN,
        sabotages: true,
        fail_fast: false,
        keep: Keep::Failed,
        pause: None,
        stop,
    };
    let said = Mutex::new(String::new());
    let say = |Line { play, text }: Line| {
        *said.lock().expect("nobody panics here") += &format!("{play}  {text}\n");
    };
    let mut outcomes = run(&[read(text)], &options, &say);
    let said = said.into_inner().expect("nobody panics here");
    (outcomes.pop().expect("one file has one outcome"), said)
}
