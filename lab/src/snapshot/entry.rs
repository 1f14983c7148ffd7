//! One object of the kernel, in the words of ip(8).

use std::fmt;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

/// An object as words and their values, in the order in which ip(8) writes them. A word that stands
/// alone, such as `onlink`, has an empty value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Entry(IndexMap<String, String>);

impl Entry {
    /// Puts a word with its value at the end.
    pub fn set(&mut self, word: &str, value: impl fmt::Display) {
        self.0.insert(word.to_owned(), value.to_string());
    }

    /// Puts a word at the end, with its value if there is one.
    pub(super) fn set_some(&mut self, word: &str, value: Option<impl fmt::Display>) {
        if let Some(value) = value {
            self.set(word, value);
        }
    }

    /// Puts a word that stands alone at the end, if it is to be there.
    pub(super) fn flag(&mut self, word: &str, there: bool) {
        if there {
            self.set(word, "");
        }
    }

    /// Puts an attribute at the end that has no word of its own here. What cannot be named is seen
    /// to change all the same.
    pub(super) fn other(&mut self, attribute: &impl fmt::Debug) {
        let text = format!("{attribute:?}");
        let before = self.0.get("other");
        let text = before.map_or_else(|| text.clone(), |before| format!("{before}, {text}"));
        self.set("other", text);
    }

    /// The value of a word.
    pub fn get(&self, word: &str) -> Option<&str> {
        self.0.get(word).map(String::as_str)
    }

    /// All words and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(word, value)| (word.as_str(), value.as_str()))
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (word, value)) in self.iter().enumerate() {
            let space = if place == 0 { "" } else { " " };
            match value {
                "" => write!(f, "{space}{word}")?,
                value => write!(f, "{space}{word} {value}")?,
            }
        }
        Ok(())
    }
}

/// Entries in an order that does not depend on the kernel's.
pub(super) fn sorted(entries: impl Iterator<Item = Entry>) -> Vec<Entry> {
    let mut entries: Vec<Entry> = entries.collect();
    entries.sort_by_cached_key(Entry::to_string);
    entries
}
