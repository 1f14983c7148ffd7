//! What GitHub Actions shows: annotations at the place in the scenario, groups of lines, a summary.
//!
//! - [`annotate`]: a `::error` for each finding
//! - `escape`: the text of workflow commands
//! - `groups`: the lines of each play together, folded where it came well
//! - `summary`: Markdown for `$GITHUB_STEP_SUMMARY`

mod escape;
mod groups;
mod summary;

use std::env;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

pub(super) use groups::Groups;

use crate::report::{Finding, OutcomeFile};

/// Whether this runs as a step of GitHub Actions.
pub(super) fn is_there() -> bool {
    env::var("GITHUB_ACTIONS").is_ok_and(|value| value == "true")
}

/// Annotates the scenarios, and appends to the step's summary if there is one.
pub(super) fn tell(outcome: &OutcomeFile, out: &mut impl Write) -> io::Result<()> {
    summarise(outcome)?;
    annotate(outcome, out)
}

fn summarise(outcome: &OutcomeFile) -> io::Result<()> {
    let Some(path) = env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty()) else {
        return Ok(());
    };
    let appended = File::options().append(true).create(true).open(&path);
    let appended = appended.and_then(|mut file| file.write_all(summary::of(outcome).as_bytes()));
    appended.map_err(|error| {
        let path = path.display();
        io::Error::other(format!("append to GITHUB_STEP_SUMMARY, {path}: {error}"))
    })
}

/// An annotation for each finding, and a notice for each scenario that was left out.
fn annotate(outcome: &OutcomeFile, out: &mut impl Write) -> io::Result<()> {
    if let Some(why) = &outcome.run.why {
        writeln!(
            out,
            "::error title=fps-lab%3A no lab::{}",
            escape::data(why)
        )?;
    }
    for finding in outcome.findings() {
        writeln!(out, "{}", annotation(&finding))?;
    }
    for skipped in &outcome.skipped {
        let file = escape::property(&in_repository(&skipped.file));
        let title = escape::property(&format!("{}: skipped", skipped.name));
        let why = escape::data(&skipped.why);
        writeln!(out, "::notice file={file},title={title}::{why}")?;
    }
    Ok(())
}

fn annotation(finding: &Finding<'_>) -> String {
    let file = escape::property(&in_repository(&finding.scenario.file));
    let place = finding.place.map_or_else(String::new, |place| {
        format!(",line={},col={}", place.line, place.column)
    });
    let title = escape::property(&finding.title);
    let mut lines = vec![finding.why.to_owned()];
    lines.extend(finding.details.iter().cloned());
    let text = escape::data(&lines.join("\n"));
    format!("::error file={file}{place},title={title}::{text}")
}

/// A file as GitHub names it: by its path in the repository, where it is in there.
fn in_repository(file: &str) -> String {
    let root = env::var_os("GITHUB_WORKSPACE").map(PathBuf::from);
    let below = root.and_then(|root| {
        let (root, path) = (
            root.canonicalize().ok()?,
            Path::new(file).canonicalize().ok()?,
        );
        Some(path.strip_prefix(root).ok()?.display().to_string())
    });
    below.unwrap_or_else(|| file.to_owned())
}
