//! What programs print, and how they end.

use fps_lab::play::{End, Evidence, Verdict};

use crate::pair;
use crate::played::{assert_held, assert_unsure, played};
use crate::sabotaged::run_with_sabotages;

/// A program that says one thing and ends.
const GREETER: &str = r#"
[program.greeter]
on      = "laptop"
command = ["bash", "-c", "echo well met"]
may-end = true
"#;

#[test]
fn a_line_that_was_printed_holds_though_its_program_has_ended() {
    let steps = r#"
[[step]]
do     = { start = "greeter" }
expect = [ { says = { who = "greeter", text = "met" } } ]
[[step]]
expect = [ { says = { name = "later", who = "greeter", text = "well" } } ]
"#;
    let report = played(&pair(&[GREETER, steps].concat()));
    assert_held(&report, "greeter says `met`");
    assert_held(&report, "later");
}

#[test]
fn a_line_that_was_not_printed_fails_and_shows_what_was() {
    let steps = r#"
[[step]]
do     = { start = "greeter" }
expect = [ { says = { who = "greeter", text = "farewell", within = "200ms" } } ]
"#;
    let report = played(&pair(&[GREETER, steps].concat()));
    match report.verdict("greeter says `farewell`") {
        Some(Verdict::Failed { evidence, .. }) => {
            assert_eq!(evidence, &[Evidence::Line("well met".to_owned())]);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_program_that_was_never_started_proves_nothing_by_its_silence() {
    let steps = "[[step]]\nexpect = [ { says = { who = \"greeter\", text = \"met\" } } ]\n";
    let report = played(&pair(&[GREETER, steps].concat()));
    assert_unsure(&report, "greeter says `met`", "no step has started greeter");
}

#[test]
fn a_program_that_ends_fails_the_step_unless_it_may() {
    let steps = r#"
[[step]]
do     = { start = "greeter" }
expect = [ { says = { who = "greeter", text = "farewell", within = "200ms" } } ]
"#;
    let (may, said) = run_with_sabotages(&pair(&[GREETER, steps].concat()));
    assert_eq!(may.play.end, End::Played, "{said}");
    let must_not = GREETER.replace("may-end = true", "");
    let (must_not, said) = run_with_sabotages(&pair(&[&must_not, steps].concat()));
    let ended = "greeter on laptop has ended: exit code 0; it said: well met".to_owned();
    let end = End::ActFailed {
        step: "step 1".to_owned(),
        error: ended,
    };
    assert_eq!(must_not.play.end, end, "{said}");
}
