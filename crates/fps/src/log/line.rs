//! One event as one line.

use std::fmt::{self, Write as _};
use std::io::Write as _;

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::layer::{Context, Layer};

use super::Level;

/// Prints this crate's events.
pub(super) struct LineLayer {
    component: &'static str,
    least: LevelFilter,
}

impl LineLayer {
    pub(super) fn new(component: &'static str, level: Level) -> Self {
        Self {
            component,
            least: level.into(),
        }
    }
}

impl<S: Subscriber> Layer<S> for LineLayer {
    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.least)
    }

    fn enabled(&self, metadata: &tracing::Metadata<'_>, _context: Context<'_, S>) -> bool {
        let target = metadata.target();
        *metadata.level() <= self.least && (target == "fps" || target.starts_with("fps::"))
    }

    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        let mut line = Line(String::from("ts="));
        // Writing into a String cannot fail.
        let _ = SystemTime.format_time(&mut Writer::new(&mut line.0));
        let level = match *event.metadata().level() {
            tracing::Level::ERROR => "error",
            tracing::Level::WARN => "warn",
            tracing::Level::INFO => "info",
            tracing::Level::DEBUG => "debug",
            tracing::Level::TRACE => "trace",
        };
        line.pair("level", &level);
        line.pair("component", &self.component);
        event.record(&mut line);
        line.0.push('\n');
        // One write per line: lines of several processes on one pipe do not mix. Whoever closed
        // stderr does not want to hear about it.
        let _ = std::io::stderr().write_all(line.0.as_bytes());
    }
}

struct Line(String);

impl Line {
    fn pair(&mut self, key: &str, value: &dyn fmt::Display) {
        let text = value.to_string();
        let plain = |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '=' | '\\');
        let _ = if !text.is_empty() && text.chars().all(plain) {
            write!(self.0, " {key}={text}")
        } else {
            write!(self.0, " {key}={text:?}")
        };
    }
}

impl Visit for Line {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.pair(field.name(), &value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.pair(field.name(), &format_args!("{value:?}"));
    }
}

impl Line {
    #[cfg(test)]
    fn of(key: &str, value: &str) -> String {
        let mut line = Self(String::new());
        line.pair(key, &value);
        line.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_what_would_break_the_line() {
        assert_eq!(Line::of("addr", "[::1]:443"), " addr=[::1]:443");
        assert_eq!(Line::of("error", "no route"), r#" error="no route""#);
        assert_eq!(Line::of("error", "a\nevent=b"), r#" error="a\nevent=b""#);
        assert_eq!(Line::of("error", ""), r#" error="""#);
    }
}
