//! All that a lab is, and was told, as one scenario.

use std::fmt::Write as _;
use std::path::PathBuf;

use toml::{Table, Value};

use super::Failure;
use crate::scenario::{Scenario, parse};

/// Says in a scenario why it has no sabotage.
const WHY: &str = "a test in Rust: what must fail there is said there";
/// The step before all others, in which nothing is done.
const FIRST: &str = "the lab stands";

/// A scenario that grows.
#[derive(Clone, Debug)]
pub(super) struct Document {
    /// All but its steps.
    pub(super) lab: Table,
    /// What was played, and perhaps one that is about to be.
    pub(super) steps: Vec<StepText>,
    /// What names it in messages; files of its own are looked up beside it.
    pub(super) path: PathBuf,
}

/// A step, in the words of the scenario format.
#[derive(Clone, Debug, Default)]
pub(super) struct StepText {
    pub(super) name: String,
    pub(super) acts: Vec<String>,
    pub(super) expect: Vec<String>,
}

impl Document {
    /// The text of the scenario, as the command plays it.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for (key, value) in &self.lab {
            if !is_section(key) {
                let _ = writeln!(text, "{key} = {value}");
            }
        }
        let _ = writeln!(text, "why = \"{WHY}\"\nsabotage = []");
        for (key, value) in self.lab.iter().filter(|(key, _)| is_section(key)) {
            section(&mut text, key, value);
        }
        let first = StepText {
            name: FIRST.to_owned(),
            ..StepText::default()
        };
        for step in std::iter::once(&first).chain(&self.steps) {
            step.write(&mut text);
        }
        text
    }

    /// Reads it as any scenario is read.
    pub(super) fn read(&self) -> Result<Scenario, Failure> {
        let file = parse(&self.path, &self.text());
        let file = file.map_err(|error| Failure::mistake(crate::chain(&error)))?;
        Ok(file.scenario)
    }

    /// How many acts and expectations the last step has.
    pub(super) fn last(scenario: &Scenario) -> (usize, usize) {
        let last = scenario.steps.last();
        last.map_or((0, 0), |step| (step.acts.len(), step.expect.len()))
    }
}

impl StepText {
    fn write(&self, text: &mut String) {
        let name = Value::String(self.name.clone());
        let _ = writeln!(text, "\n[[step]]\nname = {name}");
        for (key, phrases) in [("do", &self.acts), ("expect", &self.expect)] {
            match phrases.as_slice() {
                [] if key == "do" => text.push_str("do = []\n"),
                [] => {}
                phrases => {
                    let _ = writeln!(text, "{key} = [\n  {},\n]", phrases.join(",\n  "));
                }
            }
        }
    }
}

fn is_section(key: &str) -> bool {
    matches!(key, "net" | "host" | "program" | "tunnel")
}

/// `[tunnel]`, or `[host.NAME]` for each name.
fn section(text: &mut String, section: &str, value: &Value) {
    let Value::Table(table) = value else {
        // Which the reader refuses.
        let _ = writeln!(text, "\n[{section}]\n\"\" = {value}");
        return;
    };
    if section == "tunnel" {
        let _ = writeln!(text, "\n[tunnel]");
        return entries(text, table);
    }
    for (name, value) in table {
        let _ = writeln!(text, "\n[{section}.{}]", key(name));
        match value {
            Value::Table(table) => entries(text, table),
            value => {
                let _ = writeln!(text, "\"\" = {value}");
            }
        }
    }
}

/// A line for each key; `link.eth0 = …` where a table holds tables alone.
fn entries(text: &mut String, table: &Table) {
    for (name, value) in table {
        match value
            .as_table()
            .filter(|it| !it.is_empty() && it.values().all(Value::is_table))
        {
            None => drop(writeln!(text, "{} = {value}", key(name))),
            Some(tables) => {
                for (below, value) in tables {
                    let _ = writeln!(text, "{}.{} = {value}", key(name), key(below));
                }
            }
        }
    }
}

/// A key, in quotes where it needs them (a JSON string is a basic string of TOML).
fn key(name: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    match !name.is_empty() && name.chars().all(bare) {
        true => name.to_owned(),
        false => serde_json::Value::from(name).to_string(),
    }
}

impl StepText {
    /// A step of a file: its table, and the place that names it where it has no name.
    pub(super) fn of_file(place: usize, step: &Value) -> Self {
        let many = |key| match step.get(key) {
            Some(Value::Array(values)) => values.iter().map(Value::to_string).collect(),
            Some(value) => vec![value.to_string()],
            None => Vec::new(),
        };
        let name = step.get("name").and_then(Value::as_str);
        Self {
            name: name.map_or_else(|| format!("step {}", place + 1), str::to_owned),
            acts: many("do"),
            expect: many("expect"),
        }
    }
}
