//! What a run shows in GitHub Actions.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::ended::assert_says;
use crate::run_place::{Place, finish};
use crate::texts::{NO_SABOTAGE, PAIR};

const FAILS: &str = r#"
[[step]]
name = "a wish"
expect = { reach = { name = "100 %: nobody, nowhere", from = "laptop", to = "192.168.188.99", within = "300ms" } }
"#;

const HOLDS: &str = r#"
[[step]]
expect = { reach = { from = "laptop", to = "printer" } }
"#;

fn place() -> Place {
    let place = Place::new();
    place.write("fails", &[NO_SABOTAGE, PAIR, FAILS].concat());
    place.write("holds", &[NO_SABOTAGE, PAIR, HOLDS].concat());
    place
}

/// The step's summary, beside the run's folder.
fn summary(place: &Place) -> PathBuf {
    place.out("").with_file_name("summary.md")
}

fn in_actions(place: &Place) -> Command {
    let mut command = place.command(&["fails.toml", "holds.toml"]);
    command.env("GITHUB_ACTIONS", "true");
    command.env("GITHUB_STEP_SUMMARY", summary(place));
    command
}

#[test]
fn a_failure_is_annotated_where_it_stands_in_the_file() {
    let place = place();
    let said = finish(1, in_actions(&place));
    let text = [NO_SABOTAGE, PAIR, FAILS].concat();
    let (line, before) = text
        .lines()
        .enumerate()
        .find_map(|(number, line)| Some((number + 1, line.find("\"100 %")?)))
        .expect("it is there");
    let start = format!(
        "::error file=fails.toml,line={line},col={},title=fails%3A 100 %25%3A nobody%2C nowhere::expected",
        before + 1
    );
    let errors: Vec<&str> = said
        .lines()
        .filter(|it| it.starts_with("::error"))
        .collect();
    let [error] = errors[..] else {
        panic!("not one error but {errors:?}\n{said}")
    };
    assert!(error.starts_with(&start), "{error}\nis not\n{start}");
    // All of it is on the one line.
    assert_says(error, &["%0Alaptop decides about 192.168.188.99"]);
}

#[test]
fn a_summary_that_cannot_be_written_hides_no_verdict() {
    let place = place();
    let run = |code: i32, file: &str| {
        let mut command = place.command(&[file]);
        command.env("GITHUB_ACTIONS", "true");
        command.env("GITHUB_STEP_SUMMARY", place.out("no/such/folder"));
        finish(code, command)
    };
    let told = ["append to GITHUB_STEP_SUMMARY", "0 passed, 1 failed"];
    assert_says(&run(1, "fails.toml"), &told);
    // A pass of which CI hears nothing is none.
    assert_says(&run(3, "holds.toml"), &[told[0], "1 passed, 0 failed"]);
}

#[test]
fn what_came_well_is_folded_and_what_did_not_is_seen() {
    let place = place();
    let said = finish(1, in_actions(&place));
    let lines: Vec<&str> = said.lines().collect();
    let of = |sign: &str| {
        let place = lines.iter().position(|line| line.contains(sign));
        place.unwrap_or_else(|| panic!("no {sign:?} in\n{said}"))
    };
    let (open, close) = (of("::group::holds"), of("::endgroup::"));
    assert!(
        open < of("ok     reach laptop -> printer") && of("ok     reach") < close,
        "{said}"
    );
    let failed = of("  FAILED 100 %: nobody, nowhere");
    assert!(failed < open || failed > close, "{said}");
    assert_eq!(said.matches("::group::").count(), 1, "{said}");
}

#[test]
fn the_summary_of_the_step_is_appended() {
    let place = place();
    let path = summary(&place);
    fs::write(&path, "from the step before\n").expect("write a summary");
    finish(1, in_actions(&place));
    let text = fs::read_to_string(&path).expect("the summary");
    assert!(text.starts_with("from the step before\n"), "{text}");
    assert_says(
        &text,
        &[
            "### fps-lab: FAILED",
            "scenarios: 1 passed, 1 failed; sabotages: 0 bit, 0 did not",
            "| fails | FAILED | 0 of 1 | 0 of 0 |",
            "    expected answers",
            "(fails.toml:",
        ],
    );
}

#[test]
fn elsewhere_there_is_none_of_it() {
    let place = place();
    let mut command = in_actions(&place);
    command.env_remove("GITHUB_ACTIONS");
    let said = finish(1, command);
    assert!(!said.contains("::"), "{said}");
    assert!(!summary(&place).exists());
}
