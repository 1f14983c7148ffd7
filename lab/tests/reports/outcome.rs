//! `outcome.json`: what a run tells a reader outside, in the form that its schema promises.

use crate::ended::assert_says;
use crate::process::Process;
use crate::run_place::{PATIENCE, Place};
use crate::schemas::{assert_committed, assert_follows};
use crate::texts;
use fps_lab::report::{
    FORMAT, OutcomeFile, Place as InFile, PlayEnd, Role, RunEnd, ScenarioEnd, Time, Verdict, schema,
};
use nix::sys::signal::{Signal, kill};

/// The second step fails, and says why. The sabotage bites.
const FAILS: &str = r#"
[[step]]
name = "at first"
do = { run = { on = "laptop", command = ["true"] } }
expect = [
    { reach = { from = "laptop", to = "printer", within = "300ms" } },
    { outage = { from = "laptop", to = "printer", at-most = "2s", for = "50ms" } },
]

[[step]]
name = "a wish"
expect = { reach = { name = "nobody answers", from = "laptop", to = "192.168.188.99", within = "300ms" } }

[[sabotage]]
name = "the printer is off"
change = { seed = { link = { on = "printer", link = "eth0", state = "down" } } }
must-fail = ["reach laptop -> printer"]
may-fail = ["outage laptop -> printer"]
"#;

/// Waits until somebody stops it.
const WAITS: &str = r#"
[[step]]
name = "wait"
do = { run = { on = "laptop", command = ["sleep", "60"], within = "60s" } }
"#;

#[test]
fn the_schema_in_docs_is_that_of_the_types() {
    assert_committed("outcome.schema.json", &schema());
}

#[test]
#[should_panic(expected = "missing properties")]
fn the_schema_refuses_what_lacks_a_key() {
    assert_follows(&schema(), "{ \"format\": 1 }");
}

#[test]
fn a_run_tells_what_was_played_when_and_why_it_failed() {
    let place = Place::new();
    place.write("fails", &[texts::PAIR, FAILS].concat());
    place.run(1, &["fails.toml"]);
    assert_follows(&schema(), &place.text("outcome.json"));
    let OutcomeFile {
        format,
        run,
        scenarios,
        skipped,
    } = place.outcome();
    assert_eq!(
        (format, run.end, skipped.len()),
        (FORMAT, RunEnd::Failed, 0)
    );
    assert!(run.command.contains(&"fails.toml".to_owned()), "{run:?}");
    assert_eq!((run.totals.failed, run.totals.bit), (1, 1));
    let [scenario] = &scenarios[..] else {
        panic!("{scenarios:#?}")
    };
    assert_eq!(
        (scenario.file.as_str(), scenario.end),
        ("fails.toml", ScenarioEnd::Failed)
    );
    let hosts: Vec<&str> = scenario
        .topology
        .hosts
        .iter()
        .map(|it| it.name.as_str())
        .collect();
    assert_eq!(hosts, ["laptop", "printer"]);
    let link = &scenario.topology.hosts[0].links[0];
    assert_eq!(
        (link.net.as_str(), &link.addresses[..]),
        ("home", &["192.168.188.112/24".to_owned()][..])
    );
}

#[test]
fn a_failure_says_what_decided_and_what_was_kept() {
    let place = Place::new();
    place.write("fails", &[texts::PAIR, FAILS].concat());
    place.run(1, &["fails.toml"]);
    let scenario = &place.outcome().scenarios[0];
    let play = &scenario.play;
    assert_eq!(
        (play.folder.as_str(), &play.end),
        ("fails/play", &PlayEnd::Played)
    );
    let wish = play.steps[1].expectations.first().expect("it was checked");
    assert_eq!(
        (wish.kind.as_str(), wish.verdict, wish.role),
        ("reach", Verdict::Failed, Role::MustHold)
    );
    assert_says(&wish.why, &["expected answers"]);
    let explanation = wish.explanation.as_ref().expect("it is explained");
    let decision = explanation.walks[0]
        .decision
        .as_ref()
        .expect("a route decides");
    assert_eq!((decision.priority, decision.table), (32766, Some(254)));
    assert_eq!(
        decision.route.as_deref(),
        Some("192.168.188.0/24 dev eth0 src 192.168.188.112")
    );
    for capture in &play.steps[1].captures {
        assert!(place.out(&capture.file).is_file(), "no {}", capture.file);
    }
    assert_eq!(play.steps[1].captures.len(), 2);

    let sabotage = &scenario.sabotages[0];
    assert!(sabotage.bit, "{sabotage:#?}");
    let caught = &sabotage.play.steps[0].expectations[0];
    assert_eq!(
        (caught.verdict, caught.role),
        (Verdict::Failed, Role::MustFail)
    );
}

