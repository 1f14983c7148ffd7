//! The log: one line per event on stderr, `ts=… level=… component=… event=… key=value…`; or an object
//! of JSON, `{"time":…,"severity":…,"message":…,…}` ([`Form`]).
//!
//! Events are `tracing` events of this crate with a field `event` first; other crates' are left
//! out. No UUID, key or payload is ever a field.

mod form;
mod level;
mod line;
mod throttle;

pub use form::Form;
pub use level::Level;
pub use throttle::Throttle;

use line::LineLayer;
use tracing_subscriber::layer::SubscriberExt;

/// Starts logging for the rest of the process; a second call has no effect.
pub fn start(component: &'static str, level: Level, form: Form) {
    let layer = LineLayer::new(component, level, form);
    let subscriber = tracing_subscriber::registry().with(layer);
    // Fails only when logging was started before: the first caller's choice stands.
    let _ = tracing::subscriber::set_global_default(subscriber);
}
