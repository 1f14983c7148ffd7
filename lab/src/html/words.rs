//! Times and numbers, and the signs that the page has for verdicts.

use maud::{Markup, html};

use crate::report::{Expectation, Role, ScenarioEnd, Verdict};

/// A time as people say it.
pub(super) fn time(ms: f64) -> String {
    match ms {
        ms if ms < 1.0 => format!("{:.0} µs", ms * 1e3),
        ms if ms < 10.0 => format!("{ms:.1} ms"),
        ms if ms < 1000.0 => format!("{ms:.0} ms"),
        ms if ms < 60_000.0 => format!("{:.2} s", ms / 1e3),
        ms => format!(
            "{:.0} min {:02.0} s",
            (ms / 60_000.0).floor(),
            (ms / 1e3) % 60.0
        ),
    }
}

/// A number and what it counts.
pub(super) fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// How something ended: a class of the style and a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sign {
    /// `good`, `bad`, `odd` or `none`.
    pub(super) class: &'static str,
    /// The word.
    pub(super) word: &'static str,
}

impl Sign {
    pub(super) const fn new(class: &'static str, word: &'static str) -> Self {
        Self { class, word }
    }

    pub(super) fn badge(self) -> Markup {
        html! { span class=(format!("badge {}", self.class)) { (self.word) } }
    }
}

impl From<ScenarioEnd> for Sign {
    fn from(end: ScenarioEnd) -> Self {
        match end {
            ScenarioEnd::Passed => Self::new("good", "passed"),
            ScenarioEnd::Failed => Self::new("bad", "failed"),
            ScenarioEnd::NoLab => Self::new("bad", "no lab"),
            ScenarioEnd::Unfinished => Self::new("odd", "unfinished"),
        }
    }
}

impl From<&Expectation> for Sign {
    fn from(it: &Expectation) -> Self {
        match (it.verdict, it.role) {
            (Verdict::Held, Role::MustFail) => Self::new("bad", "held"),
            (Verdict::Held, _) => Self::new("good", "held"),
            (Verdict::Failed, Role::MustFail) => Self::new("good", "bit"),
            (Verdict::Failed, Role::MayFail) => Self::new("none", "harm"),
            (Verdict::Failed, Role::MustHold) => Self::new("bad", "failed"),
            (Verdict::Inconclusive, Role::MayFail) => Self::new("odd", "unsure"),
            (Verdict::Inconclusive, _) => Self::new("bad", "unsure"),
        }
    }
}

/// Where an address of a page ends: what it is derived from, in letters, digits and dashes.
pub(super) fn anchor(text: &str) -> String {
    let plain = |sign: char| {
        if sign.is_ascii_alphanumeric() {
            sign.to_ascii_lowercase()
        } else {
            '-'
        }
    };
    text.chars().map(plain).collect()
}

/// A file's name as the path of a link.
pub(super) fn link(name: &str) -> String {
    let mut out = String::new();
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' | b'~' => {
                out.push(char::from(byte));
            }
            byte => out += &format!("%{byte:02X}"),
        }
    }
    // What begins with a name and a colon would be the address of something else.
    format!("./{out}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_as_people_say_them() {
        let said = [0.5, 1.26, 12.4, 999.0, 1234.0, 61_000.0].map(time);
        assert_eq!(
            said,
            [
                "500 µs",
                "1.3 ms",
                "12 ms",
                "999 ms",
                "1.23 s",
                "1 min 01 s"
            ]
        );
    }

    #[test]
    fn a_link_stays_in_the_folder() {
        assert_eq!(link("a b/play/x.log"), "./a%20b/play/x.log");
        assert_eq!(link("javascript:alert(1)"), "./javascript%3Aalert%281%29");
    }
}
