//! What a play leaves beside its report: its events as they came, the hosts between its steps, and packets.

use crate::ended::assert_says;
use crate::process::Process;
use crate::run_place::{PATIENCE, Place};
use crate::schemas::{assert_committed, assert_follows};
use crate::texts::{NO_SABOTAGE, PAIR};
use fps_lab::report::{Event, Moment, PlayEnd, Verdict, timeline_schema};
use fps_lab::snapshot::Snapshot;
use nix::sys::signal::{Signal, kill};

/// A program that prints, a route that comes, an outage that is watched.
const STEPS: &str = r#"
[program.printer]
on = "laptop"
command = ["sh", "-c", "seq 500; exec sleep 60"]
ready = { output = "500" }

[[step]]
name = "print"
do = { start = "printer" }

[[step]]
name = "a route"
do = { route = { on = "laptop", to = "10.0.0.0/8", via = "192.168.188.20" } }
expect = [
    { reach = { from = "laptop", to = "printer" } },
    { outage = { from = "laptop", to = "printer", at-most = "2s", for = "50ms" } },
]

[[step]]
name = "end"
do = { stop = "printer" }
"#;

/// The lines of a play's timeline, each held against its schema.
#[track_caller]
fn moments(place: &Place, file: &str) -> Vec<Moment> {
    let text = place.text(file);
    let read = |line: &str| {
        assert_follows(&timeline_schema(), line);
        serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
    };
    text.lines().map(read).collect()
}

fn played(steps: &str) -> Place {
    let place = Place::new();
    place.write("pair", &[NO_SABOTAGE, PAIR, steps].concat());
    place.run(0, &["pair.toml"]);
    place
}

fn count(moments: &[Moment], of: impl Fn(&Event) -> bool) -> usize {
    moments.iter().filter(|moment| of(&moment.event)).count()
}

#[test]
fn the_schema_in_docs_is_that_of_the_types() {
    assert_committed("timeline.schema.json", &timeline_schema());
}

#[test]
fn tells_what_happened_from_the_first_moment_to_the_last() {
    let place = played(STEPS);
    let file = place.outcome().scenarios[0].play.timeline.clone();
    let moments = moments(&place, &file.expect("it was played"));
    let events: Vec<&Event> = moments.iter().map(|moment| &moment.event).collect();
    assert!(
        matches!(events[0], Event::Begins { sabotage: None, .. }),
        "{events:#?}"
    );
    assert_eq!(
        events.last(),
        Some(&&Event::Ends {
            end: PlayEnd::Played
        })
    );
    let begins = |step: usize| Event::StepBegins {
        step,
        name: ["print", "a route", "end"][step - 1].to_owned(),
    };
    let place_of = |event: &Event| {
        let place = events.iter().position(|it| *it == event);
        place.unwrap_or_else(|| panic!("there is no {event:?} in {events:#?}"))
    };
    let order: Vec<usize> = (1..=3)
        .flat_map(|step| [place_of(&begins(step)), place_of(&Event::StepEnds { step })])
        .collect();
    assert!(order.is_sorted(), "{order:?}");
    let starts = |event: &Event| matches!(event, Event::ProgramStarts { program, .. } if program == "printer");
    let ends =
        |event: &Event| matches!(event, Event::ProgramEnds { program, .. } if program == "printer");
    assert_eq!((count(&moments, starts), count(&moments, ends)), (1, 1));
    let held = |event: &Event| {
        matches!(
            event,
            Event::ExpectationEnds {
                verdict: Verdict::Held,
                ..
            }
        )
    };
    assert_eq!(count(&moments, held), 2);
}

#[test]
fn has_the_packets_and_probes_and_counts_what_it_leaves_out() {
    let place = played(STEPS);
    let moments = moments(&place, "pair/play/timeline.jsonl");
    for (host, way) in [
        ("laptop", "out"),
        ("printer", "in"),
        ("printer", "out"),
        ("laptop", "in"),
    ] {
        let seen = |event: &Event| {
            matches!(event, Event::Packet { host: at, link, way: by, .. }
                if at == host && link == "eth0" && by == way)
        };
        assert!(
            count(&moments, seen) > 0,
            "no packet {way} on {host}: {moments:#?}"
        );
    }
    let probe = |event: &Event| matches!(event, Event::Probe { answered: true, .. });
    assert!(count(&moments, probe) > 3, "{moments:#?}");
    let said = count(&moments, |event| matches!(event, Event::ProgramSays { .. }));
    let left_out = moments.iter().find_map(|moment| match &moment.event {
        Event::LeftOut { of, count } if of == "program-says" => Some(*count),
        _ => None,
    });
    assert_eq!(said + left_out.expect("some are left out"), 500);
}

#[test]
fn a_run_that_is_killed_has_whole_lines_up_to_then() {
    let place = Place::new();
    let waits = "[[step]]\nname = \"wait\"\ndo = { run = { on = \"laptop\", \
                 command = [\"sleep\", \"60\"], within = \"60s\" } }\n";
    place.write("pair", &[NO_SABOTAGE, PAIR, waits].concat());
    let mut run = Process::start(place.command(&["pair.toml"]));
    run.await_line("step     wait", PATIENCE);
    kill(run.pid, Signal::SIGKILL).expect("it runs");
    drop(run.finish(PATIENCE));
    let moments = moments(&place, "pair/play/timeline.jsonl");
    let began = |event: &Event| matches!(event, Event::StepBegins { name, .. } if name == "wait");
    assert_eq!(count(&moments, began), 1);
    assert_eq!(
        count(&moments, |event| matches!(event, Event::Ends { .. })),
        0
    );
}

#[test]
fn each_step_has_the_hosts_before_and_after_it() {
    let place = played(STEPS);
    let outcome = place.outcome();
    let steps = &outcome.scenarios[0].play.steps;
    let of = |step: usize, host: &str| {
        let mut snapshots = steps[step].snapshots.iter();
        let found = snapshots
            .find(|it| it.host == host)
            .expect("each host has some");
        let [before, after] = [&found.before, &found.after].map(|it| it.clone().expect("a file"));
        (before, after)
    };
    let read =
        |file: &str| -> Snapshot { serde_json::from_str(&place.text(file)).expect("a snapshot") };
    let (before, after) = of(1, "laptop");
    let changes = Snapshot::diff(&read(&before), &read(&after));
    let text: Vec<String> = changes.iter().map(ToString::to_string).collect();
    assert_eq!(text.len(), 1, "{text:?}");
    assert_says(&text[0], &["10.0.0.0/8"]);
    // After one step is before the next, and a host that stays as it is has one file.
    assert_eq!(after, of(2, "laptop").0);
    let (before, after) = of(1, "printer");
    assert_eq!(before, after);
}

#[test]
fn packets_of_each_step_are_kept_where_all_are_asked_for() {
    let place = Place::new();
    place.write("pair", &[NO_SABOTAGE, PAIR, STEPS].concat());
    place.run(0, &["pair.toml"]);
    let captures = |place: &Place| -> Vec<String> {
        let outcome = place.outcome();
        let steps = outcome.scenarios[0].play.steps.iter();
        let captures = steps.flat_map(|step| step.captures.clone());
        captures.map(|capture| capture.file).collect()
    };
    assert_eq!(captures(&place), Vec::<String>::new());
    place.run(0, &["pair.toml", "--keep", "all"]);
    let kept = captures(&place);
    assert_eq!(kept.len(), 3 * 2, "{kept:?}");
    for file in kept {
        assert!(place.out(&file).is_file(), "no {file}");
    }
}
