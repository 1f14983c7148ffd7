//! Limits of the kernel on the one who plays (getrlimit(2)).

use std::process::Command;

use super::common::ended::assert_says;
use super::common::reached::REACHED;
use super::{Place, expect};

/// A command that begins with what `ulimit` is told.
fn limited(limit: &str, command: &Command) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("ulimit {limit} && exec \"$0\" \"$@\"")]);
    shell.arg(command.get_program()).args(command.get_args());
    shell
}

#[test]
fn a_lab_takes_more_open_files_than_the_soft_limit_and_its_programs_do_not() {
    let place = Place::new();
    let asks = r#"
[[step]]
expect = [ { prints = { on = "laptop", command = ["sh", "-c", "ulimit -n; [ $(ulimit -Hn) = 100 ] || echo more"], text = "100\nmore\n" } } ]
"#;
    let file = place.pair("asks", asks);
    let command = limited("-S -n 100", &place.run(&[&file]));
    let said = expect(0, command);
    assert_says(&said, &["scenarios: 1 passed, 0 failed"]);
}

#[test]
fn a_limit_of_open_files_that_is_too_low_ends_with_3_and_says_how_to_raise_it() {
    let place = Place::new();
    let file = place.pair("low", REACHED);
    let said = expect(3, limited("-n 100", &place.run(&[&file])));
    let says = [
        "this process may open 100 files, and a lab takes up to 192",
        "ulimit -n 4096",
    ];
    assert_says(&said, &says);
}
