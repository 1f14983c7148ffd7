//! What a held lab is called.

use std::fmt;
use std::str::FromStr;

/// As many characters as fit in a socket's path beside a folder (unix(7): 107 bytes in all).
const LONGEST: usize = 48;

/// The name of a held lab: letters, digits, `-`, `_` and `.`, the first a letter or a digit, so that
/// it can be a file's name and no option.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LabName(String);

/// A text that is no lab's name.
#[derive(Debug, thiserror::Error)]
#[error(
    "`{0}` cannot be a lab's name: it takes 1 to {LONGEST} letters, digits, `-`, `_` and `.`, and \
     begins with a letter or a digit"
)]
pub struct InvalidLabName(String);

impl LabName {
    /// The name of a lab of this scenario: each character that names do not have is a `-`.
    pub fn of_scenario(name: &str) -> Self {
        let fitting = |it: char| if fits(it) { it } else { '-' };
        let text: String = name.chars().map(fitting).take(LONGEST).collect();
        let text = text.trim_start_matches(|it: char| !it.is_ascii_alphanumeric());
        Self(if text.is_empty() { "lab" } else { text }.to_owned())
    }

    /// The same name with a number behind it.
    pub(super) fn numbered(&self, number: usize) -> Self {
        let end = format!("-{number}");
        let keep = self.0.len().min(LONGEST - end.len());
        Self(format!("{}{end}", &self.0[..keep]))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for LabName {
    type Err = InvalidLabName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let first = text.chars().next();
        let begins_well = first.is_some_and(|it| it.is_ascii_alphanumeric());
        if begins_well && text.chars().all(fits) && text.len() <= LONGEST {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidLabName(text.to_owned()))
        }
    }
}

impl fmt::Display for LabName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn fits(character: char) -> bool {
    character.is_ascii_alphanumeric() || "-_.".contains(character)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_files_name_and_no_option() {
        for text in ["split-tunnel", "a", "2.0_b"] {
            assert_eq!(text.parse::<LabName>().expect(text).as_str(), text);
        }
        for text in ["", "-a", ".a", "a/b", "a b", "ä", &"a".repeat(LONGEST + 1)] {
            text.parse::<LabName>().expect_err(text);
        }
    }

    #[test]
    fn every_scenario_has_a_name_for_its_lab() {
        let long = "a".repeat(100);
        for name in ["split-tunnel", "two words", "-x", "…", "", &long] {
            let lab = LabName::of_scenario(name);
            lab.as_str().parse::<LabName>().expect("it is a name");
            let second = lab.numbered(12);
            second.as_str().parse::<LabName>().expect("it is a name");
            assert!(second.as_str().ends_with("-12"), "{second}");
        }
        assert_eq!(LabName::of_scenario("two words").as_str(), "two-words");
    }
}
