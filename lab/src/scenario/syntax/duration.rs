//! How long something may take or must hold.

use std::time::Duration;

use super::{Node, Word};

/// Nobody waits longer than this for one expectation.
const LONGEST: Duration = Duration::from_secs(600);

impl Node<'_> {
    /// A lifetime, which kernels and protocols count in whole seconds: `2s` or `1m`.
    pub(crate) fn seconds(self) -> Option<Duration> {
        let duration = self.duration()?;
        if duration.subsec_nanos() == 0 {
            return Some(duration);
        }
        let wrong = self.wrong("a lifetime is a number of seconds");
        self.refuse(wrong.help("write it with `s`, such as \"2s\""))
    }

    /// A duration, such as `500ms`, `2s` or `1m`.
    pub(crate) fn duration(self) -> Option<Duration> {
        if self.value.is_integer() || self.value.is_float() {
            let wrong = self
                .wrong("a wait needs a unit")
                .label("a number without one");
            return self.refuse(wrong.help("write a string, such as \"500ms\", \"2s\" or \"1m\""));
        }
        let word = self.word()?;
        match parse(word.text) {
            Ok(duration) => Some(duration),
            Err(reason) => refuse(word, &reason),
        }
    }
}

fn refuse<T>(word: Word<'_>, reason: &str) -> Option<T> {
    let wrong = word
        .wrong(format!("impossible wait `{}`", word.text))
        .label(reason);
    word.refuse(wrong.help("write an integer with ms, s or m, such as \"500ms\", \"2s\" or \"1m\""))
}

/// Reads a duration, or says why it is none.
fn parse(text: &str) -> Result<Duration, String> {
    let end = text
        .find(|c: char| !(c.is_ascii_digit() || c == '-'))
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    if number.is_empty() {
        return Err("it does not begin with an integer".to_owned());
    }
    let factor = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "" => return Err("it has no unit".to_owned()),
        _ if unit.starts_with('.') => return Err("its number is no integer".to_owned()),
        _ => return Err(format!("`{unit}` is no unit")),
    };
    if number.starts_with('-') {
        return Err("it is over before it begins".to_owned());
    }
    if number.bytes().all(|digit| digit == b'0') {
        return Err("it is over before anything can happen".to_owned());
    }
    let too_long = || "the longest wait is 10m".to_owned();
    let millis = number
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(factor));
    let duration = millis.map(Duration::from_millis).ok_or_else(too_long)?;
    if duration > LONGEST {
        Err(too_long())
    } else {
        Ok(duration)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_each_unit() {
        assert_eq!(parse("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(parse("2s"), Ok(Duration::from_secs(2)));
        assert_eq!(parse("10m"), Ok(LONGEST));
    }

    #[test]
    fn refuses_what_nobody_can_wait() {
        for text in [
            "", "s", "5", "5 s", "5h", "1.5s", "-1s", "0s", "00ms", "11m", "600001ms",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
        assert_eq!(
            parse("99999999999999999999m"),
            Err("the longest wait is 10m".to_owned())
        );
        assert_eq!(
            parse("18446744073709551615m"),
            Err("the longest wait is 10m".to_owned())
        );
    }

    #[test]
    fn says_which_part_is_wrong() {
        assert_eq!(parse("5h"), Err("`h` is no unit".to_owned()));
        assert_eq!(parse("5"), Err("it has no unit".to_owned()));
        assert_eq!(parse("1.5s"), Err("its number is no integer".to_owned()));
    }
}
