//! One event as one line.

use std::fmt::{self, Write as _};
use std::io::Write as _;

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::layer::{Context, Layer};

/// Prints this crate's events.
pub(super) struct LineLayer {
    least: LevelFilter,
}

impl LineLayer {
    pub(super) fn new(least: LevelFilter) -> Self {
        Self { least }
    }
}

impl<S: Subscriber> Layer<S> for LineLayer {
    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.least)
    }

    fn enabled(&self, metadata: &Metadata<'_>, _context: Context<'_, S>) -> bool {
        *metadata.level() <= self.least && metadata.target().starts_with("fps_dns")
    }

    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        let mut now = String::new();
        // A String takes everything.
        let _ = SystemTime.format_time(&mut Writer::new(&mut now));
        let mut line = Line::default();
        line.pair("ts", &now);
        line.pair(
            "level",
            &event.metadata().level().as_str().to_ascii_lowercase(),
        );
        line.pair("component", "fps-dns");
        event.record(&mut line);
        line.0.push('\n');
        // In one write, so that lines of several processes do not mix. Who has closed standard error
        // does not want to know.
        let _ = std::io::stderr().write_all(line.0.as_bytes());
    }
}

/// A line that is being written.
#[derive(Default)]
struct Line(String);

impl Line {
    /// Adds a value, in quotes where it would break the line.
    fn pair(&mut self, key: &str, value: &str) {
        let is_plain = |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '=' | '\\');
        let between = if self.0.is_empty() { "" } else { " " };
        let written = match !value.is_empty() && value.chars().all(is_plain) {
            true => write!(self.0, "{between}{key}={value}"),
            false => write!(self.0, "{between}{key}={value:?}"),
        };
        written.expect("a String takes everything");
    }
}

impl Visit for Line {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.pair(field.name(), value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.pair(field.name(), &format!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_break_the_line_is_quoted() {
        let mut line = Line::default();
        line.pair("server", "[::1]:53");
        line.pair("name", "a\nb=c");
        line.pair("empty", "");
        assert_eq!(line.0, r#"server=[::1]:53 name="a\nb=c" empty="""#);
    }
}
