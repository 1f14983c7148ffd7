//! What programs must say, in their output and on their status socket.

use std::fmt;
use std::time::Duration;

use regex::Regex;
use serde_json::Value;

use super::{Count, TunnelRole};

/// A program prints lines, or does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// The program's name, as steps have it.
    pub who: String,
    /// Which lines count.
    pub pattern: Pattern,
    /// How many there may be.
    pub count: Count,
    /// Whether those count too that were printed before the step.
    pub since_start: bool,
    /// For at least a number, the deadline; else for how long it must be so.
    pub time: Duration,
}

/// What a text must be like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// It holds this.
    Text(String),
    /// It matches this somewhere.
    Matches(Expression),
}

impl Pattern {
    /// Whether a text is so.
    pub fn is_in(&self, text: &str) -> bool {
        match self {
            Self::Text(wanted) => text.contains(wanted),
            Self::Matches(Expression(wanted)) => wanted.is_match(text),
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "`{text}`"),
            Self::Matches(Expression(wanted)) => write!(f, "/{wanted}/"),
        }
    }
}

/// A regular expression. Two are equal if they are written alike.
#[derive(Clone, Debug)]
pub struct Expression(pub Regex);

impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

impl Eq for Expression {}

/// A field of the status that an FPS program tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The program: client or server.
    pub who: TunnelRole,
    /// The field, as a JSON pointer (RFC 6901).
    pub pointer: String,
    /// What it must be.
    pub wanted: StatusValue,
    /// The deadline.
    pub within: Duration,
}

/// What a field must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StatusValue {
    /// This.
    Is(Value),
    /// A number that is right.
    Counts(Count),
    /// A text that is right; of other values, their JSON.
    Matches(Expression),
}

impl fmt::Display for StatusValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Is(value) => value.fmt(f),
            Self::Counts(count) => count.fmt(f),
            Self::Matches(Expression(wanted)) => write!(f, "/{wanted}/"),
        }
    }
}
