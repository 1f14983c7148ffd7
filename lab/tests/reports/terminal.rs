//! What a run shows on a terminal, and what it does not where there is none.

use std::process::Command;

use crate::ended::assert_says;
use crate::pty::on_terminal;
use crate::run_place::{Place, finish};
use crate::texts::{NO_SABOTAGE, PAIR};

/// Takes long enough for a line of progress to be drawn.
const STEPS: &str = r#"
[[step]]
expect = { reach = { from = "laptop", to = "printer", for = "700ms" } }
"#;

const ESCAPE: char = '\u{1b}';
const GREEN: &str = "\u{1b}[32m";
const PROGRESS: &str = "0/1 plays; pair";

/// A run of one scenario, as a person's shell would start it.
fn command(place: &Place) -> Command {
    place.write("pair", &[NO_SABOTAGE, PAIR, STEPS].concat());
    let mut command = place.command(&["pair.toml"]);
    command
        .env("TERM", "xterm-256color")
        .env("COLORTERM", "truecolor");
    for name in ["CLICOLOR", "CLICOLOR_FORCE"] {
        command.env_remove(name);
    }
    command
}

/// The same on a terminal, with variables of the environment.
fn shown(environment: &[(&str, &str)]) -> String {
    let place = Place::new();
    let mut command = command(&place);
    command.envs(environment.iter().copied());
    let (said, code) = on_terminal(command);
    assert_eq!(code, Some(0), "{said}");
    // Whatever else is drawn, the lines are there.
    assert_says(
        &said,
        &["reach laptop -> printer: ", "scenarios: 1 passed, 0 failed"],
    );
    said
}

#[test]
fn a_terminal_has_progress_and_colour() {
    let said = shown(&[]);
    assert_says(&said, &[PROGRESS, GREEN]);
}

#[test]
fn no_color_is_heeded() {
    let said = shown(&[("NO_COLOR", "1")]);
    assert!(
        !said.contains("\u{1b}[32m") && !said.contains("\u{1b}[1m"),
        "{said:?}"
    );
    assert_says(&said, &[PROGRESS]);
}

#[test]
fn a_dumb_terminal_has_neither() {
    let said = shown(&[("TERM", "dumb")]);
    assert!(
        !said.contains(ESCAPE) && !said.contains("plays"),
        "{said:?}"
    );
}

#[test]
fn ci_has_no_progress() {
    let said = shown(&[("CI", "true")]);
    assert!(!said.contains("plays"), "{said:?}");
}

#[test]
fn a_pipe_has_neither() {
    let place = Place::new();
    let said = finish(0, command(&place));
    assert!(
        !said.contains(ESCAPE) && !said.contains("plays"),
        "{said:?}"
    );
    assert_says(&said, &["ok     reach laptop -> printer: "]);
}
