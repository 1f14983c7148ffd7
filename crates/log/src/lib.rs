//! The log: one line per event on stderr, `ts=… level=… component=… event=… key=value…`; or an object
//! of JSON, `{"time":…,"severity":…,"message":…,…}` ([`Form`]).
//!
//! Events are `tracing` events of one crate with a field `event` first; other crates' are left out. No
//! UUID, key or payload is ever a field.

mod form;
mod level;
mod line;
mod throttle;

pub use form::Form;
pub use level::Level;
pub use throttle::Throttle;

use std::error::Error;

use line::LineLayer;
use tracing_subscriber::layer::SubscriberExt;

/// Starts logging the events of a crate for the rest of the process; a second call has no effect.
pub fn start(of: &'static str, component: &'static str, level: Level, form: Form) {
    let layer = LineLayer::new(of, component, level, form);
    let subscriber = tracing_subscriber::registry().with(layer);
    // Fails only when logging was started before: the first caller's choice stands.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

/// An error and its causes in one line.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
