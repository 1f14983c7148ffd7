//! A sabotage bites where what must fail does, and nothing else.

use crate::sabotaged::run_with_sabotages;
use crate::texts::PAIR;

#[test]
fn a_sabotage_after_which_too_much_fails_does_not_bite() {
    let text = [
        PAIR,
        r#"
[[step]]
expect = [ { reach = { name = "before", from = "laptop", to = "printer", within = "200ms" } } ]
[[step]]
expect = [ { reach = { name = "aimed at", from = "laptop", to = "printer", within = "200ms" } } ]

[[sabotage]]
name = "too early"
change = { seed = { link = { on = "laptop", link = "eth0", state = "unplugged" } } }
must-fail = ["aimed at"]

[[sabotage]]
name = "in time"
change = { add = { before = 2, do = { link = { on = "laptop", link = "eth0", state = "unplugged" } } } }
must-fail = ["aimed at"]
"#,
    ]
    .concat();
    let (outcome, said) = run_with_sabotages(&text);
    let [too_early, in_time] = outcome.sabotages.as_slice() else {
        panic!("two sabotages\n{said}");
    };
    let why = too_early.no_bite.as_deref();
    let why = why.unwrap_or_default();
    assert!(
        why.starts_with("`before` did not hold either"),
        "{why}\n{said}"
    );
    assert_eq!(in_time.no_bite, None, "{said}");
    assert!(outcome.play.passed() && !outcome.passed(), "{said}");
}

#[test]
fn a_sabotage_that_only_blinds_a_check_does_not_bite() {
    let text = [
        PAIR,
        r#"
[[step]]
name = "act"
do = { route = { on = "laptop", to = "10.9.9.0/24", link = "eth0" } }
[[step]]
expect = [ { silent = { name = "quiet", on = "laptop", link = "eth0", to = "10.9.9.9", for = "50ms" } } ]

[[sabotage]]
name = "nobody can see"
change = { add = { after = "act", do = { link = { on = "laptop", link = "eth0", state = "down" } } } }
must-fail = ["quiet"]
"#,
    ]
    .concat();
    let (outcome, said) = run_with_sabotages(&text);
    let why = outcome.sabotages[0].no_bite.as_deref().unwrap_or_default();
    assert!(
        why.starts_with("`quiet` could not be told"),
        "{why}\n{said}"
    );
}

#[test]
fn a_sabotage_of_what_fails_anyway_does_not_bite() {
    let text = [
        PAIR,
        r#"
[[step]]
expect = [ { reach = { name = "nobody", from = "laptop", to = "192.168.188.99", within = "200ms" } } ]

[[sabotage]]
name = "no cable"
change = { seed = { link = { on = "laptop", link = "eth0", state = "unplugged" } } }
must-fail = ["nobody"]
"#,
    ]
    .concat();
    let (outcome, said) = run_with_sabotages(&text);
    let why = outcome.sabotages[0].no_bite.as_deref();
    let wanted = "`nobody` does not hold without the sabotage either";
    assert_eq!(why, Some(wanted), "{said}");
}
