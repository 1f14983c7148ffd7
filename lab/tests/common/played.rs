//! A scenario's text, played in this process.

use std::path::Path;

use fps_lab::folder::Folder;
use fps_lab::lab::Site;
use fps_lab::play::{End, Event, How, Keep, Report, Until, Verdict, play};
use fps_lab::scenario::{ScenarioFile, parse};
use indexmap::IndexMap;

pub(super) fn site() -> Site {
    Site {
        helper: env!("CARGO_BIN_EXE_fps-lab").into(),
        programs: IndexMap::new(),
    }
}

pub(super) fn read(text: &str) -> ScenarioFile {
    parse(Path::new("test.toml"), text).unwrap_or_else(|error| panic!("{error}"))
}

/// Plays a scenario to its end, without sabotages.
pub(crate) fn played(text: &str) -> Report {
    played_under(text, &mut |_| {})
}

/// Plays a scenario to its end under somebody's eyes, who holds everything up for as long as he
/// looks.
pub(crate) fn played_under(text: &str, observe: &mut dyn FnMut(Event<'_>)) -> Report {
    let report = play_out(text, observe);
    assert_eq!(report.end, End::Played, "{report:#?}");
    report
}

/// Plays a scenario until it ends, in whichever way.
pub(crate) fn play_out(text: &str, observe: &mut dyn FnMut(Event<'_>)) -> Report {
    let file = read(text);
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let folder = Folder::create(temporary.path()).expect("the run's folder");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let how = How {
        until: Until::End,
        keep: Keep::Failed,
    };
    let (report, _lab) = runtime.block_on(play(&file.scenario, &site(), &folder, how, observe));
    report
}

/// Fails unless the expectation held.
#[track_caller]
pub(crate) fn assert_held(report: &Report, name: &str) {
    let verdict = verdict(report, name);
    assert!(matches!(verdict, Verdict::Held(_)), "{name}: {verdict:#?}");
}

/// Fails unless the expectation failed, for a reason that holds `sign`.
#[track_caller]
pub(crate) fn assert_failed(report: &Report, name: &str, sign: &str) {
    match verdict(report, name) {
        Verdict::Failed { why, .. } if why.contains(sign) => {}
        other => panic!("{name} did not fail with {sign:?}: {other:#?}"),
    }
    assert!(!report.passed(), "the play passed all the same");
}

/// Fails unless nobody could tell, for a reason that holds `sign`, and the play fails by it.
#[track_caller]
pub(crate) fn assert_unsure(report: &Report, name: &str, sign: &str) {
    match verdict(report, name) {
        Verdict::Inconclusive(why) if why.contains(sign) => {}
        other => panic!("{name} is not inconclusive with {sign:?}: {other:#?}"),
    }
    assert!(!report.passed(), "the play passed all the same");
}

#[track_caller]
fn verdict<'a>(report: &'a Report, name: &str) -> &'a Verdict {
    report
        .verdict(name)
        .unwrap_or_else(|| panic!("{name} was not checked: {report:#?}"))
}
