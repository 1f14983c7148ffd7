//! How much is logged.

use serde::Deserialize;
use tracing::level_filters::LevelFilter;

/// The least severe level that is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Nothing.
    Off,
    /// What ends the program, or what it does for one.
    #[serde(alias = "fatal")]
    #[value(alias = "fatal")]
    Error,
    /// What the operator should look at.
    #[serde(alias = "warning")]
    #[value(alias = "warning")]
    Warn,
    /// That it starts and stops, and the life of every carrier.
    Info,
    /// Each question, and every decision about a packet that was dropped.
    Debug,
    /// Everything.
    Trace,
}

impl From<Level> for LevelFilter {
    fn from(level: Level) -> Self {
        match level {
            Level::Off => Self::OFF,
            Level::Error => Self::ERROR,
            Level::Warn => Self::WARN,
            Level::Info => Self::INFO,
            Level::Debug => Self::DEBUG,
            Level::Trace => Self::TRACE,
        }
    }
}

impl Level {
    /// Its name, as a configuration has it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Error => "error",
            Self::Warn => "warning",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}
