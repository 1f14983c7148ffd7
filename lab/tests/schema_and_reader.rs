//! The schema and the reader of scenarios say the same, as far as a schema can see.

mod common {
    pub(crate) mod mutant;
    pub(crate) mod root;
    pub(crate) mod schema;
    pub(crate) mod toml_files;
    pub(crate) mod unseen;
}

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use common::mutant::mutate;
use common::root::root;
use common::schema::Schema;
use common::toml_files::{Theme, toml_files};
use common::unseen::UNSEEN;
use fps_lab::scenario::parse;
use fps_lab::scenario::schema::Form;

/// How many changes of each file of the library are tried.
const CHANGES: usize = 25;

#[test]
fn every_mistake_is_refused_by_the_schema_or_listed_with_the_reason() {
    let schema = Schema::committed(Form::Scenario);
    let mut listed: BTreeMap<&str, &str> = BTreeMap::new();
    for (why, files) in UNSEEN {
        for file in files.split_whitespace() {
            assert!(listed.insert(file, why).is_none(), "{file} is listed twice");
        }
    }
    let mut wrong = Vec::new();
    let mut seen = 0;
    let folder = root().join("scenarios/invalid");
    for (path, _) in toml_files() {
        if path.parent() != Some(&folder) {
            continue;
        }
        let text = fs::read_to_string(&path).expect("a file");
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        match (schema.check(&text), listed.remove(&*name)) {
            (Ok(()), None) => wrong.push(format!(
                "{name}: the schema takes it, and unseen.rs has no reason"
            )),
            (Err(_), Some(why)) => wrong.push(format!(
                "{name}: the schema refuses it; it is no more unseen that {why}"
            )),
            (Err(_), None) => seen += 1,
            (Ok(()), Some(_)) => {}
        }
    }
    wrong.extend(
        listed
            .keys()
            .map(|name| format!("{name}: there is no such file")),
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(seen > 40, "the schema sees only {seen} mistakes");
}

/// An editor that marks what the reader takes would be in the way.
#[test]
fn the_reader_refuses_whatever_the_schema_refuses() {
    std::env::set_current_dir(root()).expect("the root can be entered");
    let schema = Schema::committed(Form::Scenario);
    let mut dice = fastrand::Rng::with_seed(0x5eed);
    let (mut both, mut neither, mut reader_alone) = (0, 0, 0);
    let mut false_alarms = Vec::new();
    for (path, theme) in toml_files() {
        if theme != Theme::Scenarios {
            continue;
        }
        let text = fs::read_to_string(&path).expect("a file");
        let table: toml::Table = text.parse().expect("it is TOML");
        for _ in 0..CHANGES {
            let mut changed = table.clone();
            let said = mutate(&mut changed, &mut dice);
            let text = toml::to_string(&changed).expect("it can be written");
            match (schema.check(&text), parse(Path::new(&path), &text)) {
                (Err(_), Err(_)) => both += 1,
                (Ok(()), Ok(_)) => neither += 1,
                (Ok(()), Err(_)) => reader_alone += 1,
                (Err(why), Ok(_)) => {
                    false_alarms.push(format!("{}: {said}\n{why}", path.display()));
                }
            }
        }
    }
    println!("refused by both: {both}, by the reader alone: {reader_alone}, by neither: {neither}");
    let count = false_alarms.len();
    false_alarms.truncate(20);
    assert!(
        false_alarms.is_empty(),
        "{count} by the schema alone:\n{}",
        false_alarms.join("\n")
    );
    // Most changes are of keys and types, which a schema sees.
    assert!(
        both > 2 * reader_alone,
        "the schema sees {both}, and not {reader_alone}"
    );
    assert!(
        neither > 0,
        "no change left a file valid: are they changes of one thing?"
    );
}
