//! Values in the place of their names.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::fragment::Fragment;
use super::{OWN_KEYS, Values};
use crate::scenario::diagnostic::Problems;
use crate::scenario::syntax::{Node, Table, Word};

/// What a parameter stands for: an act that names it is done once for each of these.
#[derive(Clone, Debug)]
pub(super) struct Given<'a>(Vec<Node<'a>>);

/// Whether a text is a name as parameters have it.
pub(super) fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

/// The names in an act.
pub(super) fn names(act: Node<'_>) -> Vec<Word<'_>> {
    let mut found = Vec::new();
    collect(act, &mut found);
    found
}

fn collect<'a>(node: Node<'a>, found: &mut Vec<Word<'a>>) {
    let inner: Vec<Node<'a>> = match node.value {
        DeValue::String(text) => {
            let names = parts(text).filter_map(|part| match part {
                Part::Name(name) => Some(name),
                Part::Text(_) => None,
            });
            found.extend(names.map(|text| Word {
                text,
                span: node.span,
                problems: node.problems,
            }));
            return;
        }
        DeValue::Array(_) => node.one_or_many(),
        DeValue::Table(entries) => Table::entries(entries, node.problems)
            .map(|(_, node)| node)
            .collect(),
        _ => return,
    };
    for node in inner {
        collect(node, found);
    }
}

/// What each parameter stands for: what the scenario gives, or its default.
pub(super) fn values<'a>(
    fragment: &Fragment<'a>,
    given: &Table<'a>,
    problems: &'a Problems,
) -> Option<Values<'a>> {
    let known = |text: &str| fragment.parameters.iter().any(|it| it.name.text == text);
    for (key, _) in given.iter() {
        if !known(key.text) && !OWN_KEYS.contains(&key.text) {
            let wrong = key.wrong(format!("the footprint has no parameter `{}`", key.text));
            let names = fragment.parameters.iter().map(|it| it.name.text);
            problems.add(wrong.meant(key.text, "parameters", names));
        }
    }
    let mut values = Values::new();
    if let Some(on) = given.get("on") {
        values.insert("on", Given(vec![Node { problems, ..on }]));
    }
    for parameter in &fragment.parameters {
        let name = parameter.name.text;
        let node = given.get(name).or(parameter.default);
        let Some(node) = node else {
            let wrong = given.wrong(format!("the footprint needs a value for `{name}`"));
            let wrong = wrong.other(parameter.name.span, "what it is");
            problems.add(wrong.help(format!("add it, such as `{name} = …`")));
            continue;
        };
        let node = Node { problems, ..node };
        if let Some(wrong) = node.one_or_many().into_iter().find(|it| !is_plain(*it)) {
            wrong.mismatch::<()>("a string, an integer, or a list of such");
            continue;
        }
        values.insert(name, Given(node.one_or_many()));
    }
    (problems.count() == 0).then_some(values)
}

fn is_plain(node: Node<'_>) -> bool {
    matches!(node.value, DeValue::String(_) | DeValue::Integer(_))
}

/// How many acts an act stands for.
pub(super) fn count(act: Node<'_>, values: &Values<'_>) -> usize {
    let mut done: Vec<&str> = Vec::new();
    let mut all = 1_usize;
    for name in names(act) {
        if !done.contains(&name.text) {
            done.push(name.text);
            let given = values.get(name.text).map_or(0, |given| given.0.len());
            all = all.saturating_mul(given);
        }
    }
    all
}

