//! `report.html` as a file, and `fps-lab report`, which makes it anew.

mod common {
    pub(crate) mod astray;
    pub(crate) mod ended;
    pub(crate) mod process;
    pub(crate) mod run_place;
}

use std::fs;
use std::process::Command;

use common::astray::{self, ASTRAY};
use common::ended::assert_says;
use common::run_place::{Place, finish};
use fps_lab::report::RunEnd;

fn report(place: &Place, code: i32, folder: &str) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fps-lab"));
    command.arg("report").arg(place.out("..").join(folder));
    finish(code, command)
}

#[test]
fn the_page_can_be_made_again_of_what_is_in_the_folder() {
    let place = Place::new();
    place.write("fails", ASTRAY);
    place.run(1, &["fails.toml"]);
    assert_eq!(place.outcome().run.end, RunEnd::Failed);
    let page = place.text("report.html");
    fs::remove_file(place.out("report.html")).expect("remove the page");
    let mut command = Command::new(env!("CARGO_BIN_EXE_fps-lab"));
    command.args(["report", "."]).current_dir(place.out(""));
    assert_says(&finish(0, command), &["report.html"]);
    let again = place.text("report.html");
    assert!(again == page, "it is another page");
}

#[test]
fn nothing_that_a_file_says_is_markup_and_nothing_is_loaded() {
    let place = Place::new();
    place.write("fails", ASTRAY);
    place.run(1, &["fails.toml"]);
    let page = place.text("report.html");
    assert_says(
        &page,
        &[
            "The &lt;script&gt;throw 1&lt;/script&gt; &quot;web&quot; &amp;",
            "&lt;/script&gt;&lt;script&gt;throw 3",
            "default-src 'none'; style-src 'sha256-",
            "the &lt;b&gt;web&lt;/b&gt; &amp; &quot;more&quot;",
        ],
    );
    assert_eq!(page.matches("<script").count(), 1, "the page's own");
    assert_eq!(page.matches("<style").count(), 1, "the page's own");
    for sign in [
        "<img",
        "<link",
        " src=\"",
        "@import",
        "url(",
        " style=",
        " onclick=",
    ] {
        assert!(!page.contains(sign), "{sign} is in the page");
    }
    let addresses = page.matches("http://").count() + page.matches("https://").count();
    let names = page.matches("xmlns=\"http://www.w3.org/2000/svg\"").count();
    assert_eq!(addresses, names, "an address that is not the name of SVG");
}

/// What the page reads of the texts of evidence and of snapshots is still there to be read.
#[test]
fn a_failure_has_its_way_its_rule_and_its_route() {
    let place = Place::new();
    place.write("fails", ASTRAY);
    place.run(1, &["fails.toml"]);
    let page = place.text("report.html");
    let signs = [
        "<path class=\"track\"",
        "<td>laptop:<b>eth0</b></td><td>out</td>",
        "<tr class=\"decides\"><td class=\"number\">77</td>",
        "<tr class=\"decides\"><td><b class=\"sign\">decides</b> <code>203.0.113.0/24</code></td>",
        "<path class=\"tick lost\"",
        "<path class=\"tick passed\"",
        "<rect class=\"gap\"",
    ];
    assert_says(&page, &signs);
}

#[test]
fn a_run_in_which_all_holds_has_a_page_too() {
    let place = Place::new();
    place.write("passes", astray::before());
    place.run(0, &["passes.toml"]);
    let page = place.text("report.html");
    assert_says(&page, &["Everything held", "What passed"]);
    assert!(!page.contains("What failed"), "nothing did");
}

/// A run that plays nothing, or that is killed, leaves no page that tells of another.
#[test]
fn the_page_of_the_run_before_does_not_stay() {
    let place = Place::new();
    place.write("passes", astray::before());
    let needs = astray::before().replacen("origin", "needs = [\"no-such-program\"]\norigin", 1);
    place.write("needs", &needs);
    place.run(0, &["passes.toml"]);
    assert_says(&place.text("report.html"), &["Everything held"]);
    place.run(3, &["needs.toml", "--may-lack", "no-such-program"]);
    let page = place.text("report.html");
    assert_says(
        &page,
        &["A lab could not be built", "1 scenario was left out"],
    );
    assert!(!page.contains("Everything held"), "it is the page before");
}

#[test]
fn what_is_no_run_has_no_page() {
    let place = Place::new();
    let said = report(&place, 2, "nothing");
    assert_says(
        &said,
        &["fps-lab: read ", "nothing/outcome.json: No such file"],
    );
    fs::create_dir(place.out("")).expect("a folder");
    fs::write(place.out("outcome.json"), "{ \"format\": 1 }").expect("write a file");
    assert_says(&report(&place, 2, "out"), &["outcome.json: missing field"]);
}

/// A newer format is told by its number, whatever else it has.
#[test]
fn a_newer_format_is_refused_by_its_number() {
    let place = Place::new();
    fs::create_dir(place.out("")).expect("a folder");
    fs::write(place.out("outcome.json"), "{ \"format\": 7, \"other\": 1 }").expect("write a file");
    let said = report(&place, 2, "out");
    assert_says(&said, &["its format is 7, and this fps-lab reads format 1"]);
}
