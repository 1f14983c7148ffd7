//! Scenario files: what they say, and what is wrong with them.
//!
//! - [`load`], [`parse`]: from a file or a text to a [`ScenarioFile`]
//! - [`model`]: a scenario after validation; what the rest of the lab sees
//! - [`ScenarioError`]: every mistake of a file, with its line and what to type instead
//! - `diagnostic`: one mistake; `syntax`: values with places; `read`: from values to the model;
//!   `sabotage`: the changes that must make an expectation fail
//! - [`schema`]: the JSON schema of a file, for editors

pub(crate) mod diagnostic;
mod error;
mod model;
mod places;
mod read;
mod sabotage;
#[expect(
    dead_code,
    reason = "these types are never made: the schema is made from them"
)]
pub mod schema;
mod syntax;
#[cfg(test)]
mod tests;

use std::fs;
use std::path::Path;
use std::rc::Rc;

use toml::de::DeTable;

pub use error::{InvalidScenario, ScenarioError};
pub use model::*;

use diagnostic::{Diagnostic, Problems, Sources, Span};
use read::Document;
use sabotage::Original;

/// Reads a scenario file and checks it whole.
pub fn load(path: &Path) -> Result<ScenarioFile, ScenarioError> {
    let source = fs::read_to_string(path).map_err(|source| ScenarioError::Read {
        path: path.to_owned(),
        source,
    })?;
    parse(path, &source)
}

/// Checks the text of a scenario file; `path` names it in messages, and its folder is where footprints of
/// the scenario's own are looked up.
pub fn parse(path: &Path, source: &str) -> Result<ScenarioFile, ScenarioError> {
    let sources = Rc::new(Sources::new(path, source));
    file(path, source, &sources).map_err(|diagnostics| {
        ScenarioError::Invalid(InvalidScenario {
            sources: sources.to_texts(),
            diagnostics,
        })
    })
}

fn file(path: &Path, source: &str, sources: &Rc<Sources>) -> Result<ScenarioFile, Vec<Diagnostic>> {
    let root = DeTable::parse(source).map_err(|error| vec![syntax_error(&error, source)])?;
    let problems = Problems::default();
    let document = Document::new(root.into_inner(), Rc::clone(sources), &problems);
    let (scenario, names) = read::scenario(&document, &problems);
    let original = Original {
        document: &document,
        scenario: scenario.as_ref(),
        problems: &problems,
    };
    let sabotages = sabotage::sabotages(&original);
    let name = path.file_stem().unwrap_or_default();
    let name = name.to_string_lossy().into_owned();
    if names_no_folder(&name) {
        let what =
            format!("a scenario cannot be called `{name}`, as its folder among those of a run");
        problems.add(Diagnostic::new(Span { start: 0, end: 0 }, what).help("rename the file"));
    }
    match scenario {
        Some(scenario) if problems.count() == 0 => Ok(ScenarioFile {
            path: path.to_owned(),
            name,
            places: places::find(source, &document, &names),
            scenario,
            sabotages,
        }),
        _ => Err(problems.into_sorted()),
    }
}

/// Whether a run's folder can have no folder of this name: it would be another one, or hidden, or is a file
/// that each run leaves.
fn names_no_folder(name: &str) -> bool {
    name.starts_with('.') || ["outcome.json", "junit.xml", "report.html"].contains(&name)
}

fn syntax_error(error: &toml::de::Error, source: &str) -> Diagnostic {
    let span = error.span().map_or(Span { start: 0, end: 0 }, Span::from);
    let note = "this is no valid TOML, so nothing else was checked";
    match (error.message(), source.get(span.start..span.end)) {
        ("duplicate key", Some(key)) => {
            let wrong = Diagnostic::new(span, format!("`{key}` is there already"));
            let help =
                "rename one of the two, or make one of both; several steps are `[[step]]` each";
            wrong.label("the second time").note(note).help(help)
        }
        (message, _) => Diagnostic::new(span, message).note(note),
    }
}