#[test]
fn the_times_of_a_play_are_on_one_clock() {
    let place = Place::new();
    place.write("fails", &[texts::PAIR, FAILS].concat());
    place.run(1, &["fails.toml", "--sabotage", "without"]);
    let play = &place.outcome().scenarios[0].play;
    let built = play.built.expect("it was built");
    let [first, second] = &play.steps[..] else {
        panic!("{play:#?}")
    };
    let [reach, outage] = &first.expectations[..] else {
        panic!("{first:#?}")
    };
    let act = first.acts[0].time;
    let order = [
        0.0,
        built.to_ms,
        first.time.from_ms,
        outage.time.from_ms,
        act.from_ms,
        act.to_ms,
        reach.time.from_ms,
        reach.time.to_ms,
        outage.time.to_ms,
        first.time.to_ms,
        second.time.from_ms,
        second.time.to_ms,
        play.took_ms,
    ];
    assert!(order.is_sorted(), "{order:?}\n{play:#?}");
    // A gap lies within the watch, and one there is: from an answer to the next.
    let Time { from_ms, to_ms } = outage.gaps.first().expect("a gap").time;
    assert!(outage.time.from_ms <= from_ms && from_ms < to_ms && to_ms <= outage.time.to_ms);
}

#[test]
fn places_are_those_of_the_file() {
    let place = Place::new();
    let text = [texts::PAIR, FAILS].concat();
    place.write("fails", &text);
    place.run(1, &["fails.toml"]);
    let scenario = &place.outcome().scenarios[0];
    let points_at = |place: Option<InFile>, what: &str| {
        let InFile { line, column } = place.expect("it is in the file");
        let found = text.lines().nth(line - 1).expect("the line is there");
        let found: String = found.chars().skip(column - 1).collect();
        assert!(
            found.starts_with(what),
            "{line}:{column} is {found}, and not {what}"
        );
    };
    let [first, second] = &scenario.play.steps[..] else {
        panic!("{scenario:#?}")
    };
    points_at(first.place, "[[step]]");
    points_at(first.expectations[1].place, "outage");
    points_at(second.expectations[0].place, "\"nobody answers\"");
    points_at(scenario.sabotages[0].place, "\"the printer is off\"");
}

#[test]
fn an_interrupted_run_says_so_and_what_was_not_begun() {
    let place = Place::new();
    place.write("waits", &[texts::NO_SABOTAGE, texts::PAIR, WAITS].concat());
    place.write("later", &[texts::NO_SABOTAGE, texts::PAIR, WAITS].concat());
    let mut run = Process::start(place.command(&["waits.toml", "later.toml", "--jobs", "1"]));
    run.await_line("step     wait", PATIENCE);
    // What a run leaves that is killed now.
    let early = place.outcome();
    assert_eq!(
        (early.run.end, early.scenarios.len()),
        (RunEnd::Unfinished, 2)
    );
    kill(run.pid, Signal::SIGINT).expect("it runs");
    run.finish(PATIENCE).expect_exit(130);
    assert_follows(&schema(), &place.text("outcome.json"));
    let OutcomeFile { run, scenarios, .. } = place.outcome();
    assert_eq!(
        (run.end, run.totals.unfinished, run.totals.failed),
        (RunEnd::Interrupted, 2, 0)
    );
    assert_eq!(scenarios[0].play.end, PlayEnd::Interrupted);
    assert_eq!(scenarios[0].play.steps[0].name, "wait");
    assert_eq!(
        (&scenarios[1].play.end, scenarios[1].end),
        (&PlayEnd::NotBegun, ScenarioEnd::Unfinished)
    );
}

#[test]
fn a_run_without_a_lab_says_why() {
    let place = Place::new();
    let needs = [
        "needs = [\"no-such-program\"]\n",
        texts::NO_SABOTAGE,
        texts::PAIR,
        WAITS,
    ]
    .concat();
    place.write("needs", &needs);
    place.run(3, &["needs.toml"]);
    assert_follows(&schema(), &place.text("outcome.json"));
    let OutcomeFile { run, scenarios, .. } = place.outcome();
    assert_eq!(
        (run.end, scenarios[0].end),
        (RunEnd::NoLab, ScenarioEnd::NoLab)
    );
    let PlayEnd::NotBuilt { why } = &scenarios[0].play.end else {
        panic!("{scenarios:#?}")
    };
    assert_says(why, &["no-such-program"]);

    place.run(3, &["needs.toml", "--may-lack", "no-such-program"]);
    assert_follows(&schema(), &place.text("outcome.json"));
    let OutcomeFile {
        run,
        scenarios,
        skipped,
        ..
    } = place.outcome();
    assert_eq!(
        (run.end, scenarios.len(), run.totals.skipped),
        (RunEnd::NoLab, 0, 1)
    );
    assert_says(&skipped[0].why, &["no-such-program"]);
    let why = run.why.expect("it says why");
    assert_says(&why, &["nothing was played"]);
    // What shows CI that nothing is no pass.
    assert_says(&place.text("junit.xml"), &["errors=\"1\"", &why]);
}

#[test]
fn json_on_the_terminal_is_the_same() {
    let place = Place::new();
    place.write("fails", &[texts::PAIR, FAILS].concat());
    let said = place.run(1, &["fails.toml", "--json"]);
    assert_eq!(said, place.text("outcome.json"));
}
