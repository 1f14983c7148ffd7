//! A scenario that is `alone` has no other play beside it, in its run or in another of the process.

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::{Condvar, Mutex};
use std::thread;
use std::time::Duration;

use fps_lab::folder::Folder;
use fps_lab::lab::Site;
use fps_lab::play::Keep;
use fps_lab::run::{Audience, Line, Options, run};
use fps_lab::scenario::{ScenarioFile, parse};
use indexmap::IndexMap;
use tokio::sync::watch;

/// More than a lab of one host takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

const ONE_HOST: &str = r#"
title    = "One host"
sabotage = []
why      = "a test of the lab itself"
host.a   = {}

[[step]]
do = { run = { on = "a", command = ["true"] } }
"#;

fn scenario(name: &str, alone: bool) -> ScenarioFile {
    let text = format!("alone = {alone}\n{ONE_HOST}");
    parse(Path::new(&format!("{name}.toml")), &text).unwrap_or_else(|error| panic!("{error}"))
}

/// Who plays now, and what was wrong with it.
#[derive(Default)]
struct Plays {
    now: Vec<String>,
    /// How many have begun so far.
    begun: usize,
    wrong: Vec<String>,
}

/// Has plays that are not called alone wait until this many have begun.
struct Doorkeeper {
    together: usize,
    plays: Mutex<Plays>,
    came: Condvar,
}

impl Doorkeeper {
    fn new(together: usize) -> Self {
        Self {
            together,
            plays: Mutex::default(),
            came: Condvar::new(),
        }
    }

    fn wrong(self) -> Vec<String> {
        self.plays.into_inner().expect("nobody panics here").wrong
    }
}

impl Audience for Doorkeeper {
    fn line(&self, _line: Line) {}

    fn begins(&self, play: &str) {
        let mut plays = self.plays.lock().expect("nobody panics here");
        plays.begun += 1;
        self.came.notify_all();
        let alone = |name: &str| name.starts_with("alone");
        let beside = plays.now.join(", ");
        if !beside.is_empty() && (alone(play) || plays.now.iter().any(|it| alone(it))) {
            plays
                .wrong
                .push(format!("{play} was played beside {beside}"));
        }
        plays.now.push(play.to_owned());
        if alone(play) {
            return;
        }
        let late = self
            .came
            .wait_timeout_while(plays, PATIENCE, |plays| plays.begun < self.together);
        let (mut plays, late) = late.expect("nobody panics here");
        if late.timed_out() {
            plays
                .wrong
                .push(format!("{play} waited for the others in vain"));
        }
    }

    fn ends(&self, play: &str, well: bool) {
        let mut plays = self.plays.lock().expect("nobody panics here");
        plays.now.retain(|it| it != play);
        if !well {
            plays.wrong.push(format!("{play} did not pass"));
        }
    }
}

/// Plays the files with as many threads.
fn play(files: &[ScenarioFile], doorkeeper: &Doorkeeper) {
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let folder = Folder::create(temporary.path()).expect("the run's folder");
    let (_interrupt, stop) = watch::channel(false);
    let site = Site {
        helper: env!("CARGO_BIN_EXE_fps-lab").into(),
        programs: IndexMap::new(),
    };
    let options = Options {
        site: &site,
        folder: &folder,
        jobs: NonZeroUsize::new(files.len()).expect("files"),
        sabotages: true,
        fail_fast: false,
        keep: Keep::Failed,
        pause: None,
        stop,
    };
    run(files, &options, doorkeeper);
}

#[test_log::test]
fn nothing_else_is_played_beside_it() {
    let others = ["other-1", "other-2", "other-3"].map(|name| scenario(name, false));
    let [first, second, third] = others;
    let [one, two] = ["alone-1", "alone-2"].map(|name| scenario(name, true));
    let doorkeeper = Doorkeeper::new(5);
    play(&[first, one, second, two, third], &doorkeeper);
    assert_eq!(doorkeeper.wrong(), Vec::<String>::new());
}

#[test_log::test]
fn nor_by_another_run_of_the_process() {
    // Nobody waits for anybody: who did would keep out the one that he waits for.
    let doorkeeper = Doorkeeper::new(1);
    thread::scope(|scope| {
        for number in 1..=3 {
            let doorkeeper = &doorkeeper;
            scope.spawn(move || {
                let other = scenario(&format!("other-{number}"), false);
                let alone = scenario(&format!("alone-{number}"), true);
                play(&[other, alone], doorkeeper);
            });
        }
    });
    assert_eq!(doorkeeper.wrong(), Vec::<String>::new());
}

/// The control: where nobody is kept out, the doorkeeper sees that.
#[test_log::test]
fn the_doorkeeper_sees_who_is_not_alone() {
    let files = ["other", "alone-in-name"].map(|name| scenario(name, false));
    let doorkeeper = Doorkeeper::new(2);
    play(&files, &doorkeeper);
    let wrong = doorkeeper.wrong();
    assert_eq!(wrong.len(), 1, "{wrong:?}");
    assert!(wrong[0].contains(" was played beside "), "{wrong:?}");
}
