//! `report.html` in a real browser: what somebody sees who opens it and clicks on a failure.
//!
//! It needs Chromium, so `cargo test` leaves it out and `ci/page` runs it.

mod common {
    pub(crate) mod astray;
    pub(crate) mod browser;
    pub(crate) mod ended;
    pub(crate) mod process;
    pub(crate) mod run_place;
}

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use common::astray::{self, ASTRAY};
use common::browser::Browser;
use common::ended::assert_says;
use common::run_place::Place;
use fps_lab::report::RunEnd;
use serde_json::{Value, json};

/// The failure that is clicked on.
const FAILURE: &str = ".failure.bad > summary";

fn url(path: &Path) -> String {
    format!("file://{}", path.display())
}

/// What a page must not have done: asked for something, or complained.
fn offences(events: &[(String, Value)], page: &str) -> Vec<String> {
    let offence = |(method, it): &(String, Value)| match method.as_str() {
        "Network.requestWillBeSent" if it["request"]["url"] != json!(page) => {
            Some(it["request"]["url"].to_string())
        }
        "Runtime.exceptionThrown" => Some(it["exceptionDetails"].to_string()),
        "Runtime.consoleAPICalled" if it["type"] == json!("error") => Some(it["args"].to_string()),
        "Log.entryAdded" if it["entry"]["level"] == json!("error") => {
            Some(it["entry"]["text"].to_string())
        }
        _ => None,
    };
    events.iter().filter_map(offence).collect()
}

/// How many colours a screenshot has, and how large it is, as the browser itself reads it.
fn colours(browser: &mut Browser, shot: &str) -> (u64, u64) {
    browser.open("about:blank");
    let seen = browser.value(&format!(
        "fetch('data:image/png;base64,{shot}').then(it => it.blob()).then(createImageBitmap).then(image => {{ \
         const canvas = new OffscreenCanvas(image.width, image.height).getContext('2d'); canvas.drawImage(image, 0, 0); \
         const data = new Uint32Array(canvas.getImageData(0, 0, image.width, image.height).data.buffer); \
         return [new Set(data).size, image.width]; }})"
    ));
    (seen[0].as_u64().unwrap_or(0), seen[1].as_u64().unwrap_or(0))
}

#[test]
fn a_click_on_a_failure_shows_what_decided() {
    let place = Place::new();
    place.write("fails", ASTRAY);
    place.run(1, &["fails.toml"]);
    let page = url(&place.out("report.html"));
    let mut browser = Browser::start();
    let screens = [
        ("desktop", (1280, 1000), "light"),
        ("phone", (390, 844), "light"),
        ("dark", (1280, 1000), "dark"),
    ];
    for (name, size, scheme) in screens {
        browser.screen(size, scheme);
        browser.open(&page);
        assert_eq!(
            browser.value("document.querySelector('h1').innerText"),
            json!("Something failed")
        );
        let rule = "document.querySelector('.failure.bad tr.decides').checkVisibility()";
        assert_eq!(
            browser.value(rule),
            json!(false),
            "{name}: it is visible before the click"
        );
        browser.click(FAILURE);
        assert_eq!(
            browser.value(rule),
            json!(true),
            "{name}: the rule that decided cannot be seen"
        );
        let said = browser.value("document.querySelector('.failure.bad tr.decides').innerText");
        assert_says(said.as_str().expect("a text"), &["77", "10.0.7.1 dev eth0"]);
        let wide = browser.value("document.documentElement.scrollWidth - innerWidth");
        assert_eq!(wide, json!(0), "{name}: the page scrolls sideways");
        let ground = browser.value("getComputedStyle(document.body).backgroundColor");
        assert_eq!(
            ground == json!("rgb(12, 17, 24)"),
            scheme == "dark",
            "{name}: {ground}"
        );
        let shot = browser.screenshot();
        let offences = offences(&browser.take_events(), &page);
        assert!(offences.is_empty(), "{name}: {offences:#?}");
        let (colours, width) = colours(&mut browser, &shot);
        assert!(
            colours > 50 && width == u64::from(size.0),
            "{name}: {colours} colours, {width} wide"
        );
        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("report-{name}.png"));
        let png = STANDARD.decode(shot).expect("base64");
        fs::write(&file, png).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    }
}

