//! Quoting for the shell, as bash's `printf %q` does it.

use std::borrow::Cow;
use std::fmt::Write;

/// Quotes one word so that bash reads it back as it was: the text that `printf %q` prints in a
/// UTF-8 locale (bash(1); `sh_backslash_quote` and `ansic_quote` in lib/sh/ of its source).
pub fn quote(word: &str) -> Cow<'_, str> {
    if word.is_empty() {
        Cow::Borrowed("''")
    } else if word.chars().any(is_unprintable) {
        Cow::Owned(quote_ansi_c(word))
    } else if word
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "%+-./:@_=".contains(c))
    {
        Cow::Borrowed(word)
    } else {
        Cow::Owned(quote_by_backslash(word))
    }
}

/// Control characters, and the two separators that glibc's `iswprint` does not print.
fn is_unprintable(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

/// `a b` becomes `a\ b`.
fn quote_by_backslash(word: &str) -> String {
    let mut quoted = String::with_capacity(word.len() + 8);
    let mut before = None;
    for c in word.chars() {
        let special = match c {
            // Only at the start of a word do they mean a comment and a home directory; a tilde
            // does so in an assignment, too.
            '#' => before.is_none(),
            '~' => matches!(before, None | Some(':' | '=')),
            _ => " !\"$&'()*,;<>?[\\]^`{|}".contains(c),
        };
        if special {
            quoted.push('\\');
        }
        quoted.push(c);
        before = Some(c);
    }
    quoted
}

/// A line feed becomes `$'\n'`.
fn quote_ansi_c(word: &str) -> String {
    let mut quoted = String::from("$'");
    for c in word.chars() {
        match c {
            '\x1b' => quoted.push_str("\\E"),
            '\x07' => quoted.push_str("\\a"),
            '\x08' => quoted.push_str("\\b"),
            '\x0b' => quoted.push_str("\\v"),
            '\x0c' => quoted.push_str("\\f"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\\' | '\'' => {
                quoted.push('\\');
                quoted.push(c);
            }
            c if is_unprintable(c) => c.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| {
                write!(quoted, "\\{byte:03o}").expect("a string takes every text");
            }),
            c => quoted.push(c),
        }
    }
    quoted.push('\'');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: [(&str, &str); 24] = [
        ("", "''"),
        ("10.66.0.2/30", "10.66.0.2/30"),
        ("fd00::1/64", "fd00::1/64"),
        ("tun-fps.0_1", "tun-fps.0_1"),
        ("a=b%c@d+e", "a=b%c@d+e"),
        ("a b", "a\\ b"),
        ("it's", "it\\'s"),
        ("a\"b", "a\\\"b"),
        ("a\\b", "a\\\\b"),
        ("a$b`c", "a\\$b\\`c"),
        ("*?[x]^{a,b}!", "\\*\\?\\[x\\]\\^\\{a\\,b\\}\\!"),
        ("<>|&;()", "\\<\\>\\|\\&\\;\\(\\)"),
        ("~fps.test", "\\~fps.test"),
        ("a~b", "a~b"),
        ("a=~b:~c", "a=\\~b:\\~c"),
        ("#a", "\\#a"),
        ("a#b", "a#b"),
        ("ö€", "ö€"),
        ("ö b", "ö\\ b"),
        ("a\tb\nc\rd", "$'a\\tb\\nc\\rd'"),
        ("\x1b[0m it's\\", "$'\\E[0m it\\'s\\\\'"),
        ("\x07\x08\x0b\x0c", "$'\\a\\b\\v\\f'"),
        ("a\x01b\x7f", "$'a\\001b\\177'"),
        ("\u{85}ö", "$'\\302\\205ö'"),
    ];

    #[test]
    fn quotes_by_the_table() {
        for (word, quoted) in TABLE {
            assert_eq!(quote(word), quoted, "{word:?}");
        }
    }

    /// For each ASCII character but NUL a line with what `printf %q` of bash 5.2 prints, in locale
    /// C.UTF-8, for it between `a` and `b` and, behind a tab, for it alone.
    const GOLDEN: &str = include_str!("quote.golden");

    #[test]
    fn quotes_as_bash_does() {
        assert_eq!(GOLDEN.lines().count(), 127);
        for (c, line) in ('\x01'..='\x7f').zip(GOLDEN.lines()) {
            let (within, alone) = line.split_once('\t').unwrap();
            assert_eq!(quote(&format!("a{c}b")), within);
            assert_eq!(quote(&c.to_string()), alone);
        }
    }
}