/// An act with values in it, once for each choice among those that its names stand for: not at all
/// where one of them stands for nothing.
pub(super) fn fill<'a>(act: Node<'a>, values: &Values<'a>) -> Vec<Spanned<DeValue<'a>>> {
    let mut choices: Vec<Vec<(&str, Node<'a>)>> = vec![Vec::new()];
    let mut done: Vec<&str> = Vec::new();
    for name in names(act) {
        if done.contains(&name.text) {
            continue;
        }
        done.push(name.text);
        let given = values.get(name.text).map(|given| given.0.as_slice());
        let with = |choice: Vec<(&'a str, Node<'a>)>| {
            given.unwrap_or_default().iter().map(move |node| {
                let mut choice = choice.clone();
                choice.push((name.text, *node));
                choice
            })
        };
        choices = choices.into_iter().flat_map(with).collect();
    }
    choices.iter().map(|choice| filled(act, choice)).collect()
}

fn filled<'a>(node: Node<'a>, choice: &[(&str, Node<'a>)]) -> Spanned<DeValue<'a>> {
    let span = node.span.start..node.span.end;
    let value = match node.value {
        DeValue::String(text) => return string(text, node, choice),
        DeValue::Array(_) => {
            let items = node.one_or_many().into_iter();
            DeValue::Array(items.map(|item| filled(item, choice)).collect())
        }
        DeValue::Table(entries) => {
            let mut table = DeTable::new();
            for (key, value) in entries.iter() {
                table.insert(key.clone(), filled(Node::new(value, node.problems), choice));
            }
            DeValue::Table(table)
        }
        plain => plain.clone(),
    };
    Spanned::new(span, value)
}

/// A string that is one name alone becomes its value, with the place and the type of that; in a longer one
/// the value is part of the text.
fn string<'a>(text: &'a str, node: Node<'a>, choice: &[(&str, Node<'a>)]) -> Spanned<DeValue<'a>> {
    let value = |name: &str| {
        choice
            .iter()
            .find(|(it, _)| *it == name)
            .map(|(_, node)| *node)
    };
    let all: Vec<Part<'a>> = parts(text).collect();
    if let [Part::Name(name)] = all.as_slice()
        && let Some(given) = value(name)
    {
        return Spanned::new(given.span.start..given.span.end, given.value.clone());
    }
    let span = node.span.start..node.span.end;
    let filled: String = all
        .iter()
        .map(|part| match part {
            Part::Text(text) => (*text).to_owned(),
            Part::Name(name) => value(name).map(as_text).unwrap_or_default(),
        })
        .collect();
    Spanned::new(span, DeValue::String(filled.into()))
}

fn as_text(node: Node<'_>) -> String {
    match (node.value.as_str(), node.value.as_integer()) {
        (Some(text), _) => text.to_owned(),
        (None, Some(integer)) => match i64::from_str_radix(integer.as_str(), integer.radix()) {
            Ok(number) => number.to_string(),
            Err(_) => integer.to_string(),
        },
        (None, None) => String::new(),
    }
}

/// A part of a string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part<'a> {
    Text(&'a str),
    Name(&'a str),
}

/// Takes a string apart at `{NAME}`. A brace that no name follows is a brace, as nft(8) has them.
fn parts(text: &str) -> impl Iterator<Item = Part<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let mut from = 0;
        while let Some(open) = rest[from..].find('{').map(|at| at + from) {
            let name = rest[open + 1..].split_once('}').map(|(name, _)| name);
            let Some(name) = name.filter(|name| is_name(name)) else {
                from = open + 1;
                continue;
            };
            if open > 0 {
                let (before, behind) = rest.split_at(open);
                rest = behind;
                return Some(Part::Text(before));
            }
            rest = &rest[name.len() + 2..];
            return Some(Part::Name(name));
        }
        Some(Part::Text(std::mem::take(&mut rest)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_name_in_braces_is_a_name() {
        let all = |text| parts(text).collect::<Vec<_>>();
        assert_eq!(all("{tun}"), [Part::Name("tun")]);
        assert_eq!(
            all("oif {tun} { x } {2}{on}"),
            [
                Part::Text("oif "),
                Part::Name("tun"),
                Part::Text(" { x } {2}"),
                Part::Name("on"),
            ]
        );
        assert_eq!(
            all("chain a { type filter; }"),
            [Part::Text("chain a { type filter; }")]
        );
        assert_eq!(all(""), []);
    }
}
