//! A value of the file.

use std::ops::RangeInclusive;

use toml::Spanned;
use toml::de::DeValue;

use super::{Table, Word};
use crate::scenario::diagnostic::{Diagnostic, Problems, Span};

/// A value, with its place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node<'a> {
    pub(crate) value: &'a DeValue<'a>,
    pub(crate) span: Span,
    pub(crate) problems: &'a Problems,
}

impl<'a> Node<'a> {
    /// Looks at a value.
    pub(crate) fn new(value: &'a Spanned<DeValue<'a>>, problems: &'a Problems) -> Self {
        Self {
            value: value.get_ref(),
            span: value.span().into(),
            problems,
        }
    }

    /// A mistake at this place, yet to be added.
    pub(crate) fn wrong(&self, title: impl Into<String>) -> Diagnostic {
        Diagnostic::new(self.span, title)
    }

    /// Records a mistake that makes the value useless.
    pub(crate) fn refuse<T>(&self, diagnostic: Diagnostic) -> Option<T> {
        self.problems.add(diagnostic);
        None
    }

    /// Records that the value is of another kind than `wanted`.
    pub(crate) fn mismatch<T>(&self, wanted: &str) -> Option<T> {
        let label = format!("this is {}", kind(self.value));
        self.refuse(self.wrong(format!("expected {wanted}")).label(label))
    }

    /// What was read of it. Where that is nothing somebody has said why, or the scenario would be played
    /// without it, as if it held.
    pub(crate) fn told<T>(&self, read: Option<T>) -> Option<T> {
        if read.is_none() && self.problems.count() == 0 {
            let wrong = self.wrong("the lab cannot read this, and does not know why");
            self.problems
                .add(wrong.help("it is a mistake of the lab's: please report the file"));
        }
        read
    }

    /// A string.
    pub(crate) fn word(self) -> Option<Word<'a>> {
        match self.value.as_str() {
            Some(text) => Some(Word {
                text,
                span: self.span,
                problems: self.problems,
            }),
            None => self.mismatch("a string"),
        }
    }

    /// A string that is not empty.
    pub(crate) fn text(self) -> Option<String> {
        let word = self.word()?;
        if word.text.trim().is_empty() {
            return word.refuse(word.wrong("an empty text says nothing"));
        }
        Some(word.text.to_owned())
    }

    /// `true` or `false`.
    pub(crate) fn flag(self) -> Option<bool> {
        match self.value.as_bool() {
            Some(flag) => Some(flag),
            None => self.mismatch("`true` or `false`"),
        }
    }

    /// An integer in a range.
    pub(crate) fn integer(self, what: &str, range: RangeInclusive<i64>) -> Option<i64> {
        let Some(integer) = self.value.as_integer() else {
            return self.mismatch(&format!("an integer for the {what}"));
        };
        let value = i64::from_str_radix(integer.as_str(), integer.radix()).ok();
        value.filter(|value| range.contains(value)).or_else(|| {
            let label = format!("from {} to {}", range.start(), range.end());
            self.refuse(self.wrong(format!("{integer} is no {what}")).label(label))
        })
    }

    /// The elements of a list.
    pub(crate) fn list(self) -> Option<Vec<Node<'a>>> {
        match self.value.as_array() {
            Some(items) => Some(
                items
                    .iter()
                    .map(|item| Node::new(item, self.problems))
                    .collect(),
            ),
            None => {
                let wrong = self.wrong("expected a list");
                let wrong = wrong.label(format!("this is {}", kind(self.value)));
                self.refuse(match self.value {
                    DeValue::String(text) => wrong.help(format!("write `[\"{text}\"]`")),
                    DeValue::Integer(number) => wrong.help(format!("write `[{number}]`")),
                    _ => wrong,
                })
            }
        }
    }

    /// The elements of a list, or the value itself as the only one.
    pub(crate) fn one_or_many(self) -> Vec<Node<'a>> {
        match self.value.as_array() {
            Some(items) => items
                .iter()
                .map(|item| Node::new(item, self.problems))
                .collect(),
            None => vec![self],
        }
    }

    /// A list of strings, at least one.
    pub(crate) fn command(self) -> Option<Vec<String>> {
        if let Some(line) = self.value.as_str() {
            let words: Vec<String> = line
                .split_whitespace()
                .map(|word| format!("\"{word}\""))
                .collect();
            let wrong = self.wrong("a command is a list: no shell takes it apart");
            return self.refuse(wrong.label(format!("write `[{}]`", words.join(", "))));
        }
        let items = self.list()?;
        if items.is_empty() {
            return self.refuse(self.wrong("a command names at least its program"));
        }
        let words: Vec<String> = items
            .iter()
            .filter_map(|item| Some(item.word()?.text.to_owned()))
            .collect();
        if words.first().is_some_and(String::is_empty) {
            return items[0].refuse(items[0].wrong("a command names at least its program"));
        }
        (words.len() == items.len()).then_some(words)
    }

    /// One of a few words, each with its meaning.
    pub(crate) fn choice<T: Copy>(self, key: &str, choices: &[(&str, T)]) -> Option<T> {
        #[cfg(test)]
        {
            let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
            super::known::note(self.span, super::known::Kind::Words, key, &words);
        }
        let word = self.word()?;
        match choices.iter().find(|(name, _)| *name == word.text) {
            Some((_, meaning)) => Some(*meaning),
            None => {
                let names = choices.iter().map(|(name, _)| *name);
                let wrong = word.wrong(format!("`{}` is no value for `{key}`", word.text));
                word.refuse(wrong.meant(word.text, "values", names))
            }
        }
    }

    /// The entries of a table whose keys are names that the file gives.
    pub(crate) fn entries(self) -> Vec<(Word<'a>, Node<'a>)> {
        match self.value.as_table() {
            Some(entries) => Table::entries(entries, self.problems).collect(),
            None => self.mismatch("a table").unwrap_or_default(),
        }
    }

    /// A table that may have these keys and no others. `what` names it in messages.
    pub(crate) fn table(self, what: impl Into<String>, keys: &[&str]) -> Option<Table<'a>> {
        let what = what.into();
        match self.value.as_table() {
            Some(entries) => Some(Table::new(entries, self, what, keys)),
            None => self.mismatch(&format!("a table for {what}")),
        }
    }
}

/// What a person calls a value's type.
fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "an integer",
        DeValue::Float(_) => "a decimal number",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// Reads a key that may be missing; none where it is wrong.
pub(crate) fn optional<'a, T>(
    node: Option<Node<'a>>,
    read: impl FnOnce(Node<'a>) -> Option<T>,
) -> Option<Option<T>> {
    node.map_or(Some(None), |node| read(node).map(Some))
}
