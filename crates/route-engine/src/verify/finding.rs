//! What `verify` finds.

use std::fmt;

use serde_json::json;

/// One thing that was looked at, and how it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How it is.
    pub kind: Kind,
    /// What it is about.
    pub text: String,
}

/// How something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// As it shall be.
    Fine,
    /// It is wanted and not there.
    Missing,
    /// It is there, and other than it shall be.
    Changed,
    /// Another program's stands in its place.
    Foreign,
    /// It is there, and something else goes before it.
    Shadowed,
    /// It is ours and not wanted.
    LeftOver,
    /// The carrier would be led into the tunnel that it carries.
    CarrierLoop,
    /// Nothing that differs from what is wanted, but that may not be what was meant.
    Warning,
}

impl Kind {
    /// Whether something is not as it shall be.
    pub fn is_fault(self) -> bool {
        !matches!(self, Self::Fine | Self::Warning)
    }

    /// In one word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Fine => "ok",
            Self::Missing => "missing",
            Self::Changed => "changed",
            Self::Foreign => "foreign",
            Self::Shadowed => "shadowed",
            Self::LeftOver => "left-over",
            Self::CarrierLoop => "carrier-loop",
            Self::Warning => "warning",
        }
    }

    /// A finding of this kind.
    pub(super) fn of(self, text: impl Into<String>) -> Finding {
        let text = text.into();
        Finding { kind: self, text }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:12} {}", self.kind.word(), self.text)
    }
}

impl Finding {
    /// As data.
    pub fn json(&self) -> serde_json::Value {
        json!({"finding": self.kind.word(), "fault": self.kind.is_fault(), "text": self.text})
    }
}
