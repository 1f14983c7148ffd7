//! The JSON schema of a file: the committed one is that of the types, takes every file of the library, and
//! refuses nothing that the reader takes.

mod common {
    pub(crate) mod root;
    pub(crate) mod schema;
    pub(crate) mod toml_files;
}

use std::collections::BTreeSet;
use std::fs;

use common::root::root;
use common::schema::Schema;
use common::toml_files::{Theme, toml_files};
use fps_lab::scenario::schema::Form;
use serde_json::Value;

const FORMS: [Form; 2] = [Form::Scenario, Form::Footprint];

#[test]
fn the_committed_schema_is_that_of_the_types() {
    let bless = std::env::var_os("FPS_LAB_BLESS").is_some();
    for form in FORMS {
        let path = root().join("docs").join(form.file_name());
        if bless {
            fs::write(&path, form.text()).expect("the schema can be written");
        }
        let committed = fs::read_to_string(&path).unwrap_or_default();
        let name = form.file_name();
        assert!(
            committed == form.text(),
            "docs/{name} is not what the types give; renew it: \
             FPS_LAB_BLESS=1 cargo test -p fps-lab --test schema committed"
        );
    }
}

#[test]
fn every_file_of_the_library_is_valid_by_the_schema() {
    let scenario = Schema::committed(Form::Scenario);
    let footprint = Schema::committed(Form::Footprint);
    let mut count = 0;
    for (path, theme) in toml_files() {
        let schema = match theme {
            Theme::Invalid => continue,
            Theme::Footprints => &footprint,
            Theme::Scenarios => &scenario,
        };
        let text = fs::read_to_string(&path).expect("a file");
        if let Err(why) = schema.check(&text) {
            panic!("{}: {why}", path.display());
        }
        count += 1;
    }
    assert!(count > 90, "only {count} files");
}

#[test]
fn every_file_of_the_library_names_its_schema_in_its_first_line() {
    let mut wrong = Vec::new();
    for (path, theme) in toml_files() {
        let form = match theme {
            // Their mistakes are told with the lines that they are in.
            Theme::Invalid => continue,
            Theme::Footprints => Form::Footprint,
            Theme::Scenarios => Form::Scenario,
        };
        let below = path
            .strip_prefix(root().join("scenarios"))
            .expect("below it");
        let up = "../".repeat(below.components().count());
        let wanted = format!("#:schema {up}docs/{}", form.file_name());
        let text = fs::read_to_string(&path).expect("a file");
        if text.lines().next() != Some(wanted.as_str()) {
            wrong.push(format!(
                "scenarios/{} begins with `{wanted}`",
                below.display()
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "so that editors complete and check:\n{}",
        wrong.join("\n")
    );
}

/// Editors show it when a key is pointed at.
#[test]
fn every_key_is_described() {
    for form in FORMS {
        let schema = form.schema();
        let mut silent = BTreeSet::new();
        undescribed(&schema, &schema, "", &mut silent);
        assert!(silent.is_empty(), "{form:?}: no description of {silent:?}");
    }
}

fn undescribed(all: &Value, part: &Value, place: &str, silent: &mut BTreeSet<String>) {
    let properties = part["properties"].as_object();
    // What `alter` merges is an act with less in it: its keys are those of the act.
    for (key, inner) in properties.into_iter().flatten() {
        let described = |it: &Value| it["description"].as_str().is_some_and(|it| it.len() > 10);
        let referred = inner["$ref"]
            .as_str()
            .and_then(|path| all.pointer(path.strip_prefix('#')?));
        if !described(inner) && !referred.is_some_and(described) {
            silent.insert(format!("{place}.{key}"));
        }
    }
    if let Some(definitions) = part["definitions"].as_object() {
        for (name, definition) in definitions {
            undescribed(all, definition, name, silent);
        }
    }
}
