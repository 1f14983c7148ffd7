//! The schema says what the reader knows: the same keys in each table, the same words for each value.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use serde_json::Value;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Form;
use crate::scenario::diagnostic::{Sources, Span};
use crate::scenario::syntax::known::{self, Kind, Note};

/// Tables of which the reader takes fewer keys in some places: in a `seed` the acts of a footprint are
/// fewer, and so are the commands of another VPN.
const FEWER: [&str; 2] = ["a footprint's act", "`command` of another VPN"];

/// A part of a schema, with its name if it has one.
#[derive(Clone, Copy)]
struct Part<'s> {
    name: &'s str,
    schema: &'s Value,
}

/// What was compared, over all files.
#[derive(Default)]
struct Comparison {
    /// Definitions whose keys were.
    tables: BTreeSet<String>,
    /// Lists of words that were.
    words: BTreeSet<Vec<String>>,
    differences: BTreeSet<String>,
}

#[test]
fn every_table_has_the_keys_that_the_reader_knows_and_every_value_its_words() {
    let scenario = Form::Scenario.schema();
    let footprint = Form::Footprint.schema();
    let mut found = Comparison::default();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
    let mut files = Vec::new();
    descend(&root, &mut files);
    assert!(files.len() > 150, "only {} files", files.len());
    for path in files
        .iter()
        .filter(|it| !it.parent().is_some_and(|it| it.ends_with("footprints")))
    {
        let text = fs::read_to_string(path).expect("a file");
        let sources = Rc::new(Sources::new(path, &text));
        known::take();
        // Valid or not: what is read is compared.
        drop(crate::scenario::file(path, &text, &sources));
        let notes = known::take();
        for (index, source) in sources.to_texts().iter().enumerate() {
            let schema = if index == 0 { &scenario } else { &footprint };
            compare(schema, &source.text, source.start, &notes, &mut found);
        }
    }
    let differences: Vec<_> = found.differences.into_iter().collect();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    let unseen: Vec<_> = tables(&scenario)
        .difference(&found.tables)
        .cloned()
        .collect();
    assert!(unseen.is_empty(), "no file has a table of {unseen:?}");
    let mut listed = BTreeSet::new();
    words(&scenario, &mut listed);
    // Read by hand: the footprints that come with the lab, and the two programs with a status.
    let shipped = crate::scenario::read::shipped_footprints();
    listed.remove(&sorted(shipped.map(str::to_owned)));
    listed.remove(&sorted(["client", "server"].map(str::to_owned)));
    let unseen: Vec<_> = listed.difference(&found.words).collect();
    assert!(unseen.is_empty(), "no file has one of {unseen:?}");
}

/// Compares a text, whose bytes count from `start` on, with the schema of its form.
fn compare(schema: &Value, text: &str, start: usize, notes: &[Note], found: &mut Comparison) {
    let Ok(root) = DeTable::parse(text) else {
        return;
    };
    let root = root.into_inner();
    // A file's table has no place of its own.
    let spans = root.keys().map(|key| (key.span().start, key.span().end));
    let first = spans.min().unwrap_or_default();
    let mut by_place: BTreeMap<(usize, usize), Vec<&Note>> = BTreeMap::new();
    for note in notes {
        by_place
            .entry((note.span.start, note.span.end))
            .or_default()
            .push(note);
    }
    let walk = Walk {
        schema,
        start,
        notes: by_place,
    };
    let parts = walk.parts(Part {
        name: "the top",
        schema,
    });
    let value = Spanned::new(first.0..first.1, DeValue::Table(root));
    walk.value(&value, &parts, found);
}

struct Walk<'s> {
    schema: &'s Value,
    start: usize,
    notes: BTreeMap<(usize, usize), Vec<&'s Note>>,
}

impl<'s> Walk<'s> {
    /// All that a part leads to: what it refers to, and its alternatives.
    fn parts(&self, part: Part<'s>) -> Vec<Part<'s>> {
        if let Some(path) = part.schema["$ref"].as_str() {
            let name = path.rsplit('/').next().unwrap_or_default();
            let schema = &self.schema["definitions"][name];
            return self.parts(Part { name, schema });
        }
        let mut parts = vec![part];
        for schema in part.schema["anyOf"].as_array().into_iter().flatten() {
            parts.extend(self.parts(Part { schema, ..part }));
        }
        parts
    }

    fn value(&self, value: &Spanned<DeValue<'_>>, parts: &[Part<'s>], found: &mut Comparison) {
        let span = Span::from(value.span());
        let place = (span.start + self.start, span.end + self.start);
        for note in self.notes.get(&place).into_iter().flatten() {
            match (note.kind, value.get_ref()) {
                // Below a key that neither knows.
                _ if parts.is_empty() => {}
                (Kind::Keys, DeValue::Table(_)) => self.keys(note, parts, found),
                (Kind::Words, DeValue::String(_)) => self.words(note, parts, found),
                _ => {}
            }
        }
        match value.get_ref() {
            DeValue::Table(entries) => {
                for (key, value) in entries.iter() {
                    let inner: Vec<_> = parts
                        .iter()
                        .flat_map(|it| self.below(*it, key.get_ref()))
                        .collect();
                    self.value(value, &inner, found);
                }
            }
            DeValue::Array(items) => {
                let inner: Vec<_> = parts
                    .iter()
                    .flat_map(|it| self.inner(*it, &it.schema["items"]))
                    .collect();
                for item in items.iter() {
                    self.value(item, &inner, found);
                }
            }
            _ => {}
        }
    }

