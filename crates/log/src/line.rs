//! One event as one line.

use std::fmt;
use std::io::Write as _;

use serde_json::Value;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::layer::{Context, Layer};

use super::form::Line;
use super::{Form, Level};

/// Prints the events of one crate.
pub(super) struct LineLayer {
    of: &'static str,
    component: &'static str,
    least: LevelFilter,
    form: Form,
}

impl LineLayer {
    pub(super) fn new(of: &'static str, component: &'static str, level: Level, form: Form) -> Self {
        Self {
            of,
            component,
            least: level.into(),
            form,
        }
    }
}

impl<S: Subscriber> Layer<S> for LineLayer {
    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.least)
    }

    fn enabled(&self, metadata: &tracing::Metadata<'_>, _context: Context<'_, S>) -> bool {
        let target = metadata.target().split("::").next();
        *metadata.level() <= self.least && target == Some(self.of)
    }

    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        let mut now = String::new();
        // Writing into a String cannot fail.
        let _ = SystemTime.format_time(&mut Writer::new(&mut now));
        let level = match *event.metadata().level() {
            tracing::Level::ERROR => "error",
            tracing::Level::WARN => "warn",
            tracing::Level::INFO => "info",
            tracing::Level::DEBUG => "debug",
            tracing::Level::TRACE => "trace",
        };
        let mut line = Line::new(self.form);
        line.pair("ts", now.into());
        line.pair("level", level.into());
        line.pair("component", self.component.into());
        event.record(&mut line);
        // One write per line: lines of several processes on one pipe do not mix. Whoever closed
        // stderr does not want to hear about it.
        let _ = std::io::stderr().write_all(line.finish().as_bytes());
    }
}

impl Visit for Line {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.pair(field.name(), value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.pair(field.name(), value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.pair(field.name(), value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.pair(field.name(), value.into());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.pair(field.name(), Value::String(format!("{value:?}")));
    }
}
