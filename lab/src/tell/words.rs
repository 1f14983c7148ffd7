//! Lists, times and commands in words.

use std::fmt::Display;
use std::time::Duration;

/// How much of a command is shown.
const LONGEST: usize = 100;

/// `a`, `a and b`, `a, b and c`.
pub(super) fn list<T: Display>(things: impl IntoIterator<Item = T>) -> String {
    joined(things, "and")
}

/// The same with `or`.
pub(super) fn choice<T: Display>(things: impl IntoIterator<Item = T>) -> String {
    joined(things, "or")
}

fn joined<T: Display>(things: impl IntoIterator<Item = T>, by: &str) -> String {
    let mut things: Vec<String> = things.into_iter().map(|it| it.to_string()).collect();
    match (things.pop(), things.is_empty()) {
        (None, _) => "nothing".to_owned(),
        (Some(only), true) => only,
        (Some(last), false) => format!("{} {by} {last}", things.join(", ")),
    }
}

/// `the port 80`, `the ports 80 and 443`.
pub(super) fn several<T: Display>(noun: &str, things: impl IntoIterator<Item = T>) -> String {
    let things: Vec<T> = things.into_iter().collect();
    let plural = if things.len() == 1 { "" } else { "s" };
    format!("the {noun}{plural} {}", list(things))
}

/// `400 ms`, `1.5 s`, `10 min`.
pub(super) fn time(time: Duration) -> String {
    match time.as_millis() {
        millis @ ..1000 => format!("{millis} ms"),
        millis if millis >= 60_000 && millis % 60_000 == 0 => format!("{} min", millis / 60_000),
        _ => format!("{} s", time.as_secs_f64()),
    }
}

/// A command as code, on one line and not too long of it.
pub(super) fn command(words: &[String]) -> String {
    let quoted = words
        .iter()
        .map(|word| match word.contains(char::is_whitespace) {
            true => format!("'{word}'"),
            false => word.clone(),
        });
    code(&quoted.collect::<Vec<_>>().join(" "))
}

/// A text as it is, on one line and not too long of it.
pub(super) fn code(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let text = words.join(" ").replace('`', "'");
    match text.char_indices().nth(LONGEST) {
        None => format!("`{text}`"),
        Some((end, _)) => format!("`{}…`", &text[..end]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_read_well() {
        assert_eq!(list::<&str>([]), "nothing");
        assert_eq!(list(["a"]), "a");
        assert_eq!(list(["a", "b"]), "a and b");
        assert_eq!(choice(["a", "b", "c"]), "a, b or c");
        assert_eq!(several("port", [80]), "the port 80");
    }

    #[test]
    fn times_have_the_unit_that_fits() {
        let times = [400, 1500, 2000, 600_000].map(Duration::from_millis);
        assert_eq!(times.map(time), ["400 ms", "1.5 s", "2 s", "10 min"]);
    }
}
