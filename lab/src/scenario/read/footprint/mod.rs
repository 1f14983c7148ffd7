//! `footprint`: the acts of another file, with the scenario's values in them.
//!
//! - [`footprint`]: the act; [`Fragment`]: the file that it plays
//! - `shipped`: the files that come with the lab; `fill`: values in the place of their names

mod fill;
mod fragment;
mod shipped;

use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Lab, act};
use crate::scenario::diagnostic::{Diagnostic, Problems, Source, Span};
use crate::scenario::model::Act;
use crate::scenario::syntax::{Node, Table, Word};
use fill::Given;
use fragment::Fragment;
pub(crate) use shipped::names as shipped_footprints;

/// What no parameter may be called.
const OWN_KEYS: [&str; 3] = ["use", "on", "action"];
/// More than any footprint has, and less than what a device without end gives.
const LARGEST: u64 = 1 << 20;

/// More acts than any footprint has, and fewer than a few lists in one act multiply to.
const MOST: usize = 1000;

/// Which half of a footprint is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Half {
    Add,
    Remove,
}

/// Reads the acts that a footprint stands for; each may have one of `verbs`.
pub(super) fn footprint(node: Node<'_>, verbs: &[&str], lab: &mut Lab) -> Option<Vec<Act>> {
    let Some(entries) = node.value.as_table() else {
        return node.mismatch("a table for `footprint`");
    };
    // Which keys there are the footprint says.
    let known: Vec<&str> = entries.keys().map(|key| key.get_ref().as_ref()).collect();
    let table = node.table("`footprint`", &known)?;
    let on = table.need("on", "\"laptop\"");
    let host = on.and_then(Node::word).and_then(|word| lab.host(word));
    let half = match table.get("action") {
        Some(node) => node.choice("action", &[("add", Half::Add), ("remove", Half::Remove)]),
        None => Some(Half::Add),
    };
    let name = table.need("use", "\"wg-quick\"").and_then(Node::word)?;
    let source = find(name, lab)?;
    let inner = Problems::default();
    let acts = play(
        &source,
        &table,
        half.unwrap_or(Half::Add),
        verbs,
        lab,
        &inner,
    );
    for problem in inner.into_sorted() {
        let problem = match source.holds(problem.span) {
            true => problem.other(name.span, "it is played from here"),
            false => problem.note(format!("`{}` is played with it", name.text)),
        };
        node.problems.add(problem);
    }
    host.and(half).and(acts)
}

/// The file of a footprint: one that comes with the lab by its name, any other by its path.
fn find(word: Word<'_>, lab: &Lab) -> Option<Rc<Source>> {
    let is_path = word.text.contains('/') || Path::new(word.text).extension().is_some();
    if !is_path {
        if let Some(text) = shipped::text(word.text) {
            return Some(lab.sources.add(&shipped::path(word.text), text));
        }
        let wrong = word.wrong(format!("there is no footprint `{}`", word.text));
        let wrong = wrong.meant(word.text, "those that come with the lab", shipped::names());
        return word
            .refuse(wrong.help("a file of your own is named by its path: `\"./mine.toml\"`"));
    }
    // Messages name the file without the `.` of `./mine.toml`.
    let path: PathBuf = lab.sources.folder().join(word.text).components().collect();
    match read_file(&path) {
        Ok(text) => Some(lab.sources.add(&path, &text)),
        Err(error) => {
            let wrong = word.wrong(format!("{} cannot be read: {error}", path.display()));
            word.refuse(wrong.label("a path from the scenario's own folder"))
        }
    }
}

fn read_file(path: &PathBuf) -> Result<String, String> {
    let file = path.metadata().map_err(|error| error.to_string())?;
    if !file.is_file() || file.len() > LARGEST {
        return Err("it is no file of a footprint".to_owned());
    }
    fs::read_to_string(path).map_err(|error| error.to_string())
}

/// Reads a footprint's file, and the acts of one half of it with the values given.
fn play(
    source: &Source,
    given: &Table<'_>,
    half: Half,
    verbs: &[&str],
    lab: &mut Lab,
    problems: &Problems,
) -> Option<Vec<Act>> {
    let root = match DeTable::parse(&source.text) {
        Ok(root) => root.into_inner(),
        Err(error) => {
            let span = source.shifted(error.span().unwrap_or(0..0));
            let wrong = Diagnostic::new(span, error.message());
            problems.add(wrong.note("this is no valid TOML, so nothing else was checked"));
            return None;
        }
    };
    let mut root = Spanned::new(0..0, DeValue::Table(root));
    shift(&mut root, source);
    let root = root.get_ref().as_table()?;
    let fragment = Fragment::read(root, problems)?;
    let values = fill::values(&fragment, given, problems);
    let acts = match half {
        Half::Add => &fragment.add,
        Half::Remove => &fragment.remove,
    };
    let values = values?;
    let counts = acts.iter().map(|act| fill::count(*act, &values));
    let count = counts.fold(0, usize::saturating_add);
    if count > MOST {
        let wrong = Diagnostic::new(
            given.span,
            format!("with these values the footprint has more than {MOST} acts"),
        );
        let wrong = wrong.label("an act is done once for each value of each list that it names");
        problems.add(wrong);
        return None;
    }
    // Before the acts, of which some have to find their program here.
    lab.needs.extend(fragment.needs.iter().cloned());
    let filled: Vec<_> = acts
        .iter()
        .flat_map(|act| fill::fill(*act, &values))
        .collect();
    let read: Vec<Option<Act>> = filled
        .iter()
        .map(|value| read(Node::new(value, problems), verbs, lab))
        .collect();
    let told = problems.count() > 0;
    if read.is_empty() && !told {
        let wrong = Diagnostic::new(given.span, "with these values the footprint does nothing");
        problems.add(wrong.label("nothing is done here"));
        return None;
    }
    if read.iter().any(Option::is_none) && !told {
        let wrong = Diagnostic::new(
            given.span,
            "the lab cannot read this, and does not know why",
        );
        problems.add(wrong.help("it is a mistake of the lab's: please report the file"));
        return None;
    }
    read.into_iter().collect()
}

/// An act of a footprint, which is one of the kernel's and no footprint again.
fn read(node: Node<'_>, verbs: &[&str], lab: &mut Lab) -> Option<Act> {
    act::within_footprint(node, verbs, lab)
}

/// Counts the places of a tree from the begin of all texts.
fn shift(value: &mut Spanned<DeValue<'_>>, source: &Source) {
    let Span { start, end } = source.shifted(value.span());
    let inner = std::mem::replace(value.get_mut(), DeValue::Boolean(false));
    let inner = match inner {
        DeValue::Array(mut items) => {
            for item in items.iter_mut() {
                shift(item, source);
            }
            DeValue::Array(items)
        }
        DeValue::Table(entries) => {
            let mut shifted = DeTable::new();
            for (key, mut value) in entries {
                shift(&mut value, source);
                let Span { start, end } = source.shifted(key.span());
                shifted.insert(Spanned::new(start..end, key.into_inner()), value);
            }
            DeValue::Table(shifted)
        }
        plain => plain,
    };
    *value = Spanned::new(start..end, inner);
}

/// A value that a scenario gives, or that a footprint has by itself.
type Values<'a> = indexmap::IndexMap<&'a str, Given<'a>>;
