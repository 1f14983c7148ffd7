//! `run --pause-on-failure`: a play that stops at a failure, for somebody to look.

mod common {
    pub(crate) mod cable;
    pub(crate) mod desk;
    pub(crate) mod ended;
    pub(crate) mod files;
    pub(crate) mod process;
    pub(crate) mod reached;
    mod talk;
    pub(crate) mod terminal;
    pub(crate) mod texts;
}

use std::path::Path;

use common::cable::CABLE_OUT;
use common::desk::{Desk, PATIENCE};
use common::ended::assert_says;
use common::process::Process;
use common::reached::REACHED;
use common::terminal::Terminal;
use common::{files, texts};

/// The second step holds, in a time that a pause would use up.
const FAILS: &str = r#"
[[step]]
name = "nobody there"
expect = { reach = { name = "nobody answers", from = "laptop", to = "192.168.188.99", within = "300ms" } }
[[step]]
name = "afterwards"
expect = { reach = { name = "the printer", from = "laptop", to = "printer", within = "300ms" } }
"#;

fn run(desk: &Desk, file: &Path, more: &[&str]) -> std::process::Command {
    let file = file.to_str().expect("UTF-8");
    desk.lab(&[&["run", "--pause-on-failure", file], more].concat())
}

#[test]
fn a_play_stops_at_a_failure_until_it_is_told_to_go_on() {
    let desk = Desk::new();
    let file = desk.pair("fails", FAILS);
    let mut play = Process::start(run(&desk, &file, &[]));
    play.await_line("fps-lab down fails", PATIENCE);
    let labs = desk.ps();
    assert_eq!(labs[0]["state"], "paused", "{labs:?}");
    assert_eq!(
        labs[0]["at"],
        "after step `nobody there`: 1 expectation failed"
    );
    // Longer than the next step's time.
    desk.expect(0, &["exec", "laptop", "--", "sleep", "0.5"]);
    let list = desk.expect(0, &["exec", "laptop", "--", "ip", "netns", "list"]);
    assert_says(&list, &["printer"]);
    assert_says(&desk.expect(0, &["resume"]), &["fails  goes on"]);
    let said = play.finish(PATIENCE).expect_exit(1);
    assert_says(
        &said,
        &[
            "FAILED nobody answers",
            "PAUSED   after step `nobody there`: 1 expectation failed",
            "fps-lab shell laptop --lab fails",
            "fps-lab resume fails",
            "step     afterwards",
            "ok     the printer",
            "scenarios: 0 passed, 1 failed",
        ],
    );
    assert_eq!(desk.sockets(), [""; 0]);
}

#[test]
fn a_play_that_is_told_to_end_ends_and_the_next_is_played() {
    let desk = Desk::new();
    let file = desk.pair("fails", FAILS);
    let good = desk.pair(
        "good",
        "[[step]]\nexpect = { reach = { from = \"laptop\", to = \"printer\" } }\n",
    );
    let good = good.to_str().expect("UTF-8");
    let mut play = Process::start(run(&desk, &file, &[good]));
    play.await_line("fps-lab down fails", PATIENCE);
    assert_says(&desk.expect(0, &["down"]), &["fails  down"]);
    let said = play.finish(PATIENCE).expect_exit(1);
    assert_says(&said, &["scenarios: 1 passed, 1 failed"]);
    assert!(!said.contains("afterwards"), "{said}");
}

#[test]
fn enter_goes_on() {
    let desk = Desk::new();
    let file = desk.pair("fails", FAILS);
    let mut at = Terminal::start(run(&desk, &file, &[]));
    at.await_text("fps-lab down fails", PATIENCE);
    assert!(at.handles_lines(), "Ctrl-C still stops the run");
    assert_eq!(desk.ps()[0]["state"], "paused");
    at.press("\n");
    at.await_text("step     afterwards", PATIENCE);
    assert_eq!(at.child.wait().expect("it ends").code(), Some(1));
}

#[test]
fn an_act_that_fails_is_a_failure_to_stop_at() {
    let desk = Desk::new();
    let act =
        "[[step]]\nname = \"bad\"\ndo = { run = { on = \"laptop\", command = [\"false\"] } }\n";
    let mut play = Process::start(run(&desk, &desk.pair("bad", act), &[]));
    play.await_line("fps-lab down bad", PATIENCE);
    assert_eq!(desk.ps()[0]["state"], "paused");
    desk.expect(0, &["resume"]);
    let said = play.finish(PATIENCE).expect_exit(1);
    assert_says(&said, &["PAUSED   in `bad`:"]);
}

#[test]
fn a_lab_that_has_the_name_already_is_left_alone() {
    let desk = Desk::new();
    let file = desk.pair("fails", FAILS);
    desk.up(&file, &[]);
    let mut play = Process::start(run(&desk, &file, &["--json", "--out", "other"]));
    play.await_line("fps-lab down fails-2", PATIENCE);
    assert_eq!(desk.sockets(), ["fails-2.sock", "fails.sock"]);
    desk.expect(0, &["resume", "fails-2"]);
    play.finish(PATIENCE).expect_exit(1);
    assert_eq!(desk.ps()[0]["lab"], "fails");
}

/// What a sabotage is to harm stops nothing: the run ends by itself.
#[test]
fn a_sabotage_that_bites_stops_nothing() {
    let desk = Desk::new();
    let text = [texts::PAIR, REACHED, CABLE_OUT].concat();
    let file = files::write(desk.path(), "good", &text);
    let said = Process::start(run(&desk, &file, &[]))
        .finish(PATIENCE)
        .expect_exit(0);
    assert_says(&said, &["sabotages: 1 bit"]);
    assert!(!said.contains("PAUSED"), "{said}");
}
