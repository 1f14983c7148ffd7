//! The log: one line per event on standard error, `ts=… level=… component=fps-dns event=… key=value…`.
//!
//! Events are `tracing` events of this crate with a field `event` first; other crates' are left out.

mod line;

use std::error::Error;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;

use line::LineLayer;

/// The least severe level that is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Level {
    /// Nothing.
    Off,
    /// What ends the program.
    Error,
    /// What the operator should look at.
    Warn,
    /// That it starts, stops and has read its configuration.
    Info,
    /// Each question.
    Debug,
}

impl From<Level> for LevelFilter {
    fn from(level: Level) -> Self {
        match level {
            Level::Off => Self::OFF,
            Level::Error => Self::ERROR,
            Level::Warn => Self::WARN,
            Level::Info => Self::INFO,
            Level::Debug => Self::DEBUG,
        }
    }
}

/// Starts logging for the rest of the process; a second call has no effect.
pub(crate) fn start(level: Level) {
    let subscriber = tracing_subscriber::registry().with(LineLayer::new(level.into()));
    // It fails only where somebody has started logging before, whose choice stands.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

/// An error and its causes in one line.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
