//! Where things stand in a scenario's file.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A place in a scenario's file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Place {
    /// The line, from 1.
    pub line: usize,
    /// The character in it, from 1.
    pub column: usize,
}

impl Place {
    /// The place of a byte of a text.
    pub(crate) fn of(text: &str, byte: usize) -> Self {
        let before = text.get(..byte).unwrap_or(text);
        let line = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self {
            line: before.matches('\n').count() + 1,
            column: before[line..].chars().count() + 1,
        }
    }
}

/// Where the parts of a file that reports speak of stand in it. They are no part of the scenario: one that
/// is moved plays the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places {
    /// Steps, by name.
    pub steps: IndexMap<String, Place>,
    /// Expectations, by name.
    pub expectations: IndexMap<String, Place>,
    /// Sabotages, by name.
    pub sabotages: IndexMap<String, Place>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_characters_count_from_one() {
        let text = "a = 1\nä = \"ü\" # x\n";
        let place = |byte| {
            let Place { line, column } = Place::of(text, byte);
            (line, column)
        };
        assert_eq!(place(0), (1, 1));
        assert_eq!(place(6), (2, 1));
        assert_eq!(place(text.find('#').unwrap()), (2, 9));
        assert_eq!(place(text.len()), (3, 1));
    }
}
