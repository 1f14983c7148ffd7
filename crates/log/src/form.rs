//! How a line is written.

use std::fmt::{self, Write as _};

use serde_json::{Map, Value};

/// How a line of the log is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Form {
    /// `key=value`, with quotes where they are needed.
    #[default]
    Text,
    /// An object: `time`, `severity`, `message`, which is the event's name, and the rest.
    Json,
}

/// A line that is being written.
pub(super) enum Line {
    Text(String),
    Json(Map<String, Value>),
}

impl Line {
    pub(super) fn new(form: Form) -> Self {
        match form {
            Form::Text => Self::Text(String::new()),
            Form::Json => Self::Json(Map::new()),
        }
    }

    /// Adds a value.
    pub(super) fn pair(&mut self, key: &str, value: Value) {
        match self {
            Self::Text(line) => text_pair(line, key, &value),
            Self::Json(line) => {
                let key = match key {
                    "ts" => "time",
                    "level" => "severity",
                    "event" => "message",
                    key => key,
                };
                line.insert(key.to_owned(), value);
            }
        }
    }

    /// The whole line.
    pub(super) fn finish(self) -> String {
        let mut line = match self {
            Self::Text(line) => line,
            Self::Json(line) => Value::Object(line).to_string(),
        };
        line.push('\n');
        line
    }
}

fn text_pair(line: &mut String, key: &str, value: &Value) {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let between = if line.is_empty() { "" } else { " " };
    let plain = |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '=' | '\\');
    let written = match !text.is_empty() && text.chars().all(plain) {
        true => write!(line, "{between}{key}={text}"),
        false => write!(line, "{between}{key}={text:?}"),
    };
    let fmt::Result::Ok(()) = written else {
        unreachable!("a String grows");
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(form: Form, key: &str, value: impl Into<Value>) -> String {
        let mut line = Line::new(form);
        line.pair("event", "it".into());
        line.pair(key, value.into());
        line.finish()
    }

    #[test]
    fn quotes_what_would_break_the_line() {
        for (value, expected) in [
            ("[::1]:443", "event=it key=[::1]:443\n"),
            ("no route", "event=it key=\"no route\"\n"),
            ("a\nevent=b", "event=it key=\"a\\nevent=b\"\n"),
            ("", "event=it key=\"\"\n"),
        ] {
            assert_eq!(line(Form::Text, "key", value), expected);
        }
        assert_eq!(line(Form::Text, "id", 7), "event=it id=7\n");
    }

    #[test]
    fn an_object_has_numbers_and_the_names_that_others_expect() {
        let object = line(Form::Json, "id", 7);
        assert_eq!(object, "{\"id\":7,\"message\":\"it\"}\n");
        assert_eq!(
            line(Form::Json, "level", "info"),
            "{\"message\":\"it\",\"severity\":\"info\"}\n"
        );
    }
}
