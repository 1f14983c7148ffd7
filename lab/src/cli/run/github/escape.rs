//! The text of workflow commands: what would end a line or a property is written by its number.

/// The message of a command.
pub(super) fn data(text: &str) -> String {
    text.replace('%', "%25")
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
}