#[test]
fn the_page_shows_the_way_the_route_and_the_time() {
    let place = Place::new();
    place.write("fails", ASTRAY);
    place.run(1, &["fails.toml"]);
    let mut browser = Browser::start();
    browser.screen((1280, 1000), "light");
    browser.open(&url(&place.out("report.html")));
    browser.click(FAILURE);
    let count = |browser: &mut Browser, selector: &str| {
        let count = browser.value(&format!("document.querySelectorAll({selector:?}).length"));
        count.as_u64().expect("a number")
    };
    assert_eq!(
        count(&mut browser, ".failure.bad[open] .track:not(.back)"),
        1
    );
    assert!(count(&mut browser, ".failure.bad[open] table.hops tbody tr") >= 2);
    assert_eq!(
        count(&mut browser, ".failure.bad[open] .routes tr.decides"),
        1
    );
    let route = browser.value("document.querySelector('.routes tr.decides').innerText");
    assert_says(
        route.as_str().expect("a text"),
        &["203.0.113.0/24", "10.0.7.1"],
    );
    assert!(count(&mut browser, ".row.ticks .tick, .row .tick.answered") >= 2);
    assert_eq!(count(&mut browser, "details.failure.bad"), 2);
    assert!(count(&mut browser, ".row.expectation") >= 3);
    assert!(count(&mut browser, "rect.gap") >= 1);
    let files = "Array.from(document.querySelectorAll('a[href$=\".pcapng\"], a[href$=\".log\"]'), it => it.getAttribute('href'))";
    let files = browser.value(files);
    let files = files.as_array().expect("a list");
    assert!(files.len() > 4, "{files:?}");
    for file in files {
        let file = file.as_str().expect("a text");
        assert!(place.out(file).is_file(), "{file} leads nowhere");
    }
    // The keyboard gets there, too.
    browser.value("document.querySelector('.failure.bad:not([open]) > summary').focus()");
    for kind in ["keyDown", "keyUp"] {
        let key = json!({ "type": kind, "key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "text": "\r" });
        browser.call("Input.dispatchKeyEvent", key);
    }
    assert_eq!(count(&mut browser, ".failure.bad[open]"), 2);
    // Light or dark is the reader's choice.
    browser.click("#theme");
    let ground = browser.value("getComputedStyle(document.body).backgroundColor");
    assert_eq!(ground, json!("rgb(12, 17, 24)"));
}

#[test]
fn the_filter_leaves_what_has_the_words() {
    let place = Place::new();
    place.write("fails", ASTRAY);
    place.write("passes", astray::before());
    place.run(1, &["fails.toml", "passes.toml"]);
    assert_eq!(place.outcome().run.end, RunEnd::Failed);
    assert_says(&place.text("report.html"), &["Something failed"]);
    let mut browser = Browser::start();
    browser.open(&url(&place.out("report.html")));
    browser.call(
        "Runtime.evaluate",
        json!({ "expression": "document.querySelector('#words').focus()" }),
    );
    browser.call("Input.insertText", json!({ "text": "PASSES" }));
    let shown = "Array.from(document.querySelectorAll('.scenario')).filter(it => it.checkVisibility()).map(it => it.id)";
    assert_eq!(browser.value(shown), json!(["passes"]));
    assert_eq!(
        browser.value("document.querySelector('#shown').innerText"),
        json!("1 of 2 scenarios")
    );
}

/// The positive control: a page that asks for something, throws and complains is found out.
#[test]
fn a_page_that_asks_and_throws_is_found_out() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("page.html");
    let text = "<img src='missing.png'><script>console.error('complaint'); throw new Error('thrown')</script>";
    fs::write(&file, text).expect("write the page");
    let page = url(&file);
    let mut browser = Browser::start();
    browser.open(&page);
    let offences = offences(&browser.take_events(), &page).join("\n");
    assert_says(&offences, &["missing.png", "complaint", "thrown"]);
    browser.open("about:blank");
    let blank = browser.screenshot();
    assert!(colours(&mut browser, &blank).0 < 50);
}
