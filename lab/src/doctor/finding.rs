//! What was seen of one thing.

use serde::Serialize;

use super::Lack;

/// What is known of a thing before it is looked at.
#[derive(Clone, Copy, Debug)]
pub(super) struct About {
    /// Its name in the report.
    pub(super) name: &'static str,
    /// What a lab needs it for.
    pub(super) purpose: &'static str,
    /// Whether no lab with a tunnel can be had without it.
    pub(super) decisive: bool,
    /// Whether it is a program that single scenarios need.
    pub(super) program: bool,
}

/// What was seen of one thing of this machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Finding {
    /// What was looked at.
    pub name: &'static str,
    /// How it is.
    pub state: State,
    /// What was seen.
    pub seen: String,
    /// What it is for.
    pub purpose: &'static str,
    /// Whether no lab with a tunnel can be had without it.
    pub decisive: bool,
    /// Whether it is a program that single scenarios need.
    pub program: bool,
    /// What to do, as commands for this machine; none where nothing is to be done.
    pub remedy: Option<String>,
}

/// How a thing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It was tried, and works.
    Ok,
    /// Some of it works, or nothing needs it.
    Limited,
    /// It is not there, or not allowed.
    Missing,
}

impl State {
    /// Its word in the report.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Limited => "limited",
            Self::Missing => "MISSING",
        }
    }
}

impl Finding {
    /// Whether it keeps labs from being had.
    pub fn forbids(&self) -> bool {
        self.decisive && self.state == State::Missing
    }
}

impl About {
    pub(super) fn ok(self, seen: impl Into<String>) -> Finding {
        self.finding(State::Ok, seen.into(), None)
    }

    pub(super) fn limited(self, seen: impl Into<String>, remedy: Option<String>) -> Finding {
        self.finding(State::Limited, seen.into(), remedy)
    }

    pub(super) fn missing(self, lack: Lack) -> Finding {
        self.finding(State::Missing, lack.what, Some(lack.remedy))
    }

    /// It could not be tried, since something before it is not there.
    pub(super) fn untried(self, before: &str) -> Finding {
        let remedy = format!("see to the {before} first");
        self.finding(
            State::Missing,
            "it could not be tried".to_owned(),
            Some(remedy),
        )
    }

    fn finding(self, state: State, seen: String, remedy: Option<String>) -> Finding {
        Finding {
            name: self.name,
            state,
            seen,
            purpose: self.purpose,
            decisive: self.decisive,
            program: self.program,
            remedy,
        }
    }
}
