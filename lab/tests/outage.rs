//! `outage` measures what it says, and says so where it cannot.

mod common {
    pub(crate) mod played;
    pub(crate) mod texts;
}

use std::thread;
use std::time::Duration;

use common::played::{assert_failed, assert_held, assert_unsure, played, played_under};
use common::texts::{NO_SABOTAGE, PAIR};
use fps_lab::play::{Event, Report, Verdict};
use rstest::rstest;

/// The laptop's link is down for 200 ms and more.
const DOWN: &str = r#"
[[step]]
do = [
  { link = { on = "laptop", link = "eth0", state = "down" } },
  { run = { on = "laptop", command = ["sleep", "0.2"] } },
  { link = { on = "laptop", link = "eth0", state = "up" } },
]
"#;

/// What answers may need after the link is up: a neighbour's address, a turn of this program.
const SLACK: Duration = Duration::from_millis(150);

/// Two hosts of which one serves, and these tables.
fn serving(tables: &str) -> String {
    let pair = PAIR.replace(
        "[host.printer]",
        "[host.printer]\nserve = { tcp = [80], udp = [80], http = [8080] }",
    );
    [NO_SABOTAGE, &pair, tables].concat()
}

/// The length that a verdict tells of its longest gap.
fn longest(report: &Report, name: &str) -> Duration {
    let told = match report.verdict(name) {
        Some(Verdict::Held(seen)) => seen,
        other => panic!("{name}: {other:#?}"),
    };
    let (_, rest) = told.split_once("longest gap is ").expect("its length");
    let number: String = rest
        .chars()
        .take_while(|c| c.is_ascii_digit() || *c == '.')
        .collect();
    let unit = &rest[number.len()..];
    let number: f64 = number.parse().expect("a number");
    Duration::from_secs_f64(match unit {
        _ if unit.starts_with("ms") => number / 1e3,
        _ if unit.starts_with('s') => number,
        _ => panic!("a gap of microseconds: {told}"),
    })
}

#[rstest]
fn a_known_gap_is_measured(#[values("icmp", "udp", "tcp", "http")] protocol: &str) {
    let expect = format!(
        r#"expect = [ {{ outage = {{ name = "it", from = "laptop", to = "printer", with = "{protocol}", at-most = "9s", for = "50ms" }} }} ]"#
    );
    let report = played(&serving(&[DOWN, &expect].concat()));
    let acts: Duration = report.steps[0].acts.iter().map(|act| act.took).sum();
    let gap = longest(&report, "it");
    assert!(gap >= Duration::from_millis(200), "{gap:?}: it was down");
    let bound = acts + SLACK;
    assert!(gap <= bound, "{gap:?} of {acts:?}, in which it was down");
}

#[test]
fn a_gap_that_is_over_before_the_acts_end_fails_though_all_is_well_at_the_end() {
    let expect = r#"expect = [
  { outage = { from = "laptop", to = "printer", at-most = "150ms" } },
  { reach = { from = "laptop", to = "printer" } },
]"#;
    // Longer than the others: what the lab itself was late does not count.
    let down = DOWN.replace("0.2", "1");
    let report = played(&serving(&[&down, expect].concat()));
    let name = "outage laptop -> printer";
    assert_failed(&report, name, "expected no gap longer than 150ms");
    assert_held(&report, "reach laptop -> printer");
}

#[test]
fn without_a_gap_it_holds() {
    let report = played(&serving(
        r#"
[[step]]
do = { run = { on = "laptop", command = ["sleep", "0.1"] } }
expect = { outage = { from = "laptop", to = "printer", at-most = "2s", for = "100ms" } }
"#,
    ));
    assert_held(&report, "outage laptop -> printer");
}

#[test]
fn one_that_does_not_end_fails() {
    let report = played(&serving(
        r#"
[[step]]
do = { link = { on = "laptop", link = "eth0", state = "down" } }
expect = { outage = { from = "laptop", to = "printer", at-most = "200ms", for = "100ms" } }
"#,
    ));
    assert_failed(&report, "outage laptop -> printer", "was not over");
}

/// The lab has no turn in all the time in which the gap would have been seen to be too long.
#[test]
fn one_that_does_not_end_fails_though_the_lab_has_no_turn() {
    let text = serving(
        r#"
[[step]]
do = { link = { on = "laptop", link = "eth0", state = "down" } }
expect = [
  { kernel = { name = "stalls", on = "laptop", links = "eth0 mtu 1500" } },
  { outage = { name = "it", from = "laptop", to = "printer", at-most = "200ms", for = "100ms" } },
]
"#,
    );
    let report = played_under(&text, &mut |event| {
        if let Event::Expectation { report } = event
            && report.name == "stalls"
        {
            #[expect(clippy::disallowed_methods, reason = "a stall is what it is about")]
            thread::sleep(Duration::from_millis(500));
        }
    });
    assert_failed(&report, "it", "was not over");
}

#[test]
fn who_was_never_answered_shows_no_gap() {
    let report = played(&serving(
        r#"
[[step]]
do = { link = { on = "laptop", link = "eth0", state = "down" } }
[[step]]
do = { link = { on = "laptop", link = "eth0", state = "up" } }
expect = { outage = { from = "laptop", to = "printer", at-most = "5s", for = "50ms" } }
"#,
    ));
    let sign = "only 0 of the first probes were answered before the step's acts began";
    assert_unsure(&report, "outage laptop -> printer", sign);
}

#[test]
fn another_host_of_that_address_does_not_end_it() {
    // The laptop moves to a net in which somebody else has the printer's address. The longer time is longer
    // than what is waited after the acts.
    for most in ["300ms", "1500ms"] {
        let report = played(&serving(&IMPOSTOR.replace("MOST", most)));
        assert_failed(&report, "outage laptop -> printer", "was not over");
    }
}

const IMPOSTOR: &str = r#"
[net.other]
v4 = "192.168.188.0/24"
may-overlap = true
[host.impostor]
link.eth0 = { net = "other", ip = "192.168.188.20" }
[[step]]
do = { roam = { on = "laptop", link = "eth0", to = "other", ip = "192.168.188.112" } }
expect = { outage = { from = "laptop", to = "printer", at-most = "MOST" } }
"#;