    fn below(&self, part: Part<'s>, key: &str) -> Vec<Part<'s>> {
        match &part.schema["properties"][key] {
            Value::Null => self.inner(part, &part.schema["additionalProperties"]),
            schema => self.inner(part, schema),
        }
    }

    fn inner(&self, part: Part<'s>, schema: &'s Value) -> Vec<Part<'s>> {
        match schema.is_object() {
            true => self.parts(Part { schema, ..part }),
            false => Vec::new(),
        }
    }

    fn keys(&self, note: &Note, parts: &[Part<'s>], found: &mut Comparison) {
        // Which parameters a footprint has, its own file says.
        let tables: Vec<_> = parts
            .iter()
            .filter(|it| it.schema["properties"].is_object())
            .collect();
        if tables
            .iter()
            .any(|it| it.schema["additionalProperties"].is_object())
        {
            found
                .tables
                .extend(tables.iter().map(|it| it.name.to_owned()));
            return;
        }
        // What `add` puts in is read as a step, in the place of the change.
        if note.what == "a step" && tables.iter().any(|it| it.name == "Add") {
            return;
        }
        let keys = tables
            .iter()
            .flat_map(|it| it.schema["properties"].as_object().into_iter().flatten());
        let keys = sorted(keys.map(|(key, _)| key.clone()));
        let agrees = match FEWER.contains(&note.what.as_str()) {
            true => note.words.iter().all(|word| keys.contains(word)),
            false => note.words == keys,
        };
        if agrees {
            found
                .tables
                .extend(tables.iter().map(|it| it.name.to_owned()));
        } else {
            found.differences.insert(format!(
                "{}: the reader knows {:?}\n    and the schema {keys:?}",
                note.what, note.words
            ));
        }
    }

    fn words(&self, note: &Note, parts: &[Part<'s>], found: &mut Comparison) {
        // The value of a footprint's parameter, which its acts have in their place.
        let parameter = serde_json::json!(["string", "integer"]);
        if parts.iter().any(|it| it.schema["type"] == parameter) {
            return;
        }
        let words = parts
            .iter()
            .flat_map(|it| it.schema["enum"].as_array().into_iter().flatten());
        let words = sorted(words.filter_map(Value::as_str).map(str::to_owned));
        if note.words == words {
            found.words.insert(words);
        } else {
            found.differences.insert(format!(
                "`{}`: the reader knows {:?}\n    and the schema {words:?}",
                note.what, note.words
            ));
        }
    }
}

fn sorted(words: impl IntoIterator<Item = String>) -> Vec<String> {
    let words: BTreeSet<String> = words.into_iter().collect();
    words.into_iter().collect()
}

/// The definitions of tables.
fn tables(schema: &Value) -> BTreeSet<String> {
    let definitions = schema["definitions"].as_object().expect("definitions");
    // What `alter` merges is read in the act that it is merged into.
    let tables = definitions
        .iter()
        .filter(|(name, _)| !name.ends_with("Patch"))
        .filter(|(_, it)| it["properties"].is_object());
    tables.map(|(name, _)| name.clone()).collect()
}

/// Each list of words.
fn words(schema: &Value, found: &mut BTreeSet<Vec<String>>) {
    match schema {
        Value::Object(entries) => {
            for (key, inner) in entries {
                match (key.as_str(), inner) {
                    ("enum", Value::Array(words)) => {
                        let words = words.iter().filter_map(Value::as_str);
                        found.insert(sorted(words.map(str::to_owned)));
                    }
                    // What is not to be, and what is told of the words.
                    ("not" | "propertyNames" | "x-taplo", _) => {}
                    _ => words(inner, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| words(item, found)),
        _ => {}
    }
}

fn descend(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            descend(&path, files);
        } else if path.extension().is_some_and(|found| found == "toml") {
            files.push(path);
        }
    }
}
