//! The colour of verdicts.

use anstyle::{AnsiColor, Style};

/// Words with which a line of a play begins, and what they look like. A terminal's green and red are what
/// its owner likes; nothing is told by colour alone.
const WORDS: [(&str, AnsiColor); 13] = [
    ("ok", AnsiColor::Green),
    ("passed", AnsiColor::Green),
    ("bit", AnsiColor::Green),
    ("harm", AnsiColor::Cyan),
    ("FAILED", AnsiColor::Red),
    ("HELD", AnsiColor::Red),
    ("NO BITE", AnsiColor::Red),
    ("NO LAB", AnsiColor::Red),
    ("UNSURE", AnsiColor::Yellow),
    ("SKIPPED", AnsiColor::Yellow),
    ("stopped", AnsiColor::Yellow),
    ("kept", AnsiColor::Blue),
    ("sabotage:", AnsiColor::Blue),
];

/// A line with its first word in colour, if that is a verdict.
pub(super) fn paint(text: &str) -> String {
    let word = text.trim_start();
    let indent = &text[..text.len() - word.len()];
    let ends = |rest: &str| rest.is_empty() || rest.starts_with([' ', '\n']);
    let known = WORDS
        .iter()
        .find_map(|(known, colour)| Some((known, colour, word.strip_prefix(known)?)));
    match known {
        Some((known, colour, rest)) if ends(rest) => {
            let style = Style::new().fg_color(Some((*colour).into())).bold();
            format!("{indent}{style}{known}{style:#}{rest}")
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_verdict_is_painted() {
        assert_eq!(
            paint("  ok     reach"),
            "  \u{1b}[1m\u{1b}[32mok\u{1b}[0m     reach"
        );
        assert_eq!(
            paint("NO BITE  why"),
            "\u{1b}[1m\u{1b}[31mNO BITE\u{1b}[0m  why"
        );
        for plain in [
            "step     ok",
            "  did    on laptop",
            "okay",
            "lab      3 hosts",
        ] {
            assert_eq!(paint(plain), plain);
        }
    }
}
