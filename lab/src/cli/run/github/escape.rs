//! The text of workflow commands: what would end a line or a property is written by its number. What a
//! program has said may have colours and other control characters, which GitHub would show as they are.

use anstream::adapter::strip_str;

/// A text without colours and other control characters, but for ends of lines and tabs.
pub(super) fn plain(text: &str) -> String {
    // A sequence that nobody has ended ends with its line.
    let lines = text.split('\n').map(|line| strip_str(line).to_string());
    lines.collect::<Vec<_>>().join("\n")
}

/// The message of a command.
pub(super) fn data(text: &str) -> String {
    plain(text)
        .replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// The value of a property, in which `:` and `,` mean something, too.
pub(super) fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_ends_a_command_early() {
        assert_eq!(data("50 %, a: b\r\nc"), "50 %25, a: b%0D%0Ac");
        assert_eq!(property("50 %, a: b\nc"), "50 %25%2C a%3A b%0Ac");
    }

    #[test]
    fn what_a_program_says_has_no_control_characters() {
        assert_eq!(plain("\u{1b}[31mred\u{1b}[0m\ta\u{1}b\nc"), "red\tab\nc");
        assert_eq!(plain("\u{1b}]0;title\nnext"), "\nnext");
    }
}
