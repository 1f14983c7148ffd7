//! A line of `timeline.jsonl`: one thing that happened in a play.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{PlayEnd, Verdict};

/// Something that happened, and when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Moment {
    /// Milliseconds since the play's start. The packets, questions and probes of a step are written when
    /// its expectations were checked, so that lines are not all in the order of time.
    pub t_ms: f64,
    /// What.
    #[serde(flatten)]
    pub event: Event,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(
    tag = "kind",
    rename_all = "kebab-case",
    rename_all_fields = "kebab-case"
)]
pub enum Event {
    /// The play begins. It is the first line.
    Begins {
        /// The version of the format, as in `outcome.json`.
        format: u32,
        /// The scenario's title.
        title: String,
        /// The sabotage that is played, if one is.
        sabotage: Option<String>,
    },
    /// The lab stands.
    Built,
    /// The tunnel's programs run and carry.
    TunnelUp,
    /// A step begins.
    StepBegins {
        /// Its number in this play, from 1.
        step: usize,
        /// Its name.
        name: String,
    },
    /// A step has ended.
    StepEnds {
        /// Its number.
        step: usize,
    },
    /// An act begins.
    ActBegins {
        /// What is done, in words.
        act: String,
    },
    /// An act has ended.
    ActEnds {
        /// What was done, in words, and what is to be said of it.
        act: String,
        /// Why it failed; none where it did not.
        error: Option<String>,
    },
    /// An expectation begins to be checked.
    ExpectationBegins {
        /// Its name.
        name: String,
        /// The file's word for what is checked.
        check: String,
    },
    /// An expectation was checked.
    ExpectationEnds {
        /// Its name.
        name: String,
        /// What came of it.
        verdict: Verdict,
        /// What was seen, in one line.
        why: String,
    },
    /// A program was started.
    ProgramStarts {
        /// On which host.
        host: String,
        /// Its name, as steps have it.
        program: String,
        /// The program and its arguments.
        command: Vec<String>,
    },
    /// A program has ended.
    ProgramEnds {
        /// On which host.
        host: String,
        /// Its name.
        program: String,
        /// How: its exit code or the signal, in words.
        exit: String,
    },
    /// A program has printed a line.
    ProgramSays {
        /// On which host.
        host: String,
        /// Its name.
        program: String,
        /// The line, perhaps cut short. The whole is in the program's log.
        line: String,
    },
    /// A packet of a question that the step's expectations asked, at one place that it passed.
    Packet {
        /// On which host.
        host: String,
        /// By which of its links.
        link: String,
        /// `in` or `out`.
        way: String,
        /// The packet, in one line.
        packet: String,
    },
    /// A DNS server of the lab's was asked.
    Question {
        /// The server's host.
        server: String,
        /// The address and port that asked.
        from: String,
        /// `udp` or `tcp`.
        by: String,
        /// The name that was asked for.
        name: String,
        /// The type of record.
        record: String,
        /// What was answered, in a few words.
        answer: String,
    },
    /// A question of an expectation that watches for an outage.
    Probe {
        /// The expectation's name.
        expectation: String,
        /// Whether the answer came.
        answered: bool,
        /// What came of it, in words.
        answer: String,
    },
    /// More of a kind came in a step than is written down.
    LeftOut {
        /// The kind that was left out: `program-says`, `packet`, `question` or `probe`.
        of: String,
        /// How many.
        count: usize,
    },
    /// A host's network could not be looked at between two steps.
    NoSnapshot {
        /// The host.
        host: String,
        /// Why.
        why: String,
    },
    /// The play has ended. One that was stopped or killed has no such line.
    Ends {
        /// How.
        end: PlayEnd,
    },
}
