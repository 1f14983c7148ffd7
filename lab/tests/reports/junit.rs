//! `junit.xml`, read by a parser that knows nothing of how it was written.

use crate::ended::assert_says;
use crate::run_place::Place;
use crate::texts::{NO_SABOTAGE, PAIR};
use roxmltree::{Document, Node};

/// One expectation holds, one fails; one sabotage bites, one does not.
const MIXED: &str = r#"
[[step]]
name = "listen"
do = { run = { on = "laptop", command = ["true"] } }
expect = { reach = { from = "laptop", to = "printer", within = "300ms" } }

[[step]]
expect = { reach = { name = "a <wish> & more", from = "laptop", to = "192.168.188.99", within = "300ms" } }

[[sabotage]]
name = "the printer is off"
change = { seed = { link = { on = "printer", link = "eth0", state = "down" } } }
must-fail = ["reach laptop -> printer"]

[[sabotage]]
name = "no harm"
change = { alter = { step = "listen", do = { run = { command = ["false"], exit = 1 } } } }
must-fail = ["reach laptop -> printer"]
"#;

const ACT_FAILS: &str = r#"
[[step]]
name = "try"
do = { run = { on = "laptop", command = ["false"] } }
expect = { reach = { from = "laptop", to = "printer" } }
"#;

fn case<'a>(document: &'a Document<'a>, name: &str) -> Node<'a, 'a> {
    let mut nodes = document.descendants();
    let found = nodes.find(|it| it.has_tag_name("testcase") && it.attribute("name") == Some(name));
    found.unwrap_or_else(|| panic!("no case {name:?} in\n{}", document.input_text()))
}

fn child<'a>(case: Node<'a, 'a>, tag: &str) -> Node<'a, 'a> {
    let found = case.children().find(|it| it.has_tag_name(tag));
    found.unwrap_or_else(|| panic!("no <{tag}> in {case:?}"))
}

#[test]
fn expectations_and_sabotages_are_cases() {
    let place = Place::new();
    place.write("mixed", &[PAIR, MIXED].concat());
    place.run(1, &["mixed.toml"]);
    let text = place.text("junit.xml");
    let document = Document::parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let root = document.root_element();
    assert!(root.has_tag_name("testsuites"), "{text}");
    let count = |name| root.attribute(name);
    let counts = (count("tests"), count("failures"), count("errors"));
    assert_eq!(counts, (Some("4"), Some("2"), Some("0")), "{text}");

    let held = case(&document, "reach laptop -> printer");
    assert_eq!(held.attribute("classname"), Some("mixed"));
    assert!(held.children().all(|it| !it.is_element()), "{text}");
    let wish = case(&document, "a <wish> & more");
    assert_eq!(wish.attribute("file"), Some("mixed.toml"));
    let line: usize = wish
        .attribute("line")
        .expect("a line")
        .parse()
        .expect("a number");
    let written = [PAIR, MIXED].concat();
    let written = written.lines().nth(line - 1).expect("it has that line");
    assert_says(written, &["a <wish> & more"]);
    let failure = child(wish, "failure");
    assert_says(
        failure.attribute("message").expect("it says why"),
        &["expected answers"],
    );
    assert_says(
        failure.text().expect("it explains"),
        &["laptop decides about 192.168.188.99"],
    );

    let bit = case(&document, "sabotage: the printer is off");
    assert!(bit.children().all(|it| !it.is_element()), "{text}");
    let harmless = child(case(&document, "sabotage: no harm"), "failure");
    assert_eq!(harmless.attribute("type"), Some("no-bite"));
}

#[test]
fn what_could_not_be_played_is_an_error_and_what_was_not_is_skipped() {
    let place = Place::new();
    let needs = "needs = [\"no-such-program\"]\n";
    place.write("a-lacks", &[needs, NO_SABOTAGE, PAIR, ACT_FAILS].concat());
    place.write("b-tries", &[NO_SABOTAGE, PAIR, ACT_FAILS].concat());
    place.write("c-later", &[NO_SABOTAGE, PAIR, ACT_FAILS].concat());
    let more = [
        "--may-lack",
        "no-such-program",
        "--jobs",
        "1",
        "--fail-fast",
    ];
    place.run(1, &[&["."][..], &more].concat());
    let text = place.text("junit.xml");
    let document = Document::parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let error = child(case(&document, "step try"), "error");
    assert_eq!(error.attribute("type"), Some("act-failed"));
    let of_tries = |it: &Node<'_, '_>| it.attribute("classname") == Some("b-tries");
    let cases = document.descendants().filter(of_tries);
    let names: Vec<_> = cases.filter_map(|it| it.attribute("name")).collect();
    assert_eq!(names, ["step try", "reach laptop -> printer"]);
    let unreached = child(case(&document, "reach laptop -> printer"), "skipped");
    assert_says(
        unreached.attribute("message").expect("it says why"),
        &["not reached: step try"],
    );
    let skipped = child(case(&document, "scenario"), "skipped");
    assert_says(
        skipped.attribute("message").expect("it says why"),
        &["no-such-program"],
    );
    let later = child(case(&document, "play"), "skipped");
    assert_says(
        later.attribute("message").expect("it says why"),
        &["not begun"],
    );
    let suites = document
        .descendants()
        .filter(|it| it.has_tag_name("testsuite"));
    let names: Vec<_> = suites.filter_map(|it| it.attribute("name")).collect();
    assert_eq!(names, ["b-tries", "c-later", "a-lacks"]);
}
